import { stripVTControlCharacters } from 'node:util';
import type { TestCase, TestResult, TestStep } from '@playwright/test/reporter';
import { isRequirementId, type Requirement } from '../schemas/catalogue.ts';
import { readMark } from '../schemas/mark.ts';
import { type Outcome, outcomes } from '../schemas/outcomes.ts';
import type { RequirementId } from '../schemas/requirement-id.ts';
import { type Asserted, ATTEMPT_TYPE, type AttemptRecord } from '../target/attempt.ts';

/** What one check says of one requirement. */
export type Judgement = { requirement: RequirementId; outcome: Outcome; message: string | null };

/** What one attempt of a check says: of the requirements it names, and of others that it saw broken on its way. */
export type Attempt = {
  own: { outcome: Outcome | 'no-response'; message: string | null };
  /** The requirements that its errors name by a mark, as `[NULL-1]`, and what they say. */
  marked: Map<RequirementId, string>;
  /** What its expectations were about. */
  asserted: readonly Asserted[];
  /** What needs no second attempt. */
  confirmed: readonly RequirementId[];
  /** The suite's own fault, which says nothing of the target. */
  fault?: string;
};

/** An error that ended an attempt or was noted on its way; `asserted`: by an expectation, and not by accident. */
export type Failure = { message: string; asserted: boolean };

/** The requirement that fails if a request gets no answer; the check itself could not be judged. */
const NO_RESPONSE = 'REF-3';

/** The requirements that a check names by its tags. */
export function requirementsOf(test: TestCase): RequirementId[] {
  return test.tags.map((tag) => tag.slice(1)).filter(isRequirementId);
}

/** What a check that Playwright ran says of each requirement that it names or saw broken; `faults` are the suite's own. */
export function judge(test: TestCase): { judgements: Judgement[]; faults: string[] } {
  const attempts = test.results.filter(({ status }) => status !== 'interrupted').flatMap(attemptsOf);
  return settleAll({ requirements: requirementsOf(test), generated: test.tags.includes('@generated') }, attempts);
}

/** Why a check was left out of a run by choice; undefined if it was not. */
export function leftOut(test: TestCase): string | undefined {
  const { ended } = recordsOf(test.results.at(-1)).at(-1) ?? {};
  return ended?.ending === 'left-out' ? ended.reason : undefined;
}

/**
 * What a check says of each requirement that it names or saw broken, after one attempt or two. A generated check looks at all that it names
 * in every case, so that where one of them breaks, it saw no other break.
 */
export function settleAll(
  { requirements: named, generated }: { requirements: readonly RequirementId[]; generated: boolean },
  attempts: readonly Attempt[],
): { judgements: Judgement[]; faults: string[] } {
  const faults = attempts.flatMap(({ fault }) => fault ?? []);
  const [first, last] = [attempts[0], attempts.at(-1)];
  if (!first || !last) {
    return { judgements: named.map((requirement) => ({ requirement, outcome: 'inconclusive', message: 'the check was not run' })), faults };
  }
  const confirmed = attempts.length > 1;
  const isConfirmed = (requirement: RequirementId) =>
    first.confirmed.includes(requirement) || (last.marked.has(requirement) && first.marked.has(requirement));
  const own = named.map((requirement): Judgement => {
    if (isConfirmed(requirement))
      return { requirement, outcome: 'failed', message: (last.marked.get(requirement) ?? first.marked.get(requirement)) as string };
    const [before, after] = [first, last].map((one) => shareOf(one, requirement, generated ? undefined : named)) as [
      Attempt['own'],
      Attempt['own'],
    ];
    return { requirement, ...settle(before, after, confirmed) };
  });
  const others = new Set([...first.marked.keys(), ...last.marked.keys()].filter((id) => !named.includes(id)));
  const judgements = [
    ...own,
    ...[...others].map((requirement): Judgement => {
      const message = last.marked.get(requirement) ?? first.marked.get(requirement) ?? null;
      if (isConfirmed(requirement)) return { requirement, outcome: 'failed', message };
      return { requirement, outcome: last.own.outcome === 'inconclusive' ? 'inconclusive' : 'flaky', message };
    }),
  ];
  if (first.own.outcome === 'no-response' && last.own.outcome === 'no-response') {
    const { message } = last.own;
    return {
      judgements: [
        ...judgements.filter(({ requirement }) => requirement !== NO_RESPONSE),
        { requirement: NO_RESPONSE, outcome: 'failed', message },
      ],
      faults,
    };
  }
  return { judgements, faults };
}

/**
 * What an attempt says of one requirement that its check names. An error without a mark counts for every requirement; one with a mark counts only for its
 * requirement's alone, and what the check names after that one was not reached. A check names requirements in the order it asks for them.
 * If no expectation of a requirement ran, nothing was judged by it. `named`: what the check names; of a generated one it is left out.
 */
function shareOf({ own, marked, asserted }: Attempt, requirement: RequirementId, named?: readonly RequirementId[]): Attempt['own'] {
  const message = marked.get(requirement);
  if (message !== undefined) return { outcome: 'failed', message };
  if (own.outcome !== 'passed' || !named) return own;
  const failed = named.find((id) => marked.has(id));
  if (failed !== undefined && named.indexOf(requirement) > named.indexOf(failed)) {
    return { outcome: 'not-testable', message: `${failed} failed earlier in the same check` };
  }
  if (asserted.includes(requirement) || asserted.includes('all')) return own;
  return { outcome: 'not-applicable', message: 'no answer contained anything to check it on' };
}

/** Combines two attempts into one outcome: a failure is confirmed if fresh data fail too. */
function settle(first: Attempt['own'], last: Attempt['own'], confirmed: boolean): { outcome: Outcome; message: string | null } {
  if (last.outcome === 'failed') return { outcome: 'failed', message: last.message };
  if (last.outcome === 'no-response') return { outcome: 'not-testable', message: last.message?.split('\n')[0] ?? null };
  if (!confirmed || first.outcome === 'passed') return { outcome: last.outcome, message: last.message };
  // A target that was out of order for a moment is not wrong for it; nor is a failure confirmed by a check that could not be run again.
  if (first.outcome === 'no-response' || last.outcome === 'inconclusive') return { outcome: 'inconclusive', message: first.message };
  if (first.outcome === 'failed') return { outcome: 'flaky', message: first.message };
  return { outcome: last.outcome, message: last.message };
}

/** What the worker recorded of each attempt of a result. */
function recordsOf(result: TestResult | undefined): AttemptRecord[] {
  const records = result?.annotations.filter(({ type, description }) => type === ATTEMPT_TYPE && description) ?? [];
  return records.map(({ description }) => JSON.parse(description as string));
}

/** The attempts of a result: one, or two if the failure was confirmed in the same worker. */
function attemptsOf(result: TestResult): Attempt[] {
  const asserted = new Set(assertions(result.steps));
  const failures = result.errors.map((error): Failure => {
    const message = error.message ?? error.value ?? 'an error without a message';
    const place = error.location ? ` (${error.location.file}:${error.location.line})` : '';
    return asserted.has(message) ? { message, asserted: true } : { message: `${message}${place}`, asserted: false };
  });
  const [first = recordOf(result), second] = recordsOf(result);
  const [before, after] = [failures.slice(0, first.errors), failures.slice(first.errors)];
  // Errors without a record: the second attempt took too long.
  const confirmation = second ?? (after.length > 0 ? { asserted: [] } : undefined);
  return [toAttempt(before, first), ...(confirmation ? [toAttempt(after, confirmation)] : [])];
}

/** A result that no fixture recorded: the test was skipped, or it ended before its fixtures were torn down. */
function recordOf({ status, errors, annotations }: TestResult): AttemptRecord {
  const { description: reason = 'the check was skipped' } = annotations.find(({ type }) => type === 'skip') ?? {};
  return { errors: errors.length, asserted: [], ...(status === 'skipped' && { ended: { ending: 'inconclusive', reason } }) };
}

/** What an attempt says by its errors, by what it asserted, and by the reason that it gave if it ended without a judgement. */
export function toAttempt(failures: readonly Failure[], { asserted, confirmed = [], ended }: Omit<AttemptRecord, 'errors'>): Attempt {
  const marked = new Map<RequirementId, string>();
  let own: Attempt['own'] = { outcome: 'passed', message: null };
  // Only a part of what a check does is left out when it ends in the middle.
  if (ended) own = { outcome: ended.ending === 'left-out' ? 'inconclusive' : ended.ending, message: ended.reason };
  let fault: string | undefined;
  for (const { message, asserted } of failures) {
    // Playwright sets the message of an expectation apart by an empty line.
    const text = stripVTControlCharacters(message)
      .replace(/^Error: /, '')
      .replace(/^([^\n]+)\n\n(?=\S)/, '$1: ');
    const mark = readMark(text);
    if (mark && isRequirementId(mark.id)) marked.set(mark.id, mark.message);
    else if (mark) fault = `the catalogue has no requirement ${mark.id}: ${mark.message}`;
    else if (text.startsWith('NoResponse: ')) own = { outcome: 'no-response', message: text.replace('NoResponse: ', '') };
    else if (/^(Test timeout of|Tearing down "attempt" exceeded the test timeout of) \d+ms/.test(text))
      own = { outcome: 'inconclusive', message: 'the target is too slow for the check' };
    else if (asserted) own = { outcome: 'failed', message: text };
    else fault = text;
  }
  return { own, marked, asserted, confirmed, ...(fault !== undefined && { fault }) };
}

/** The messages of every failed expectation. */
function assertions(steps: TestStep[]): string[] {
  return steps.flatMap((step) => [
    ...(step.category === 'expect' && step.error?.message ? [step.error.message] : []),
    ...assertions(step.steps),
  ]);
}

/** The worst of several outcomes. */
export function worst(found: readonly Outcome[]): Outcome | undefined {
  return outcomes.find((outcome) => found.includes(outcome));
}

/** Why a requirement is not judged in a run that has no check of it. */
export function omission({ unchecked }: Requirement): string {
  return unchecked ?? 'left out of this run';
}
