import type { Ending } from '../schemas/outcomes.ts';
import type { RequirementId } from '../schemas/requirement-id.ts';

/** The type of the annotation that a check has for each of its attempts. Playwright's HTML report hides it for its underscore. */
export const ATTEMPT_TYPE = '_attempt';

/** What expectations were about: a requirement, or every requirement that the check names. */
export type Asserted = RequirementId | 'all';

/** What a worker records at the end of an attempt, as JSON in an annotation. */
export type AttemptRecord = {
  /** How many errors the check has by now. */
  errors: number;
  /** What expectations ran, whether they passed or failed. */
  asserted: Asserted[];
  /** Requirements that it saw broken by two requests: a second attempt has nothing to confirm. */
  confirmed?: RequirementId[];
  /** How it ended, if it ended without a judgement. */
  ended?: { ending: Ending; reason: string };
};
