import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { collectChecks } from '../proof/check-collector.ts';
import { conformance, run } from './command.ts';

/** Checks that use what Playwright has and the suite's own checks do not. */
const CHECKS = `
import { expect, requirement, test } from '../../../tests/support/fixtures.ts';

test.describe.configure({ timeout: 30_000 });
test.use({ budget: { requests: 5, customers: 2 } });
let hooks = 0;
test.beforeEach(({ customers }) => { hooks += Number(customers !== undefined); });

test.skip('is skipped', requirement('NULL-1'), async () => {});

test('uses a hook and a fixture of Playwright', requirement('CRE-1'), async ({ customers, people, request }, info) => {
  expect([hooks, typeof request.get, info.title]).toEqual([1, 'function', 'uses a hook and a fixture of Playwright']);
  const answer = await customers.create(people.plain());
  expect(answer).toBeAccepted();
  expect([answer.ok(), answer.status(), answer.headers()['content-type']]).toEqual([true, 200, expect.stringContaining('json')]);
  expect(await answer.json()).toEqual(JSON.parse(await answer.text()));
});

test('fails with a fixture of Playwright', requirement('CRE-2'), async ({ customers, people, request }) => {
  await request.dispose();
  expect(await customers.create(people.plain())).toBeRefused();
});

test('fails', requirement('CRE-3'), async ({ customers, people }) => {
  expect(await customers.create(people.plain())).toBeRefused();
});

test('is over its budget', requirement('CRE-4'), async ({ customers, people }) => {
  for (let count = 0; count < 6; count += 1) expect(await customers.create(people.plain())).toBeAccepted();
});
`;

const CONFIG = `
import config from '../../../playwright.config.ts';
export default { ...config, testDir: '.', globalSetup: '../../../tests/support/setup.ts', projects: [{ name: 'own', testMatch: 'own.spec.ts' }], reporter: [['../../../reports/reporter.ts']] };
`;

test('a check may use all of Playwright, in a run', async () => {
  const folder = new URL('out/', import.meta.url).pathname;
  mkdirSync(folder, { recursive: true });
  const own = mkdtempSync(join(folder, 'own-'));
  writeFileSync(join(own, 'own.spec.ts'), CHECKS);
  writeFileSync(join(own, 'own.config.ts'), CONFIG);

  const { code, output, result } = await conformance({}, '--config', join(own, 'own.config.ts'));

  expect(code, output).toBe(1);
  const outcomes = Object.fromEntries(result().requirements.map(({ id, outcome }) => [id, outcome]));
  expect(outcomes).toMatchObject({
    'CRE-1': 'passed',
    'CRE-2': 'failed',
    'CRE-3': 'failed',
    'CRE-4': 'inconclusive',
    'NULL-1': 'inconclusive',
  });
  expect(output).toContain('CRE-4: inconclusive: the check needs more than the 5 requests that tests/budgets.ts gives a check of its area');
});

test('the proof refuses by name what only Playwright can do', async () => {
  const before = globalThis.conformanceTest;
  const body = () => Promise.resolve();
  await collectChecks([]);
  const collecting = globalThis.conformanceTest as typeof test;
  globalThis.conformanceTest = before;

  expect(() => collecting.beforeEach(body)).toThrow('the proof cannot run test.beforeEach; use a helper function');
  expect(() => collecting.only('a check', body)).toThrow('the proof cannot run test.only');
  expect(() => collecting.describe.configure({})).toThrow('the proof cannot run test.describe.configure');
  expect(() => collecting('a check', body)).toThrow('the check “a check” names no requirement');
});

test('loading the configuration ends no process: a wrong setting is an error with one line', async () => {
  const { code, output } = await run('node_modules/@playwright/test/cli.js', { TRUSTLY_SEED: 'abc' }, ['test', '--list']);

  expect(code).toBe(1);
  expect(output).toMatch(/TRUSTLY_SEED is “abc”; write an integer/);
  expect(output).not.toMatch(/^\s+at /m);
});
