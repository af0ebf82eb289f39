import { randomUUID } from 'node:crypto';
import { test as base } from '@playwright/test';
import { People } from '../../generators/customers.ts';
import type { Client } from '../../target/client.ts';
import { claim, connect, outage, publishedRun, type Run } from '../../target/run.ts';
import type { Declare } from './collection.ts';
import { type Budget, Customers, type Kept, SuiteFault } from './customers.ts';
import { playwrightStage } from './stage.ts';

export { expect } from './matchers.ts';
export { requirement } from './requirement.ts';

type Fixtures = { budget: Budget; stranger: Client; customers: Customers };
type WorkerFixtures = { run: Run; client: Client; kept: Kept };

/** A request that asks for patience takes none of its check's time. */
function extend(milliseconds: number): void {
  const info = base.info();
  info.setTimeout(info.timeout + milliseconds);
}

const checkTest = base.extend<Fixtures, WorkerFixtures>({
  budget: [{ requests: 1, customers: 1 }, { option: true }],

  run: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads a fixture's dependencies from this pattern
    async ({}, use) => {
      const run = publishedRun();
      if (!run) throw new SuiteFault('tests/support/setup.ts did not run');
      await use(run);
    },
    { scope: 'worker' },
  ],

  client: [
    async ({ run }, use) => {
      const client = connect(run, extend);
      await use(client);
      await client.dispose();
    },
    { scope: 'worker' },
  ],

  // biome-ignore lint/correctness/noEmptyPattern: as above
  kept: [({}, use) => use({}), { scope: 'worker' }],

  stranger: async ({ run }, use) => {
    const client = connect(run, extend);
    await use(client);
    await client.dispose();
  },

  customers: async ({ client, stranger, run, budget, kept }, use, info) => {
    const reason = outage(run);
    info.skip(reason !== undefined, `inconclusive: ${reason}`);
    const people = new People({
      seed: run.seed,
      name: [...info.titlePath, info.retry, info.repeatEachIndex].join(' › '),
      prefix: run.prefix,
      claim: (value) => claim(run, 'people', value, randomUUID()),
      overrides: run.overrides,
    });
    await use(new Customers({ client, stranger, run, stage: playwrightStage(info), budget, people, kept }));
  },
});

declare global {
  /** Set where the checks are collected for the proof of the suite and not run by Playwright. */
  var conformanceCollector: Declare | undefined;
}

/** Playwright's test with the customers of a check. */
export const test: Declare = globalThis.conformanceCollector ?? checkTest;
