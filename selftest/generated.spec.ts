import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import fc from 'fast-check';
import { type Behaviour, conforming } from '../sandbox/behaviour.ts';
import { type Sandbox, startSandbox } from '../sandbox/server.ts';
import type { RequirementId } from '../schemas/requirement-id.ts';
import { Answer } from '../target/answer.ts';
import { merchant } from '../target/authorization.ts';
import { writeCounterexample } from '../target/counterexample.ts';
import { type Redact, redactor } from '../target/redaction.ts';
import { connect, enter } from '../target/run.ts';
import type { Replay } from '../target/settings.ts';
import type { Property } from '../tests/support/case.ts';
import { Cases } from '../tests/support/cases.ts';
import type { Customers } from '../tests/support/customers.ts';
import { openRun } from '../tests/support/setup.ts';
import { Violation } from '../tests/support/violation.ts';
import { against, run } from './command.ts';

type CasesRun = { message: string | undefined; ended: string | undefined; path: string | null; requests: number };

const out = mkdtempSync(join(tmpdir(), 'counterexamples-'));

/** Runs a property on a sandbox as a generated check would. */
async function runCases<Value>(
  arbitrary: fc.Arbitrary<Value>,
  property: Property<Value>,
  more: { behaviour?: Behaviour; concurrency?: number; replay?: Replay; cases?: number; seed?: number } = {},
): Promise<CasesRun> {
  const { behaviour = conforming, concurrency = 8, replay, cases = 30, seed = 1 } = more;
  const sandbox: Sandbox = await startSandbox({ mounts: [{ basePath: '/api/v1', behaviour }] });
  const [merchant, other] = sandbox.merchants;
  if (!merchant || !other) throw new Error('a sandbox has two merchants');
  const limits = { concurrency };
  const plan = {
    baseUrl: sandbox.baseUrl,
    targetName: 'x',
    merchant,
    other,
    seed,
    timeout: 5_000,
    overrides: {},
    out,
    anyAddress: false,
    headers: [],
  };
  const { run, close } = await openRun({ ...plan, depth: 'standard', limits, ...(replay && { replay }) });
  const limiter = await enter(run);
  const [client, outsider] = [connect(run, limiter), connect(run, limiter)];
  const found: CasesRun = { message: undefined, ended: undefined, path: null, requests: 0 };
  const generated = new Cases({
    ...{ run, client, outsider, limiter, knowledge: {}, title: 'a check', attempt: 0 },
    host: {
      id: 'a check',
      step: (_intent, body) => body(),
      attach: () => Promise.resolve(),
      report: () => undefined,
      end: (ending, reason) => {
        throw new Error(`${ending}: ${reason}`);
      },
    },
    keep: ({ path, requests }) => {
      Object.assign(found, { path, requests });
      return Promise.resolve();
    },
  });
  try {
    await generated.run({ cases }, () => arbitrary, property);
  } catch (error) {
    const { message } = error as Error;
    if (/^(not|inconclusive|left)/.test(message)) found.ended = message;
    else found.message = message;
  } finally {
    limiter.close();
    for (const each of [client, outsider]) each.dispose();
    await Promise.all([close(), sandbox.close()]);
  }
  return found;
}

/** Breaks a requirement by one exchange. */
async function fail(customers: Customers, requirement: RequirementId): Promise<never> {
  const answer = await customers.create(customers.people.plain());
  throw new Violation(requirement, 'it is wrong', [{ expected: 'vip "1"', actual: 'vip "2"' }], answer);
}

/** Runs a script against a server that answers every request with a body. Returns what it printed, and the paths that were asked for. */
async function runScript(
  script: string,
  env: NodeJS.ProcessEnv,
  body: string,
  basePath = '',
): Promise<{ output: string; paths: string[] }> {
  const paths: string[] = [];
  const { output } = await against(
    (request, response) => {
      paths.push(request.url ?? '');
      response.end(body);
    },
    (origin) => run(script, { ...env, TRUSTLY_BASE_URL: origin + basePath }),
  );
  return { output, paths };
}

/** A script of two requests: a create that gave a customerId, and a read of that customer. */
function writeScript(name: string, customerId: string, more: { baseUrl?: string; redact?: Redact; path?: string } = {}): string {
  const { baseUrl = 'http://127.0.0.1', redact = String, path: read = `/customers/${encodeURIComponent(customerId)}` } = more;
  const answer = (method: string, path: string) =>
    new Answer(
      {
        request: { method, url: `${baseUrl}${path}`, path, headers: [], authorization: merchant({ accessId: 'a', accessKey: 'b' }) },
        response: { status: 200, statusText: 'OK', headers: [], body: JSON.stringify({ customer: { customerId } }) },
        start: 0,
        stop: 0,
      },
      { redact: (text) => text, leaks: () => false },
    );
  const steps = [answer('POST', '/customers'), answer('GET', read)];
  return writeCounterexample(out, {
    ...{ name, requirement: 'CRE-1', statement: 'It is wrong.', message: 'wrong', lines: [], baseUrl, prefix: '17957', redact },
    steps: steps.map((each) => ({ intent: 'a request', answer: each })),
  });
}

test.describe('a counterexample script', () => {
  const keys = [
    'q7Zk9wRt5xJmp3VbLc8Hd2QsTuYwEz',
    '!@#$%^&*()-=+[]{}|;:<>?/',
    'pä§ßwörd-gëhéîm-ñürçé',
    `p"s&w<r>d'1"2&3<4>5'k`,
    '4815162342',
  ];
  const spellings: ((key: string) => string)[] = [
    (key) => key,
    (key) => [...key].reverse().join(''),
    (key) => Buffer.from(key).toString('base64'),
    (key) => [...Buffer.from(key).toString('base64')].reverse().join(''),
    (key) => Buffer.from(key).toString('base64').replace(/.{8}/g, '$&\n'),
    (key) => Buffer.from(key).toString('hex'),
    (key) =>
      Buffer.from(key)
        .toString('hex')
        .replace(/..(?=.)/g, '$&:'),
    (key) => [...Buffer.from(key)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
    (key) => [...key].map((character) => `&#${character.codePointAt(0)};`).join(''),
    (key) => `${key.slice(0, key.length / 2)} and ${key.slice(key.length / 2)}`,
  ];
  for (const key of keys) {
    test(`prints no word that is not known, in whatever spelling a target sends back ${key}`, async () => {
      const script = writeScript('echo', '100');
      const spelled = spellings.map((spell) => spell(key));
      const json = JSON.stringify({ customer: { customerId: key }, [spelled.join()]: spelled });
      for (const body of [json, spelled.join('\t')]) {
        const { output } = await runScript(script, { TRUSTLY_ACCESS_ID: 'a', TRUSTLY_ACCESS_KEY: key }, body);
        const shown = output.split('\n').filter((line) => /^ {3}(now:|GET|POST)/.test(line));
        expect(shown, output).toHaveLength(4);
        const known = /now: {2}200|customers\/100|‹\d+ characters›|\bcustomer(s|Id)?\b|\\u00..|[\s"\\,:{}[\]<>/]|GET|POST/g;
        for (const line of shown) expect(line.replaceAll(known, ''), line).toBe('');
      }
    });
  }

  test('asks the target alone, whatever customerId it gives', async () => {
    const ids = ['/', 's', 'customers', ':4999/', '..', '@evil.example/'];
    for (const old of ['/', 'customers']) {
      for (const id of ids) {
        const env = { TRUSTLY_ACCESS_ID: 'a', TRUSTLY_ACCESS_KEY: 'b' };
        const { paths } = await runScript(writeScript('path', old), env, JSON.stringify({ customer: { customerId: id } }));
        expect(paths).toEqual(['/customers', id === '..' ? '/' : `/customers/${encodeURIComponent(id)}`]);
      }
    }
  });

  test('sends no credentials beyond the base URL', async () => {
    const env = { TRUSTLY_ACCESS_ID: 'a', TRUSTLY_ACCESS_KEY: 'b' };
    for (const [basePath, path] of [
      ['', '@evil.example/'],
      ['', '.evil.example/'],
      ['', '0/'],
      ['/tenant/v1', '/../../other/v1/customers'],
      ['/tenant/v1', '0/customers'],
    ] as const) {
      const { output, paths } = await runScript(writeScript('beyond', '100', { path }), env, '{}', basePath);
      expect(output, path).toContain('a path points outside the target');
      expect(paths).toEqual([`${basePath}/customers`]);
    }
  });

  test('asks for the base URL if a part of it was redacted', async () => {
    const secret = 'tenant-4711-live';
    const script = writeScript('masked', '100', { baseUrl: `http://127.0.0.1:1/${secret}/v1`, redact: redactor([secret]) });
    expect(readFileSync(script, 'utf8')).not.toContain(secret);
    const { code, output } = await run(script, { TRUSTLY_ACCESS_ID: 'a', TRUSTLY_ACCESS_KEY: 'b' });
    expect([code, output]).toEqual([1, 'Set TRUSTLY_BASE_URL\n']);
  });

  test('prints no key that is spelled in short words, each of which is known', async () => {
    const key = 'q7Zk9wRt5xJmp3VbLc8Hd2QsTuYwEz';
    const pairs = Buffer.from(key).toString('hex').match(/../g) ?? [];
    // Every word of two digits is in an answer of the first run, which had a customerId of them.
    const script = writeScript('pairs', Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0')).join(' '));
    for (const divider of [' ', ':', ',', '\n']) {
      const { output } = await runScript(script, { TRUSTLY_ACCESS_ID: 'a', TRUSTLY_ACCESS_KEY: key }, pairs.join(divider));
      const [first = '', ...others] = output.split('\n').filter((line) => line.includes('now:'));
      expect(first.replaceAll(/now: {2}200|‹\d+ characters›|\\u000a|[\s:,]/g, '')).toBe('');
      expect(others).toEqual([first]);
    }
  });
});

test.describe('a generated check', () => {
  test('has the same cases in the same order, whatever the concurrency', async () => {
    const cases = async (concurrency: number, seed: number) => {
      const seen: number[] = [];
      await runCases(fc.nat(), (_customers, value) => Promise.resolve(void seen.push(value)), { concurrency, seed });
      return seen;
    };
    const alone = await cases(1, 7);
    expect(alone).toHaveLength(30);
    expect(await cases(8, 7)).toEqual(alone);
    expect(await cases(8, 8)).not.toEqual(alone);
  });

  test('makes the first failing case as short as it can be', async () => {
    const { message, path } = await runCases(fc.array(fc.nat(100)), async (customers, numbers) => {
      if (numbers.some((number) => number > 10)) await fail(customers, 'UPD-4');
    });
    expect(message).toMatch(/^\[UPD-4\] it is wrong\n/);
    expect(message).toMatch(/shrunk in \d+ tries; its exchanges:\n {2}1\. create a customer: 200 /);
    expect(path).toMatch(/^\d+(:\d+)+$/);
  });

  test('shortens no case to one that breaks another requirement', async () => {
    let last = 0;
    const { message } = await runCases(
      fc.nat(1000),
      async (customers, number) => {
        if (number > 500) {
          last = number;
          await fail(customers, 'UPD-4');
        } else if (number > 5) await fail(customers, 'UPD-2');
      },
      { seed: 3, cases: 1 },
    );
    // The first case of this seed decides which of the two it is.
    expect(message).toMatch(/^\[UPD-[24]\]/);
    if (message?.startsWith('[UPD-4]')) expect(last).toBe(501);
  });

  test('repeats a case by the replay that its failure gives', async () => {
    const seen: number[] = [];
    const property: Property<number> = async (customers, number) => {
      seen.push(number);
      if (number > 10) await fail(customers, 'UPD-4');
    };
    const { message = '' } = await runCases(fc.nat(1000), property);
    const [, seed = '', path = ''] = /TRUSTLY_REPLAY='(-?\d+);([\d:]+);;a check'/.exec(message) ?? [];
    seen.length = 0;

    const again = await runCases(fc.nat(1000), property, { replay: { seed: Number(seed), path, title: 'a check' }, seed: 99 });

    expect(seen).toEqual([11]);
    expect(again.message).toMatch(/^\[UPD-4\] it is wrong/);
  });

  test('tells of a case that does not fail alone, and goes on for one that does', async () => {
    let calls = 0;
    const { message } = await runCases(fc.nat(1000), async (customers) => {
      calls += 1;
      if (calls === 3) await fail(customers, 'UPD-10');
    });
    expect(message).toMatch(/^\[UPD-10\]/);
    expect(message).toContain('which does not fail alone');
  });

  test('ends as its cases do, where none of them fails', async () => {
    const every = await runCases(fc.nat(), (customers) => customers.notApplicable('nothing to see'));
    expect(every.ended).toBe('not-applicable: nothing to see');
    const one = await runCases(fc.nat(10), (customers, number) =>
      number === 3 ? customers.notTestable('no customer') : Promise.resolve(),
    );
    expect(one.ended).toBe('not-testable: no customer');
  });

  test('writes a script that shows the failure again on Node alone', async () => {
    const behaviour: Behaviour = { ...conforming, apply: (before, changes) => ({ ...before, ...changes }) };
    const sandbox = await startSandbox({ mounts: [{ basePath: '/api/v1', behaviour }] });
    await runCases(
      fc.constant(0),
      async (customers) => {
        const before = await customers.given({ vip: '1' });
        const answer = await customers.update(before, 'customerId', { vip: null });
        if (answer.customer && 'vip' in answer.customer) throw new Violation('NULL-1', 'vip is there', [], answer);
      },
      { behaviour },
    );
    const [script = ''] = readdirSync(join(out, 'counterexamples')).filter((name) => /^(NULL-1|ANS-3)/.test(name));
    const [first] = sandbox.merchants;
    const env = { TRUSTLY_BASE_URL: sandbox.baseUrl, TRUSTLY_ACCESS_ID: first?.accessId, TRUSTLY_ACCESS_KEY: first?.accessKey };
    const child = spawn(process.execPath, [join(out, 'counterexamples', script)], { env });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    await new Promise((resolve) => child.on('close', resolve));
    await sandbox.close();

    expect(output).toMatch(/1\. create a customer\n/);
    expect(output).toMatch(/now: {2}200 .*"vip":null/);
    expect(output).not.toContain(first?.accessKey ?? '');
    const bare = spawnSync(process.execPath, [join(out, 'counterexamples', script)], { env: {}, encoding: 'utf8' });
    expect(bare.stderr).toContain('Set TRUSTLY_ACCESS_ID');
  });
});
