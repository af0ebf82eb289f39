import type { TestDetails } from '@playwright/test';
import { isRequirementId } from '../../schemas/catalogue.ts';
import type { RequirementId } from '../../schemas/requirement-id.ts';
import type { Cases } from './cases.ts';
import type { Customers } from './customers.ts';
import { GENERATED } from './requirement.ts';

/** The body of a check. */
export type Body = (fixtures: { customers: Customers; cases: Cases }) => Promise<void>;
/** A check as the proof of the suite performs it; checks that one loop declares share their place, as `update.spec.ts:42`. */
export type Check = { title: string; place: string; requirements: RequirementId[]; generated: boolean; body: Body };

/** Playwright's `test`, as far as the files of checks use it. */
export type Declare = {
  (title: string, details: TestDetails, body: Body): void;
  describe(title: string, declare: () => void): void;
};

/** A `test` that performs nothing and keeps what it is given. */
export function collector(): { declare: Declare; checks: Check[] } {
  const checks: Check[] = [];
  const titles: string[] = [];
  const add = (title: string, { tag }: TestDetails, body: Body) => {
    const tags = [tag ?? []].flat();
    const requirements = tags.map((id) => id.slice(1)).filter(isRequirementId);
    const generated = tags.includes(GENERATED);
    const place = /(\w+\.spec\.ts:\d+):\d+/.exec(new Error().stack ?? '')?.[1] ?? '';
    checks.push({ title: [...titles, title].join(' › '), place, requirements, generated, body });
  };
  const describe = (title: string, declare: () => void) => {
    titles.push(title);
    declare();
    titles.pop();
  };
  return { declare: Object.assign(add, { describe }), checks };
}
