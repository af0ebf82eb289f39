import { readdirSync } from 'node:fs';
import type { TestDetails } from '@playwright/test';
import { type Area, type GeneratedArea, isRequirementId } from '../schemas/catalogue.ts';
import type { RequirementId } from '../schemas/requirement-id.ts';
import type { CheckFixtures } from '../tests/support/fixtures.ts';
import { GENERATED } from '../tests/support/requirement.ts';
import { strict } from '../tests/support/strict.ts';

/** A check without the runner. Checks that one loop declares share their place, as `update.spec.ts:42`. */
export type Check = {
  title: string;
  area: Area | GeneratedArea;
  place: string;
  requirements: RequirementId[];
  generated: boolean;
  body: (fixtures: CheckFixtures) => Promise<void>;
};

/**
 * Imports the files of these areas and returns their checks. The files get a `test` that runs nothing; it throws by name what only
 * Playwright can do, such as `test.beforeEach`.
 */
export async function collectChecks(areas: readonly (Area | GeneratedArea)[]): Promise<Check[]> {
  const checks: Check[] = [];
  const titles: string[] = [];
  let area: Area | GeneratedArea = 'create';
  const add = (title: string, details: TestDetails, body: unknown) => {
    if (typeof body !== 'function') throw new Error(`the check “${title}” names no requirement: test('…', requirement('…'), async …)`);
    const tags = [details.tag ?? []].flat();
    const requirements = tags.map((id) => id.slice(1)).filter(isRequirementId);
    const [, place = ''] = /([\w-]+\.spec\.ts:\d+):\d+/.exec(new Error().stack ?? '') ?? [];
    const run = (fixtures: CheckFixtures) =>
      body(strict(fixtures, unable('a check with the fixture ')), strict({}, unable('a check with testInfo.')));
    checks.push({ title: [...titles, title].join(' › '), area, place, requirements, generated: tags.includes(GENERATED), body: run });
  };
  const describe = (title: unknown, declare: unknown) => {
    if (typeof title !== 'string' || typeof declare !== 'function')
      throw new Error('the proof runs test.describe with a title and a function');
    titles.push(title);
    declare();
    titles.pop();
  };
  globalThis.conformanceTest = strict(Object.assign(add, { describe: strict(describe, unable('test.describe.')) }), unable('test.'));
  const folder = new URL('../tests/', import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith('.spec.ts'));
  for (const each of areas) {
    area = each;
    for (const file of files) if (file.startsWith(`${each}.`) || file.startsWith(`${each}-`)) await import(new URL(file, folder).href);
  }
  return checks;
}

const unable = (what: string) => (name: string) =>
  new Error(`the proof cannot run ${what}${name}; use a helper function, or run the check by npm run conformance`);
