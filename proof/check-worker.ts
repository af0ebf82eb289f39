import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startSandbox } from '../sandbox/server.ts';
import { areas, generatedAreas } from '../schemas/catalogue.ts';
import type { Depth } from '../target/settings.ts';
import { collectChecks } from './check-collector.ts';
import { type CheckRun, runChecks } from './check-runner.ts';
import { basePathOf, brokenServers, conformingServer, generatedOnlyServers, lawfulServers, mountsOf } from './servers.ts';

/**
 * Asks for the checks of these requirements on a server, those of the first before the others, or for all; `until` one fails as told.
 * Example checks, unless the cases of the generated ones are asked for. The server is fresh, or has the customers of an `earlier` run.
 */
export type Job = {
  server: string;
  requirements?: readonly string[];
  until?: string;
  generated?: { seed: number; depth: Depth };
  earlier?: boolean;
};

/** What came of a job, without the bodies of the checks. */
export type JobResult = { checkRuns: (Omit<CheckRun, 'check'> & { title: string; place: string })[]; requests: number; seconds: number };

/**
 * Runs checks in a process of its own, which serves the variant too: the runner notes each request and expectation of a test that
 * it runs itself as a step, which takes longer than the request.
 */
export class CheckWorker {
  readonly #child = fork(fileURLToPath(import.meta.url), { execArgv: ['--import', 'tsx'], env: { ...process.env, CHECK_WORKER: '1' } });

  /** Runs one job. Throws if the process breaks. */
  async run(job: Job): Promise<JobResult> {
    const over = new AbortController();
    const { signal } = over;
    this.#child.send(job);
    const [answer] = await Promise.race([
      once(this.#child, 'message', { signal }),
      once(this.#child, 'exit', { signal }).then(() => [{ broken: 'the process ended' }]),
    ]);
    over.abort();
    if ('broken' in answer) throw new Error(answer.broken);
    return answer;
  }

  /** Ends the process. */
  close(): void {
    this.#child.kill();
  }
}

async function serve(): Promise<void> {
  const checks = await collectChecks([...areas, ...generatedAreas]);
  const served = [conformingServer, ...brokenServers, ...generatedOnlyServers, ...lawfulServers];
  const variants = new Map(served.map((variant) => [variant.name, variant]));
  const wrong = new Set([...brokenServers, ...generatedOnlyServers].map(({ name }) => name));
  const runJob = async ({ server, requirements, until, generated, earlier }: Job): Promise<JobResult> => {
    const variant = variants.get(server);
    if (!variant) throw new Error(`there is no server ${server}`);
    const named = (ids: readonly string[]) => !requirements || ids.some((id) => requirements.includes(id));
    const wanted = checks.filter((check) => check.generated === (generated !== undefined) && named(check.requirements));
    const rank = (ids: readonly string[]) => Number(until !== undefined && ids.includes(until));
    wanted.sort((a, b) => rank(b.requirements) - rank(a.requirements));
    const sandbox = await startSandbox({ mounts: mountsOf([variant]) });
    const target = { baseUrl: `${sandbox.origin}${basePathOf(variant)}`, merchants: sandbox.merchants, consistentReads: wrong.has(server) };
    const enough = ({ judgements }: CheckRun) =>
      judgements.some(({ requirement, outcome }) => requirement === until && outcome === 'failed');
    const once = () => runChecks(wanted, target, enough, generated);
    const { checkRuns, ...rest } = await (earlier ? once().then(once) : once()).finally(() => sandbox.close());
    return { checkRuns: checkRuns.map(({ check, ...found }) => ({ ...found, title: check.title, place: check.place })), ...rest };
  };
  process.on('message', (job: Job) => {
    runJob(job).then(
      (outcome) => process.send?.(outcome),
      (error) => process.send?.({ broken: String(error) }),
    );
  });
}

if (process.env.CHECK_WORKER) await serve();
