import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { conforming } from '../sandbox/behaviour.ts';
import { startSandbox } from '../sandbox/server.ts';
import type { Variant } from '../sandbox/variant.ts';
import { basePathOf, brokenServers, hiddenServers, lawfulServers, mountsOf } from '../sandbox/variants.ts';
import { areas, generatedAreas } from '../schemas/catalogue.ts';
import type { Depth } from '../target/settings.ts';
import { collectChecks, type Performed, perform } from './performance.ts';

/** The embedded sandbox as it is, among the variants of it. */
export const conformingServer: Variant = { name: 'conforming', why: 'The embedded sandbox.', behaviour: conforming };

/**
 * Asks for the checks of these requirements on a server, those of the first before the others, or for all; `until` one fails as told.
 * Example checks, unless the cases of the generated ones are asked for. The server is fresh, or has the customers of an `earlier` run.
 */
export type Order = {
  server: string;
  requirements?: readonly string[];
  until?: string;
  generated?: { seed: number; depth: Depth };
  earlier?: boolean;
};

/** What came of an order, without the bodies of the checks. */
export type Outcome = { performed: (Omit<Performed, 'check'> & { title: string; place: string })[]; requests: number; seconds: number };

/**
 * Performs checks in a process of its own, which serves the variant too: the runner notes each request and expectation of a test that
 * it runs itself as a step, which takes longer than the request.
 */
export class Performer {
  readonly #child = fork(fileURLToPath(import.meta.url), { execArgv: ['--import', 'tsx'], env: { ...process.env, PERFORMER: '1' } });

  /** Performs one order. Throws where the process breaks. */
  async perform(order: Order): Promise<Outcome> {
    const over = new AbortController();
    const { signal } = over;
    this.#child.send(order);
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
  const served = [conformingServer, ...brokenServers, ...hiddenServers, ...lawfulServers];
  const variants = new Map(served.map((variant) => [variant.name, variant]));
  const wrong = new Set([...brokenServers, ...hiddenServers].map(({ name }) => name));
  const obey = async ({ server, requirements, until, generated, earlier }: Order): Promise<Outcome> => {
    const variant = variants.get(server);
    if (!variant) throw new Error(`there is no server ${server}`);
    const named = (ids: readonly string[]) => !requirements || ids.some((id) => requirements.includes(id));
    const wanted = checks.filter((check) => check.generated === (generated !== undefined) && named(check.requirements));
    const rank = (ids: readonly string[]) => Number(until !== undefined && ids.includes(until));
    wanted.sort((a, b) => rank(b.requirements) - rank(a.requirements));
    const sandbox = await startSandbox({ mounts: mountsOf([variant]) });
    const target = { baseUrl: `${sandbox.origin}${basePathOf(variant)}`, merchants: sandbox.merchants, prompt: wrong.has(server) };
    const enough = ({ findings }: Performed) => findings.some(({ requirement, outcome }) => requirement === until && outcome === 'failed');
    const once = () => perform(wanted, target, enough, generated);
    const { performed, ...rest } = await (earlier ? once().then(once) : once()).finally(() => sandbox.close());
    return { performed: performed.map(({ check, ...found }) => ({ ...found, title: check.title, place: check.place })), ...rest };
  };
  process.on('message', (order: Order) => {
    obey(order).then(
      (outcome) => process.send?.(outcome),
      (error) => process.send?.({ broken: String(error) }),
    );
  });
}

if (process.env.PERFORMER) await serve();
