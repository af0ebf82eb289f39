import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent } from 'undici';
import { collectChecks } from '../proof/check-collector.ts';
import { runChecks } from '../proof/check-runner.ts';
import { basePathOf, brokenServers, generatedOnlyServers, mountsOf } from '../proof/servers.ts';
import type { Result } from '../reports/verdict.ts';
import { type Sandbox, startSandbox } from '../sandbox/server.ts';
import { generatedAreas } from '../schemas/catalogue.ts';
import { addLatency } from './latency.ts';
import { memoryOf } from './memory.ts';

const LATENCY = 100;
const CONCURRENCY = 8;
const checks = await collectChecks(generatedAreas);

/** One run of the whole suite as a user starts it. */
type BenchRun = { what: string; seconds: number; requests: number; memory: number | undefined; verdict: string };

async function wholeRun(what: string, env: NodeJS.ProcessEnv): Promise<BenchRun> {
  const out = mkdtempSync(join(tmpdir(), 'bench-'));
  const start = Date.now();
  const child = spawn(process.execPath, ['--import', 'tsx', 'reports/run.ts'], {
    stdio: 'ignore',
    env: { ...process.env, ...env, TRUSTLY_OUT: out },
  });
  let memory: number | undefined;
  const timer = setInterval(() => {
    const now = memoryOf(child.pid ?? 0);
    if (now !== undefined) memory = Math.max(memory ?? 0, now);
  }, 250);
  await new Promise((resolve) => child.on('close', resolve));
  clearInterval(timer);
  const { requests, verdict }: Result = JSON.parse(readFileSync(join(out, 'conformance.json'), 'utf8'));
  const run = { what, seconds: (Date.now() - start) / 1000, requests, memory, verdict: String(verdict) };
  console.log(run);
  return run;
}

function credentials({ merchants: [own, other] }: Sandbox): NodeJS.ProcessEnv {
  return {
    TRUSTLY_ACCESS_ID: own?.accessId,
    TRUSTLY_ACCESS_KEY: own?.accessKey,
    TRUSTLY_OTHER_ACCESS_ID: other?.accessId,
    TRUSTLY_OTHER_ACCESS_KEY: other?.accessKey,
  };
}

/** Creates a second by an HTTP client and nothing else. */
async function bareClient(sandbox: Sandbox, origin: string, count: number): Promise<number> {
  const agent = new Agent();
  const [merchant] = sandbox.merchants;
  const authorization = `Basic ${Buffer.from(`${merchant?.accessId}:${merchant?.accessKey}`).toString('base64')}`;
  const body = (index: number) =>
    JSON.stringify({
      name: 'Ann Smith',
      address: { country: 'US' },
      phone: '+12015550100',
      email: 'ann@example.com',
      externalId: `bare${index}`,
    });
  let next = 0;
  const start = Date.now();
  const work = async () => {
    while (next < count) {
      next += 1;
      const headers = { authorization, 'content-type': 'application/json' };
      const response = await agent.request({ origin, path: '/api/v1/customers', method: 'POST', headers, body: body(next) });
      await response.body.dump();
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  const rate = (count / (Date.now() - start)) * 1000;
  await agent.close();
  return rate;
}

/** The generated checks alone, in one process. */
async function generatedPart(sandbox: Sandbox, origin: string) {
  const target = { baseUrl: `${origin}/api/v1`, merchants: sandbox.merchants, consistentReads: true };
  return await runChecks(checks, target, undefined, { concurrency: CONCURRENCY });
}

/** For each broken server, what the generated checks of what it breaks need until the first of them fails. */
async function firstFailures() {
  const servers = [...generatedOnlyServers, ...brokenServers];
  const sandbox = await startSandbox({ mounts: mountsOf(servers) });
  const rows: { server: string; found: string; requests: number; seconds: number }[] = [];
  for (const server of servers) {
    const own = checks.filter(({ requirements }) => requirements.some((id) => server.breaks.includes(id)));
    if (own.length === 0) continue;
    const target = { baseUrl: `${sandbox.origin}${basePathOf(server)}`, merchants: sandbox.merchants, consistentReads: true };
    let found = '';
    const { requests, seconds } = await runChecks(own, target, ({ judgements }) => {
      found = judgements.find(({ requirement, outcome }) => outcome === 'failed' && server.breaks.includes(requirement))?.requirement ?? '';
      return found !== '';
    });
    rows.push({ server: server.name, found, requests, seconds });
  }
  await sandbox.close();
  return rows;
}

const sandbox = await startSandbox();
const latency = await addLatency(Number(new URL(sandbox.origin).port), LATENCY);
const near = { ...credentials(sandbox), TRUSTLY_BASE_URL: sandbox.baseUrl };
const far = { ...credentials(sandbox), TRUSTLY_BASE_URL: `${latency.origin}/api/v1` };

const runs = [
  await wholeRun('embedded sandbox, standard', {}),
  await wholeRun('embedded sandbox, deep', { TRUSTLY_DEPTH: 'deep' }),
  await wholeRun('loopback, standard', near),
  await wholeRun('loopback, deep', { ...near, TRUSTLY_DEPTH: 'deep' }),
  await wholeRun(`${LATENCY} ms, quick`, { ...far, TRUSTLY_DEPTH: 'quick' }),
  await wholeRun(`${LATENCY} ms, standard`, far),
];
const bare = { near: await bareClient(sandbox, sandbox.origin, 4000), far: await bareClient(sandbox, latency.origin, 400) };
const generated = { near: await generatedPart(sandbox, sandbox.origin), far: await generatedPart(sandbox, latency.origin) };
await latency.close();
await sandbox.close();
const failures = await firstFailures();

const round = (number: number) => Math.round(number * 10) / 10;
const ideal = (generated.far.requests * LATENCY) / CONCURRENCY / 1000;
const page = [
  '# Measurements',
  '',
  `\`npm run bench\`, ${new Date().toISOString().slice(0, 10)}, Node ${process.version}.`,
  '',
  '## The whole run',
  '',
  '| run | seconds | requests | requests/s | peak memory, MB | verdict |',
  '|---|---|---|---|---|---|',
  ...runs.map(
    ({ what, seconds, requests, memory, verdict }) =>
      `| ${what} | ${round(seconds)} | ${requests} | ${Math.round(requests / seconds)} | ${memory === undefined ? 'not measured' : Math.round(memory)} | ${verdict} |`,
  ),
  '',
  'Memory is that of every process of the run, pages that they share counted once (PSS).',
  '',
  '## The generated checks, in one process, eight requests in flight',
  '',
  '| | seconds | requests | requests/s | cases/s | a bare HTTP client, requests/s | ratio |',
  '|---|---|---|---|---|---|---|',
  ...(['near', 'far'] as const).map((where) => {
    const { requests, seconds, cases } = generated[where];
    const rate = requests / seconds;
    return `| ${where === 'near' ? 'loopback' : `${LATENCY} ms`} | ${round(seconds)} | ${requests} | ${Math.round(rate)} | ${Math.round(cases / seconds)} | ${Math.round(bare[where])} | ${(rate / bare[where]).toFixed(2)} |`;
  }),
  '',
  `With ${LATENCY} ms the requests would take ${round(ideal)} s if eight were always in flight; they took ${round(generated.far.seconds)} s. The bound is 1.5 times that and 5 s: ${round(1.5 * ideal + 5)} s.`,
  '',
  '## Until the first failure',
  '',
  'The generated checks of what each broken server breaks, on loopback, the shortening of the case included; seed 1. Not found: its own example checks find it.',
  '',
  '| server | found by | requests | seconds |',
  '|---|---|---|---|',
  ...failures.map(({ server, found, requests, seconds }) => `| ${server} | ${found || 'not found'} | ${requests} | ${round(seconds)} |`),
  '',
].join('\n');
writeFileSync(new URL('results.md', import.meta.url), page);
console.log('Written to bench/results.md.');
