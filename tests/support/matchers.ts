import { expect as base } from '@playwright/test';
import { compare, type Difference, keptBy, type State, show } from '../../generators/model.ts';
import { type Json, sentences, validateAnswer } from '../../schemas/contract.ts';
import { of } from '../../schemas/mark.ts';
import type { RequirementId } from '../../schemas/requirement-id.ts';
import type { Answer } from '../../target/answer.ts';
import { curl } from '../../target/exchange.ts';
import type { Mismatch } from '../../target/mismatch.ts';
import { shorten } from '../../target/printable.ts';
import type { AnswerViolation } from './answer-violation.ts';
import { assertedBy, noteAsserted } from './asserted.ts';
import type { Stored } from './stored.ts';
import { pick } from './test-customer.ts';

/** Characters of an answer's body, and of a curl line, that a failure shows. */
export const SHOWN = { body: 500, curl: 4_000 };

/** A failure as every report shows it: what is wrong, expected, actual, and how to see it again; redacted. */
export function failure(headline: string, lines: readonly Mismatch[], answer: Answer): string {
  const text = [
    headline,
    ...lines.flatMap(({ expected, actual }) => [`  expected: ${expected}`, `  actual:   ${actual}`]),
    ...(lines.length === 0 && answer.text() ? [`  answer:   ${answer.redact(answer.text(), SHOWN.body)}`] : []),
  ].join('\n');
  return `${answer.redact(text)}\n  curl:     ${shorten(curl(answer.exchange), SHOWN.curl)}`;
}

/** Differences as the lines of a failure. */
export const linesOf = (differences: Difference[]) =>
  differences.map(({ property, expected, actual }) => ({ expected: `${property} ${expected}`, actual: `${property} ${actual}` }));

/** The result of a matcher. `requirement`: the requirement that fails, if it is not the one that the check is about. */
export type MatcherResult = {
  pass: boolean;
  headline: string;
  lines: Mismatch[];
  answer: Answer;
  requirement?: RequirementId;
  message: () => string;
};

function result(pass: boolean, headline: string, lines: Mismatch[], answer: Answer, requirement?: RequirementId): MatcherResult {
  const message = () => (requirement === undefined ? '' : of(requirement, '')) + failure(headline, lines, answer);
  return { pass, headline, lines, answer, message, ...(requirement && { requirement }) };
}

/** The result of a matcher of a stored customer. `differences`: undefined if it could not be read. */
export type StoredResult = MatcherResult & { differences: Difference[] | undefined };

/** Reads a stored customer until it does not differ, or a read can no longer lag. `asked`: the properties that the expectation is about. */
async function settled(
  stored: Stored,
  expected: State,
  differ: (shown: State) => Difference[],
  { asked = expected, otherwise }: { asked?: State; otherwise?: RequirementId | undefined } = {},
): Promise<StoredResult> {
  const { customerId } = stored.customer;
  const differencesOf = ({ customer }: Answer) => (customer?.customerId === customerId ? differ(customer) : undefined);
  const answer = await stored.settle(expected, (read) => differencesOf(read)?.length === 0);
  const differences = differencesOf(answer);
  if (!differences) {
    const lines = [{ expected: `customerId ${customerId}`, actual: describe(answer) }];
    return { ...result(false, 'the stored customer could not be read', lines, answer), differences };
  }
  for (const name of await stored.lost(asked, answer.customer ?? {})) {
    differences.push({ property: name, expected: show(expected[name as keyof State] as Json), actual: 'absent' });
  }
  const isOther = otherwise !== undefined && differences.every((difference) => keptBy(difference, otherwise) === otherwise);
  const headline = 'the stored customer differs from the expected state';
  return { ...result(differences.length === 0, headline, linesOf(differences), answer, isOther ? otherwise : undefined), differences };
}

/** The suite's matchers. They assert nothing: `expect` makes expectations of them, and `assert` the assertions of generated checks. */
export const matchers = {
  /** The request was accepted: a 2xx. That it is a 200 and names the customer is checked of every answer (ANS-1, ANS-4). */
  toBeAccepted: (answer: Answer) =>
    result(answer.ok(), 'the request was not accepted', [{ expected: '200', actual: describe(answer) }], answer),

  /** The request was refused: a 4xx. */
  toBeRefused: (answer: Answer) =>
    result(answer.refused, 'the request was not refused', [{ expected: 'a 4xx', actual: describe(answer) }], answer),

  /** The request was accepted or refused; both are allowed. */
  toBeAcceptedOrRefused: (answer: Answer) =>
    result(
      answer.ok() || answer.refused,
      'the request was neither accepted nor refused',
      [{ expected: '200 or a 4xx', actual: describe(answer) }],
      answer,
      'REF-3',
    ),

  /** The body of a 200 validates against the published response. */
  toValidate(answer: Answer) {
    const valid = validateAnswer(answer.json());
    const wrong = sentences(validateAnswer.errors).join('; ');
    return result(valid, 'the answer does not validate', [{ expected: 'the published response', actual: wrong }], answer);
  },

  /** The request was refused, or the body of its 200 validates against the published response. */
  toBeRefusedOrValid(answer: Answer) {
    const valid = answer.refused || validateAnswer(answer.json());
    const wrong = sentences(validateAnswer.errors).join('; ');
    const lines = [{ expected: 'a 4xx, or the published response', actual: wrong }];
    return result(valid, 'the request was neither refused nor answered with a valid customer', lines, answer);
  },

  /** The answer contains none of these texts. */
  toContainNoneOf(answer: Answer, texts: readonly string[]) {
    const found = texts.filter((text) => answer.text().includes(text));
    return result(found.length === 0, `the answer contains ${found.join(', ')}`, [], answer);
  },

  /** The answer names this customer and no other. */
  toName: (answer: Answer, customerId: string) =>
    result(
      answer.customer?.customerId === customerId,
      'the answer names another customer',
      [{ expected: `customerId ${customerId}`, actual: describe(answer) }],
      answer,
    ),

  /**
   * Every one of these properties is stored as it was sent; other properties are not compared. `otherwise`: the requirement that keeps what
   * is sent, if the check itself is about text only.
   */
  toHaveStored(stored: Stored, sent: State, otherwise?: RequirementId) {
    const differ = (shown: State) => compare(sent, pick(shown, Object.keys(sent)));
    return settled(stored, { ...stored.customer.state, ...sent }, differ, { asked: sent, otherwise });
  },

  /** The stored customer has none of these properties. */
  toLack: (stored: Stored, names: readonly string[], expected: State) =>
    settled(stored, expected, (shown) => compare({}, pick(shown, names)), { asked: {} }),

  /** The stored customer is in this state, no more and no less. `before`: the state that a merge of nested objects started from. */
  toMatchCustomer: (stored: Stored, expected: State, before: State = {}) =>
    settled(stored, expected, (shown) => compare(expected, shown, before)),

  /** The answer keeps a promise that every answer makes; the message names the requirement. */
  toViolate: (answer: Answer, { id, message, lines = [] }: AnswerViolation) => result(false, message, lines, answer, id),
};

const extended = base.extend({
  ...matchers,

  /** A generated check found no case that breaks a promise. */
  toHaveNoCounterexample: (counterexample: string | undefined) => ({
    pass: counterexample === undefined,
    message: () => counterexample ?? '',
  }),
});

/** Records an expectation once its matcher is asked for. */
function recorded<Assertions extends object>(assertions: Assertions, message: unknown): Assertions {
  return new Proxy(assertions, {
    get: (target, matcher) => {
      // It asserts REF-3, whatever the check is about.
      noteAsserted(matcher === 'toBeAcceptedOrRefused' ? 'REF-3' : assertedBy(message));
      return Reflect.get(target, matcher);
    },
  });
}

/** Playwright's expect with the suite's own matchers; which requirements were asserted is recorded. */
export const expect = new Proxy(extended, {
  apply: (target, _self, [actual, message]) => recorded(target(actual, message), message),
  get: (target, name) => {
    if (name !== 'soft') return Reflect.get(target, name);
    return ((actual, message) => recorded(target.soft(actual, message), message)) as typeof extended.soft;
  },
});

/** An answer in one line: its status and the beginning of its body. */
export function describe(answer: Answer): string {
  return answer.text() ? `${answer} ${answer.redact(answer.text(), 300)}` : String(answer);
}
