import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { People } from '../generators/customers.ts';
import { type Judgement, settleAll, toAttempt } from '../reports/judge.ts';
import type { Merchant } from '../sandbox/behaviour.ts';
import type { AttemptRecord } from '../target/attempt.ts';
import type { CaseLog } from '../target/exchange.ts';
import { connect, enter, type Run, reserve } from '../target/run.ts';
import type { Depth } from '../target/settings.ts';
import { budgetOf } from '../tests/budgets.ts';
import { recordAsserted } from '../tests/support/asserted.ts';
import { Cases } from '../tests/support/cases.ts';
import { Customers } from '../tests/support/customers.ts';
import { type CheckHost, Ended } from '../tests/support/host.ts';
import { failure } from '../tests/support/matchers.ts';
import { openRun } from '../tests/support/setup.ts';
import type { Check } from './check-collector.ts';

/** What came of one check on one server. */
export type CheckRun = { check: Check; judgements: Judgement[]; faults: string[] };

/**
 * Performs checks on a server, one after the other, as a run would: until there are no more, or `enough` says so. A server with
 * `consistentReads` never lags, so that no read is repeated.
 */
export async function runChecks(
  checks: readonly Check[],
  server: { baseUrl: string; merchants: readonly Merchant[]; consistentReads: boolean },
  enough: (run: CheckRun) => boolean = () => false,
  { seed = 1, depth = 'standard', concurrency = 8 }: { seed?: number; depth?: Depth; concurrency?: number } = {},
): Promise<{ checkRuns: CheckRun[]; requests: number; cases: number; seconds: number }> {
  const start = Date.now();
  const [merchant, other] = server.merchants;
  if (!merchant || !other) throw new Error('a server of the proof has two merchants');
  const out = join(tmpdir(), 'conformance-proof');
  const plan = {
    baseUrl: server.baseUrl,
    targetName: 'proof',
    merchant,
    other,
    seed,
    // A broken server may hang on purpose; a lawful one answers, on a busy machine too.
    timeout: server.consistentReads ? 1_000 : 10_000,
    overrides: {},
    anyAddress: false,
    headers: [],
  };
  const { run, close } = await openRun({ ...plan, depth, limits: { concurrency }, out });
  const limiter = await enter(run);
  if (server.consistentReads) limiter.note('waiting did not help');
  const [client, outsider] = [connect(run, limiter), connect(run, limiter)];
  const knowledge = {};
  const checkRuns: CheckRun[] = [];
  let requests = run.preflight.requests;
  let performed = 0;
  for (const check of checks) {
    const failures: { message: string; asserted: boolean }[] = [];
    const host = proofHost(check, failures, () => {
      requests += 1;
    });
    const people = peopleOf(run, check);
    const customers = new Customers({ client, outsider, run, limiter, host, budget: budgetOf(check.area, depth), people, knowledge });
    const keep = (log: CaseLog) => {
      requests += log.requests;
      performed += log.cases;
      return Promise.resolve();
    };
    const title = check.title.split(' › ').at(-1) ?? '';
    const cases = new Cases({ run, client, outsider, limiter, knowledge, title, attempt: 0, host, keep });
    const asserted = recordAsserted();
    let ended: AttemptRecord['ended'];
    await check.body({ customers, people, cases }).catch((error) => {
      if (error instanceof Ended) ended = { ending: error.ending, reason: error.message };
      else failures.push({ message: String(error), asserted: 'matcherResult' in error });
    });
    const attempt = toAttempt(failures, { asserted: [...asserted], ...(ended && { ended }) });
    const result = { check, ...settleAll(check, [attempt]) };
    checkRuns.push(result);
    if (enough(result)) break;
  }
  limiter.close();
  for (const each of [client, outsider]) each.dispose();
  await close();
  return { checkRuns, requests, cases: performed, seconds: (Date.now() - start) / 1000 };
}

function proofHost(check: Check, failures: { message: string; asserted: boolean }[], count: () => void): CheckHost {
  return {
    id: check.title,
    step: (_intent, body) => body(),
    attach: () => Promise.resolve(count()),
    report: (answer, { id, message, lines = [] }) =>
      failures.push({ message: failure(`[${id}] ${message}`, lines, answer), asserted: true }),
    end: (ending, reason) => {
      throw new Ended(ending, reason);
    },
  };
}

function peopleOf(run: Run, { title }: Check): People {
  const { seed, prefix, overrides } = run;
  return new People({ seed, name: title, prefix, overrides, reserve: (value) => reserve(run, 'people', value, randomUUID()) });
}
