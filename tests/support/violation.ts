import type { RequirementId } from '../../schemas/requirement-id.ts';
import type { Answer } from '../../target/answer.ts';
import type { Mismatch } from '../../target/mismatch.ts';
import { failure } from './matchers.ts';

/** Thrown by a case of a generated check that saw a requirement broken. */
export class Violation extends Error {
  override name = 'Violation';
  readonly requirement: RequirementId;
  readonly lines: readonly Mismatch[];

  /** `answer` is the last one, which shows what is wrong. */
  constructor(requirement: RequirementId, headline: string, lines: readonly Mismatch[], answer: Answer) {
    super(failure(headline, lines, answer));
    this.requirement = requirement;
    this.lines = lines;
  }
}
