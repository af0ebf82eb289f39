import { expect as base } from '@playwright/test';
import { compare, type Difference, keptBy, type State, show } from '../../generators/model.ts';
import { type Json, sentences, validateAnswer } from '../../schemas/contract.ts';
import { of } from '../../schemas/mark.ts';
import type { RequirementId } from '../../schemas/requirement-id.ts';
import type { Answer } from '../../target/answer.ts';
import { curl } from '../../target/exchange.ts';
import { shorten } from '../../target/printable.ts';
import type { AnswerViolation } from './answer-violation.ts';
import { assertedBy, noteAsserted } from './asserted.ts';
import type { Stored } from './customers.ts';

/** Characters of an answer's body, and of a curl line, that a failure shows. */
export const SHOWN = { body: 500, curl: 4_000 };

/** A failure as every report shows it: what is wrong, expected, actual, and how to see it again; redacted. */
export function failure(headline: string, lines: { expected: string; actual: string }[], answer: Answer): string {
  const body = answer.text();
  const text = [
    headline,
    ...lines.flatMap(({ expected, actual }) => [`  expected: ${expected}`, `  actual:   ${actual}`]),
    ...(lines.length === 0 && body ? [`  answer:   ${shorten(body, SHOWN.body)}`] : []),
  ].join('\n');
  return `${answer.redact(text)}\n  curl:     ${shorten(curl(answer.exchange), SHOWN.curl)}`;
}

/** Differences as the lines of a failure. */
export const linesOf = (differences: Difference[]) =>
  differences.map(({ property, expected, actual }) => ({ expected: `${property} ${expected}`, actual: `${property} ${actual}` }));

function result(pass: boolean, message: () => string) {
  return { pass, message };
}

/** Reads a stored customer until it does not differ, or a read can no longer be behind. `asked`: what of it the expectation is about. */
async function settled(stored: Stored, expected: State, differ: (shown: State) => Difference[], asked = expected) {
  const { customerId } = stored.known;
  const differences = ({ customer }: Answer) => (customer?.customerId === customerId ? differ(customer) : undefined);
  const answer = await stored.settle(expected, (read) => differences(read)?.length === 0);
  const found = differences(answer);
  for (const name of found ? await stored.lost(asked, answer.customer ?? {}) : []) {
    found?.push({ property: name, expected: show(expected[name as keyof State] as Json), actual: 'absent' });
  }
  return {
    ...result(found?.length === 0, () =>
      found
        ? failure('the stored customer differs from the expected state', linesOf(found), answer)
        : failure('the stored customer could not be read', [{ expected: `customerId ${customerId}`, actual: describe(answer) }], answer),
    ),
    answer,
    differences: found,
  };
}

/**
 * Sees whether every one of these properties is stored as it was sent. `otherwise`: the requirement that keeps what is sent, where the
 * check itself is about text alone.
 */
export async function storedAsSent(stored: Stored, sent: State, otherwise?: RequirementId) {
  const differ = (shown: State) => {
    const names = Object.keys(sent).filter((name) => name in shown);
    return compare(sent, Object.fromEntries(names.map((name) => [name, shown[name as keyof State]])) as State);
  };
  const found = await settled(stored, { ...stored.known.state, ...sent }, differ, sent);
  const isOther = otherwise !== undefined && found.differences?.every((difference) => keptBy(difference, otherwise) === otherwise);
  return isOther ? { ...found, message: () => of(otherwise, found.message()) } : found;
}

/** Sees whether the stored customer is in this state, no more and no less. */
export async function matches(stored: Stored, expected: State, before: State = {}) {
  return await settled(stored, expected, (shown) => compare(expected, shown, before));
}

const extended = base.extend({
  /** The request was accepted: a 2xx. That it is a 200 and names the customer, every answer is held to (ANS-1, ANS-4). */
  toBeAccepted(answer: Answer) {
    return result(answer.ok(), () => failure('the request was not accepted', [{ expected: '200', actual: describe(answer) }], answer));
  },

  /** The request was refused: a 4xx. */
  toBeRefused(answer: Answer) {
    return result(answer.refused, () => failure('the request was not refused', [{ expected: 'a 4xx', actual: describe(answer) }], answer));
  },

  /** The request was accepted or refused; both are lawful. */
  toBeAcceptedOrRefused(answer: Answer) {
    return result(answer.ok() || answer.refused, () =>
      failure(
        of('REF-3', 'the request was neither accepted nor refused'),
        [{ expected: '200 or a 4xx', actual: describe(answer) }],
        answer,
      ),
    );
  },

  /** The body of a 200 validates against the published response. */
  toValidate(answer: Answer) {
    const valid = validateAnswer(answer.json());
    const wrong = sentences(validateAnswer.errors);
    return result(valid, () =>
      failure('the answer does not validate', [{ expected: 'the published response', actual: wrong.join('; ') }], answer),
    );
  },

  /** The request was refused, or the body of its 200 validates against the published response. */
  toBeRefusedOrValid(answer: Answer) {
    const valid = answer.refused || validateAnswer(answer.json());
    const wrong = sentences(validateAnswer.errors);
    return result(valid, () =>
      failure(
        'the request was neither refused nor answered with a valid customer',
        [{ expected: 'a 4xx, or the published response', actual: wrong.join('; ') }],
        answer,
      ),
    );
  },

  /** The answer contains none of these texts. */
  toContainNoneOf(answer: Answer, texts: readonly string[]) {
    const found = texts.filter((text) => answer.text().includes(text));
    return result(found.length === 0, () => failure(`the answer contains ${found.join(', ')}`, [], answer));
  },

  /** The answer names this customer and no other. */
  toName(answer: Answer, customerId: string) {
    return result(answer.customer?.customerId === customerId, () =>
      failure('the answer names another customer', [{ expected: `customerId ${customerId}`, actual: describe(answer) }], answer),
    );
  },

  /** Every one of these properties is stored as it was sent; what else the customer has is not judged. */
  toHaveStored: storedAsSent,

  /** The stored customer has none of these properties. */
  async toLack(stored: Stored, names: readonly string[], expected: State) {
    const differ = (shown: State) =>
      compare({}, Object.fromEntries(names.flatMap((name) => (name in shown ? [[name, shown[name as keyof State]]] : []))) as State);
    return await settled(stored, expected, differ, {});
  },

  /** The stored customer is in this state, no more and no less. `before`: the state that a merge of nested objects started from. */
  toMatchCustomer: matches,

  /** A generated check found no case that breaks a promise. */
  toHaveNoCounterexample(counterexample: string | undefined) {
    return result(counterexample === undefined, () => counterexample ?? '');
  },

  /** The answer keeps a promise that every answer makes; the message names the requirement. */
  toViolate(answer: Answer, violation: AnswerViolation) {
    return result(false, () => failure(of(violation.id, violation.message), violation.lines ?? [], answer));
  },
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

/** An answer in one line: its status and, of an error, what it says. */
export function describe(answer: Answer): string {
  return answer.text() ? `${answer} ${shorten(answer.redact(answer.text()), 300)}` : String(answer);
}
