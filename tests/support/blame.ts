import type { Changes, Difference, State } from '../../generators/model.ts';
import type { RequirementId } from '../../schemas/requirement-id.ts';
import type { Answer } from '../../target/answer.ts';
import type { Known, Stored } from './customers.ts';
import { Violation } from './generated.ts';
import { describe, matches, told } from './matchers.ts';

/** A request and what the customer was before it: what is wrong afterwards breaks one requirement or another. */
export type Cause = {
  changes: Changes;
  before: State;
  /** Properties that were removed at any time before. */
  removed?: ReadonlySet<string>;
};

/** The requirement that a difference breaks. */
export function blame({ property }: Difference, { changes, before, removed }: Cause): RequirementId {
  const name = property.split('.')[0] ?? '';
  if (name in changes) {
    if (changes[name as keyof Changes] === null) return 'NULL-1';
    if (name in before) return 'UPD-2';
    return removed?.has(name) ? 'NULL-4' : 'UPD-3';
  }
  const nulls = Object.values(changes).includes(null);
  if (!(name in before)) return removed?.has(name) ? 'NULL-3' : 'UPD-4';
  return nulls && Object.values(changes).every((value) => value === null) ? 'NULL-5' : 'UPD-4';
}

/** Holds the stored customer to a state. Throws Violation with the requirement that `of` names for the first difference. */
export async function holdState(
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
  throw new Violation(of(first), 'the stored customer is not as it has to be', told(differences ?? []), answer);
}

/** Holds an answer to be one: accepted or refused. */
export function holdAnswered(answer: Answer): void {
  if (answer.accepted || answer.refused) return;
  throw new Violation(
    'REF-3',
    'the request was neither accepted nor refused',
    [{ expected: '200 or a 4xx', actual: describe(answer) }],
    answer,
  );
}

/** Holds a plain request to be accepted. */
export function holdAccepted(requirement: RequirementId, answer: Answer): void {
  if (answer.accepted) return;
  throw new Violation(requirement, 'the request was not accepted', [{ expected: '200', actual: describe(answer) }], answer);
}

/** Holds an answer to name this customer. */
export function holdNamed(requirement: RequirementId, answer: Answer, { customerId }: Known): void {
  if (answer.customer?.customerId === customerId) return;
  throw new Violation(
    requirement,
    'the answer names another customer',
    [{ expected: `customerId ${customerId}`, actual: describe(answer) }],
    answer,
  );
}
