import type { TestResult } from '@playwright/test/reporter';

/** The type of the annotation that a check has which failed, and was confirmed in its worker. Playwright's HTML report hides it. */
export const CONFIRMATION_TYPE = '_confirmation';

/** A second attempt within the result of the first. */
export type Confirmation = {
  /** How many errors the first attempt has; what follows are those of the second. */
  errors: number;
  /** How the second attempt ended, where no error ended it: empty, or why without a judgement. */
  ended?: string;
};

/** The second attempt that a result holds; undefined where it holds one attempt. */
export function confirmationOf({ annotations }: TestResult): Confirmation | undefined {
  const { description } = annotations.find(({ type }) => type === CONFIRMATION_TYPE) ?? {};
  return description === undefined ? undefined : JSON.parse(description);
}
