import { randomUUID } from 'node:crypto';
import { test as base, type TestInfo } from '@playwright/test';
import { People } from '../../generators/customers.ts';
import type { Budget } from '../../target/budget.ts';
import type { Client } from '../../target/client.ts';
import { CASE_LOG_TYPE, type CaseLog } from '../../target/exchange.ts';
import type { Ledger } from '../../target/ledger.ts';
import type { RateLimiter } from '../../target/limiter.ts';
import { connect, enterPublished, openLedger, type Run, reserve } from '../../target/run.ts';
import { endBefore, performAttempts } from './attempts.ts';
import { Cases } from './cases.ts';
import { Customers, type TargetKnowledge } from './customers.ts';
import type { CheckHost } from './host.ts';
import { SuiteFault } from './suite-fault.ts';

export { of } from '../../schemas/mark.ts';
export { expect } from './matchers.ts';
export { generatedCheck, requirement } from './requirement.ts';

/** What a check is written with. */
export type CheckFixtures = {
  /** Sends requests, and reads what is stored. */
  customers: Customers;
  /** Draws the data of the check's requests. */
  people: People;
  /** Runs the cases of a generated check. */
  cases: Cases;
};
type Fixtures = { budget: Budget; outsider: Client; attempt: CheckFixtures } & CheckFixtures;
type WorkerFixtures = {
  entered: { run: Run; limiter: RateLimiter };
  run: Run;
  limiter: RateLimiter;
  ledger: Ledger | undefined;
  client: Client;
  knowledge: TargetKnowledge;
};

/** Milliseconds that the requests of a check added to its timeout. */
const extensions = new WeakMap<TestInfo, { timeout: number; added: number }>();

/** Extends the timeout of a check while one of its requests has to wait. */
function extend(milliseconds: number): void {
  const info = base.info();
  // While a fixture is torn down, `info.timeout` is not what `setTimeout` sets.
  const { timeout, added } = extensions.get(info) ?? { timeout: info.timeout, added: 0 };
  extensions.set(info, { timeout, added: added + milliseconds });
  info.setTimeout(timeout + added + milliseconds);
}

const checkTest = base.extend<Fixtures, WorkerFixtures>({
  budget: [{ requests: 1, customers: 1 }, { option: true }],

  entered: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads a fixture's dependencies from this pattern
    async ({}, use) => {
      const entered = await enterPublished();
      if (!entered) throw new SuiteFault('tests/support/setup.ts did not run');
      await use(entered);
      entered.limiter.close();
    },
    { scope: 'worker' },
  ],

  run: [({ entered }, use) => use(entered.run), { scope: 'worker' }],

  limiter: [({ entered }, use) => use(entered.limiter), { scope: 'worker' }],

  ledger: [
    async ({ run }, use) => {
      const ledger = openLedger(run);
      await use(ledger);
      ledger?.close();
    },
    { scope: 'worker' },
  ],

  client: [
    async ({ run, limiter, ledger }, use) => {
      const client = connect(run, limiter, { extend, ledger });
      await use(client);
      client.dispose();
    },
    { scope: 'worker' },
  ],

  // biome-ignore lint/correctness/noEmptyPattern: as above
  knowledge: [({}, use) => use({}), { scope: 'worker' }],

  outsider: async ({ run, limiter, ledger }, use) => {
    const client = connect(run, limiter, { extend, ledger });
    await use(client);
    client.dispose();
  },

  attempt: [
    async ({ client, outsider, run, limiter, budget, knowledge }, use, info) => {
      // What the first attempt saw is confirmed all the same.
      if (limiter.stopped !== undefined && info.retry === 0) endBefore(info, { ending: 'inconclusive', reason: limiter.stopped });
      const begin = (attempt: number, host: CheckHost): CheckFixtures => {
        const people = new People({
          seed: run.seed,
          name: [...info.titlePath, attempt, info.repeatEachIndex].join(' › '),
          prefix: run.prefix,
          reserve: (value) => reserve(run, 'people', value, randomUUID()),
          overrides: run.overrides,
        });
        const keep = (log: CaseLog) => info.attach('what the cases did', { contentType: CASE_LOG_TYPE, body: JSON.stringify(log) });
        const shared = { client, outsider, run, limiter, knowledge, host };
        return {
          people,
          customers: new Customers({ ...shared, budget, people }),
          cases: new Cases({ ...shared, title: info.title, attempt, keep }),
        };
      };
      await performAttempts(info, begin, use);
    },
    // Of every check: an attempt without a record would say nothing.
    { auto: true },
  ],

  customers: ({ attempt }, use) => use(attempt.customers),
  people: ({ attempt }, use) => use(attempt.people),
  cases: ({ attempt }, use) => use(attempt.cases),
});

declare global {
  /** Set where the proof of the suite collects the checks (proof/check-collector.ts), which then are not Playwright's to run. */
  var conformanceTest: unknown;
}

/** Playwright's test with the fixtures of a check. */
export const test = (globalThis.conformanceTest ?? checkTest) as typeof checkTest;
