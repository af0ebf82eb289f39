import type { Difference, State } from '../../generators/model.ts';
import type { RequirementId } from '../../schemas/requirement-id.ts';
import type { Answer } from '../../target/answer.ts';
import { Violation } from './cases.ts';
import type { Stored, TestCustomer } from './customers.ts';
import { describe, linesOf, matches } from './matchers.ts';

/** Holds the stored customer to a state. Throws Violation with the requirement that `of` names for the first difference. */
export async function assertState(
  stored: Stored,
  expected: State,
  of: (difference: Difference) => RequirementId,
  before: State = {},
): Promise<Answer> {
  const { pass, answer, differences } = await matches(stored, expected, before);
  if (pass) return answer;
  const [first] = differences ?? [];
  if (!first) {
    throw new Violation(
      'UPD-7',
      'the stored customer could not be read',
      [{ expected: `customerId ${stored.known.customerId}`, actual: describe(answer) }],
      answer,
    );
  }
  throw new Violation(of(first), 'the stored customer differs from the expected state', linesOf(differences ?? []), answer);
}

/** Asserts that a request was accepted (2xx) or refused (4xx). */
export function assertAcceptedOrRefused(answer: Answer): void {
  if (answer.ok() || answer.refused) return;
  throw new Violation(
    'REF-3',
    'the request was neither accepted nor refused',
    [{ expected: '200 or a 4xx', actual: describe(answer) }],
    answer,
  );
}

/** Asserts that a plain request was accepted. */
export function assertAccepted(requirement: RequirementId, answer: Answer): void {
  if (answer.ok()) return;
  throw new Violation(requirement, 'the request was not accepted', [{ expected: '200', actual: describe(answer) }], answer);
}

/** Asserts that an answer names this customer. */
export function assertNamed(requirement: RequirementId, answer: Answer, { customerId }: TestCustomer): void {
  if (answer.customer?.customerId === customerId) return;
  throw new Violation(
    requirement,
    'the answer names another customer',
    [{ expected: `customerId ${customerId}`, actual: describe(answer) }],
    answer,
  );
}
