import { mkdirSync, writeFileSync } from 'node:fs';
import { test as base, expect } from '@playwright/test';
import { requirementOf } from '../schemas/catalogue.ts';
import type { RequirementId } from '../schemas/requirement-id.ts';
import { isNightly, PROOF, type ProofRow } from './catches.ts';
import { CheckWorker } from './check-worker.ts';
import { brokenServers, conformingServer, generatedOnlyServers, lawfulServers } from './servers.ts';

// A fixture and no hook: the runner would keep all tests of a file with a hook in as many groups as it has workers.
const test = base.extend<object, { worker: CheckWorker }>({
  worker: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of fixtures here
    async ({}, use) => {
      const worker = new CheckWorker();
      await use(worker);
      worker.close();
    },
    { scope: 'worker' },
  ],
});

/** Keeps a row for the table. */
function keep(row: ProofRow): void {
  mkdirSync(PROOF, { recursive: true });
  writeFileSync(new URL(`${row.server}.json`, PROOF), JSON.stringify(row));
}

test.describe('a broken server is caught', () => {
  for (const { name, why, breaks } of brokenServers) {
    test(name, async ({ worker }) => {
      const { checkRuns, requests, seconds } = await worker.run({ server: name, requirements: breaks, until: breaks[0] });

      const failures = checkRuns.flatMap(({ title, judgements }) =>
        judgements
          .filter(({ requirement, outcome }) => outcome === 'failed' && breaks.includes(requirement))
          .map(({ requirement, message }) => ({ requirement, check: title, message: message ?? '' })),
      );
      // The first check that fails tells of each requirement.
      const caught = failures.filter(
        ({ requirement }, index) => failures.findIndex((other) => other.requirement === requirement) === index,
      );
      expect(
        checkRuns.flatMap(({ faults }) => faults),
        'faults of the suite',
      ).toEqual([]);
      const outcomes = checkRuns.map(
        ({ title, judgements }) => `${title}: ${judgements.map(({ requirement, outcome }) => `${requirement} ${outcome}`).join(', ')}`,
      );
      expect(caught, `no check of ${breaks.join(', ')} fails on a server where: ${why}\n${outcomes.join('\n')}\n`).not.toEqual([]);
      keep({ server: name, kind: 'broken', why, breaks: [...breaks], caught, requests, seconds });
    });
  }
});

test.describe('a broken server that no example shows is caught', () => {
  for (const { name, why, breaks } of generatedOnlyServers) {
    test(name, async ({ worker }) => {
      const order = { server: name, requirements: breaks, until: breaks[0], generated: { seed: 1, depth: 'standard' } } as const;
      const { checkRuns } = await worker.run(order);

      const failed = checkRuns.flatMap(({ judgements }) => judgements.filter(({ outcome }) => outcome === 'failed'));
      expect(
        checkRuns.flatMap(({ faults }) => faults),
        'faults of the suite',
      ).toEqual([]);
      expect(
        failed.some(({ requirement }) => breaks.includes(requirement)),
        `generated checks of ${breaks.join(', ')} fail on a server where: ${why}`,
      ).toBe(true);
    });
  }
});

test.describe('a lawful server is not accused', () => {
  for (const { name, why, limits } of [conformingServer, ...lawfulServers]) {
    test(name, { tag: isNightly(name) ? '@nightly' : [] }, async ({ worker }) => {
      const { checkRuns: examples, requests, seconds } = await worker.run({ server: name });
      // Of those that `npm test` performs, the generated checks come to the one that uses everything: the others are `npm run proof`'s.
      const both = isNightly(name) || name === 'most-lenient' || name === 'conforming';
      const generated = both ? await worker.run({ server: name, generated: { seed: 1, depth: 'quick' } }) : { checkRuns: [] };

      const checkRuns = [...examples, ...generated.checkRuns];
      const isAccusation = (id: RequirementId) => requirementOf(id).level === 'MUST' || !limits.includes(id);
      const accused = checkRuns.flatMap(({ title, judgements }) =>
        judgements
          .filter(({ requirement, outcome }) => !['passed', 'not-applicable'].includes(outcome) && isAccusation(requirement))
          .map(({ requirement, outcome, message }) => `${requirement} ${outcome} (${title}): ${message}`),
      );
      expect(
        checkRuns.flatMap(({ faults }) => faults),
        'faults of the suite',
      ).toEqual([]);
      expect(accused, `what a server is accused of where: ${why}`).toEqual([]);
      keep({ server: name, kind: 'lawful', why, requests, seconds });
    });
  }
});

test.describe('a lawful server that shows nothing to check does not pass', () => {
  for (const [server, requirements] of [
    ['timestamps-left-out', ['UPD-5', 'UPD-6', 'VAL-3', 'VAL-4']],
    ['driver-license-withheld', ['VAL-2']],
  ] as const) {
    for (const requirement of requirements) {
      test(`${requirement}, ${server}`, async ({ worker }) => {
        const { checkRuns } = await worker.run({ server, requirements: [requirement] });

        const found = checkRuns.flatMap(({ judgements }) => judgements).filter((judgement) => judgement.requirement === requirement);
        expect(found.length).toBeGreaterThan(0);
        expect(new Set(found.map(({ outcome }) => outcome))).toEqual(new Set(['not-applicable']));
      });
    }
  }
});

test.describe('a lawful server that has the customers of an earlier run is not accused', () => {
  for (const server of ['duplicate-phone-refused', 'duplicate-tax-id-refused']) {
    test(server, async ({ worker }) => {
      const { checkRuns } = await worker.run({ server, requirements: ['CRE-1'], earlier: true });

      const outcomes = checkRuns.flatMap(({ judgements }) => judgements.map(({ outcome }) => outcome));
      expect(outcomes).toContain('inconclusive');
      expect(outcomes).not.toContain('failed');
    });
  }
});
