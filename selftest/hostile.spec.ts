import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from '@playwright/test';
import { startSandbox } from '../sandbox/server.ts';
import { type Ran, start } from './command.ts';
import { assertEnd, assertOutput, assertRequests, assertResults, assertScripts, assertSecrecy, type Ended } from './hostile/assert.ts';
import { bodies } from './hostile/bodies.ts';
import { clocks } from './hostile/clocks.ts';
import { connections } from './hostile/connections.ts';
import { headers } from './hostile/headers.ts';
import { ids } from './hostile/ids.ts';
import { killTree, watchMemory } from './hostile/memory.ts';
import { retryAfter } from './hostile/retry-after.ts';
import { statuses } from './hostile/statuses.ts';
import { CANARY, type HostileTarget, SIDE_EFFECT } from './hostile/target.ts';
import { texts } from './hostile/texts.ts';

const COMMAND = 'reports/start.mjs';
/** Seconds that a run may go on beyond its bound before it is killed: its output so far says more than a time-out of the test. */
const GRACE = 20;

const kinds = { bodies, connections, statuses, headers, clocks, retryAfter, ids, texts };

test.describe.configure({ mode: 'parallel' });
// One test must not be blamed for the file of another.
test.afterEach(() => rmSync(SIDE_EFFECT, { force: true }));

for (const [kind, targets] of Object.entries(kinds)) {
  test.describe(kind, () => {
    for (const target of targets) test(target.name, () => assertSurvived(target));
  });
}

test('has at least 75 targets, whose names are unique and whose runs never end with 3', () => {
  const all: HostileTarget[] = Object.values(kinds).flat();

  expect(all.length).toBeGreaterThanOrEqual(75);
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  for (const { name, exits } of all) {
    expect(name).toMatch(/^[a-z0-9.]+(-[a-z0-9.]+)*$/);
    expect(exits.length, name).toBeGreaterThan(0);
  }
});

test.describe('what a run must not do is noticed', () => {
  const key = CANARY.accessKey;
  const outputs = {
    'a control character': 'Joe \x1b[31m',
    'a carriage return': 'Joe\rVerdict: conforms',
    'a right-to-left override': 'Joe \u202e',
    'a stack trace': 'Error\n    at run (file:///suite/run.ts:10:5)',
    'a workflow command': '  ::set-output name=x::y',
    'a logging command': 'actual: ##vso[task.complete]',
    'the key': `curl -u x:${key}`,
    'the key in Base64': Buffer.from(`xx${key}`).toString('base64'),
    'too much': 'x'.repeat(60_001),
  };
  const files: Record<string, string> = {
    'conformance.json': '{"exitCode":2}',
    'conformance.md': 'actual: ![](https://hostile.invalid/pixel.png)',
    'junit.xml': '<testsuites><failure>\u0000</testsuites>',
    'ledger.json': JSON.stringify(JSON.stringify({ key })),
    'counterexamples/syntax.mjs': "const text = 'Joe\n';",
    'counterexamples/effect.mjs': `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(SIDE_EFFECT)}, '');`,
  };
  const sound = { output: 'Verdict: does not conform', file: 'conformance.json', content: '{"exitCode":1}' };
  const cases = [
    ...Object.entries(outputs).map(([what, output]) => ({ what: `in the output: ${what}`, ...sound, output })),
    ...Object.entries(files).map(([file, content]) => ({ what: `in the results: ${file}`, ...sound, file, content })),
  ];
  for (const { what, output, file, content } of cases) {
    test(what, async () => {
      test.fail();
      await assertRun(ranWith(output, { 'conformance.json': sound.content, [file]: content }));
    });
  }
  test('and a sound run passes', () => assertRun(ranWith(sound.output, { 'conformance.json': sound.content })));
});

/** A run that ended with 1, as its output and its files say. */
function ranWith(output: string, files: Record<string, string>): Ended {
  const out = test.info().outputPath('out');
  mkdirSync(join(out, 'counterexamples'), { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(out, name), content);
  return { code: 1, output, out };
}

/** Asserts, softly, everything that a run must keep to whatever the target does. */
async function assertRun(ran: Ended): Promise<void> {
  assertOutput(ran);
  await assertResults(ran);
  assertSecrecy(ran);
  assertScripts(ran, await closedPort());
}

/** Runs the real command against a target and asserts everything that a run must keep to, whatever the target does. */
async function assertSurvived(target: HostileTarget): Promise<void> {
  test.setTimeout((target.seconds + GRACE + 60) * 1000);
  const sandbox = await startSandbox({ merchants: [{ ...CANARY, merchantId: '1002463580' }] });
  const served = await target.serve(sandbox.baseUrl);
  try {
    const { ran, megabytes } = await run(served.baseUrl, target);
    await test.info().attach('output', { body: ran.output, contentType: 'text/plain' });
    assertEnd(target, ran, megabytes);
    assertRequests(target, served);
    await assertRun(ran);
    // What failed can be looked at.
    if (test.info().errors.length === 0) rmSync(ran.out, { recursive: true });
    else test.info().annotations.push({ type: 'results', description: ran.out });
  } finally {
    await served.close();
    await sandbox.close();
  }
}

async function run(baseUrl: string, target: HostileTarget): Promise<{ ran: Ran; megabytes: number }> {
  const env = {
    DOTENV_CONFIG_PATH: 'none',
    TRUSTLY_BASE_URL: baseUrl,
    TRUSTLY_ACCESS_ID: CANARY.accessId,
    TRUSTLY_ACCESS_KEY: CANARY.accessKey,
    TRUSTLY_TIMEOUT_MS: String(target.timeout ?? 2000),
    TRUSTLY_DEPTH: 'quick',
    // Playwright sets it for its workers; the output is judged as a CI system sees it.
    FORCE_COLOR: undefined,
    GITHUB_STEP_SUMMARY: undefined,
  };
  const projects = target.projects.map((name) => `--project=${name}`);
  const { child, ended } = start(COMMAND, env, [...projects, '--workers=2']);
  const { pid = 0 } = child;
  const peak = watchMemory(pid);
  const late = new AbortController();
  const kill = async () => {
    await delay((target.seconds + GRACE) * 1000, undefined, { signal: late.signal });
    killTree(pid);
  };
  kill().catch(() => undefined);
  const ran = await ended;
  late.abort();
  return { ran, megabytes: peak() };
}

/** A base URL at which nothing listens. */
async function closedPort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}/api/v1`;
}
