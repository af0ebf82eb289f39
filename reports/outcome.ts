import { stripVTControlCharacters } from 'node:util';
import type { TestCase, TestResult, TestStep } from '@playwright/test/reporter';
import { catalogue, type Requirement } from '../schemas/catalogue.ts';
import { confirmationOf } from './confirmation.ts';

/** What became of a requirement, the worst first: of several checks the worst decides. */
export const outcomes = ['failed', 'flaky', 'inconclusive', 'not-testable', 'passed', 'not-applicable'] as const;
/** What became of a requirement, or of one check of it. */
export type Outcome = (typeof outcomes)[number];

/** What one check says of one requirement. */
export type Finding = { requirement: string; outcome: Outcome; message: string | null };

/** What one attempt of a check says: of the requirements it names, and of others that it saw broken on its way. */
export type Attempt = {
  own: { outcome: Outcome | 'unanswered'; message: string | null };
  /** The requirements that its errors name by a mark, as `[NULL-1]`, and what they say. */
  marked: Map<string, string>;
  /** The suite's own fault, which says nothing of the target. */
  fault?: string;
};

/** An error that ended an attempt or was noted on its way; `asserted`: by an expectation, and not by accident. */
export type Failure = { message: string; asserted: boolean };

/** The requirement that a request breaks which gets no answer; what its check is about could not be seen. */
const UNANSWERED = 'REF-3';
const MARK = /^\[([A-Z]+-\d+)\] /;
/** How the reason of a check begins that was left out by choice. */
const LEFT_OUT = 'left out';
const SKIPPED: Record<string, Outcome> = {
  'not testable': 'not-testable',
  'not applicable': 'not-applicable',
  inconclusive: 'inconclusive',
};

/** The requirements that a check names by its tags. */
export function requirementsOf(test: TestCase): string[] {
  const ids = new Set(catalogue.map(({ id }) => id));
  return test.tags.map((tag) => tag.slice(1)).filter((id) => ids.has(id));
}

/** What a check that Playwright ran says of each requirement that it names or saw broken; `faults` are the suite's own. */
export function judge(test: TestCase): { findings: Finding[]; faults: string[] } {
  const attempts = test.results.filter(({ status }) => status !== 'interrupted').flatMap(attemptsOf);
  return settleAll({ requirements: requirementsOf(test), generated: test.tags.includes('@generated') }, attempts);
}

/** Why a check was left out of a run by choice; undefined where it was not. */
export function leftOut(test: TestCase): string | undefined {
  const [word, ...rest] = skipOf(test.results.at(-1))?.split(': ') ?? [];
  return word === LEFT_OUT ? rest.join(': ') : undefined;
}

/**
 * What a check says of each requirement that it names or saw broken, after one attempt or two. A generated check looks at all that it names
 * in every case, so that where one of them breaks, it saw no other break.
 */
export function settleAll(
  { requirements: named, generated }: { requirements: readonly string[]; generated: boolean },
  attempts: readonly Attempt[],
): { findings: Finding[]; faults: string[] } {
  const faults = attempts.flatMap(({ fault }) => fault ?? []);
  const [first, last] = [attempts[0], attempts.at(-1)];
  if (!first || !last) {
    return { findings: named.map((requirement) => ({ requirement, outcome: 'inconclusive', message: 'the check was not run' })), faults };
  }
  const confirmed = attempts.length > 1;
  const own = named.map((requirement): Finding => {
    const [before, after] = [first, last].map((one) => shareOf(one, requirement, generated ? [] : named)) as [
      Attempt['own'],
      Attempt['own'],
    ];
    return { requirement, ...settle(before, after, confirmed) };
  });
  const others = new Set([...first.marked.keys(), ...last.marked.keys()].filter((id) => !named.includes(id)));
  const findings = [
    ...own,
    ...[...others].map((requirement): Finding => {
      const message = last.marked.get(requirement) ?? first.marked.get(requirement) ?? null;
      return { requirement, outcome: last.marked.has(requirement) && first.marked.has(requirement) ? 'failed' : 'flaky', message };
    }),
  ];
  if (first.own.outcome === 'unanswered' && last.own.outcome === 'unanswered') {
    const { message } = last.own;
    return {
      findings: [
        ...findings.filter(({ requirement }) => requirement !== UNANSWERED),
        { requirement: UNANSWERED, outcome: 'failed', message },
      ],
      faults,
    };
  }
  return { findings, faults };
}

/**
 * What an attempt says of one requirement that its check names. An error without a mark is everybody's; one with a mark is its
 * requirement's alone, and what the check names after that one was not reached. A check names requirements in the order it asks for them.
 */
function shareOf({ own, marked }: Attempt, requirement: string, named: readonly string[]): Attempt['own'] {
  const message = marked.get(requirement);
  if (message !== undefined) return { outcome: 'failed', message };
  if (own.outcome !== 'passed') return own;
  const failed = named.find((id) => marked.has(id));
  const reached = failed === undefined || named.indexOf(requirement) < named.indexOf(failed);
  return reached ? own : { outcome: 'not-testable', message: `${failed} failed before it in the same check` };
}

/** Two attempts in one outcome: a failure stands where fresh data fail too. */
function settle(first: Attempt['own'], last: Attempt['own'], confirmed: boolean): { outcome: Outcome; message: string | null } {
  if (last.outcome === 'failed') return { outcome: 'failed', message: last.message };
  if (last.outcome === 'unanswered') return { outcome: 'not-testable', message: last.message?.split('\n')[0] ?? null };
  if (!confirmed || first.outcome === 'passed') return { outcome: last.outcome, message: last.message };
  // A target that was out of order for a moment is not wrong for it; nor is a failure confirmed by a check that could not be run again.
  if (first.outcome === 'unanswered' || last.outcome === 'inconclusive') return { outcome: 'inconclusive', message: first.message };
  if (first.outcome === 'failed') return { outcome: 'flaky', message: first.message };
  return { outcome: last.outcome, message: last.message };
}

const skipOf = (result: TestResult | undefined) =>
  result?.annotations.find(({ type, description }) => type === 'skip' && description)?.description;

/** The attempts of a result: one, or two where the failure was confirmed in the same worker. */
function attemptsOf(result: TestResult): Attempt[] {
  const skip = skipOf(result);
  if (result.status === 'skipped' && result.errors.length === 0) return [toAttempt([], skip ?? '')];
  const asserted = new Set(assertions(result.steps));
  const failures = result.errors.map((error): Failure => {
    const message = error.message ?? error.value ?? 'an error without a message';
    const place = error.location ? ` (${error.location.file}:${error.location.line})` : '';
    return asserted.has(message) ? { message, asserted: true } : { message: `${message}${place}`, asserted: false };
  });
  const { errors = failures.length, ended } = confirmationOf(result) ?? {};
  const [first, second] = [failures.slice(0, errors), failures.slice(errors)];
  // Neither an end nor an error: there was no second attempt, or it was interrupted.
  const confirmed = ended !== undefined || second.length > 0;
  return [toAttempt(first, skip), ...(confirmed ? [toAttempt(second, ended || undefined)] : [])];
}

/** What an attempt says by its errors, and by the reason that it gave where it ended without a judgement. */
export function toAttempt(failures: readonly Failure[], skip?: string): Attempt {
  const marked = new Map<string, string>();
  let own: Attempt['own'] = skip === undefined ? { outcome: 'passed', message: null } : skipped(skip);
  let fault: string | undefined;
  for (const { message, asserted } of failures) {
    const text = stripVTControlCharacters(message).replace(/^Error: /, '');
    const [mark, id] = MARK.exec(text) ?? [];
    if (mark && id) marked.set(id, text.replace(`[${id}] `, ''));
    else if (text.startsWith('Unanswered: ')) own = { outcome: 'unanswered', message: text.replace('Unanswered: ', '') };
    else if (/^(Test timeout of|Tearing down "attempt" exceeded the test timeout of) \d+ms/.test(text))
      own = { outcome: 'inconclusive', message: 'the target is too slow for the check' };
    else if (asserted) own = { outcome: 'failed', message: text };
    else fault = text;
  }
  return { own, marked, ...(fault !== undefined && { fault }) };
}

function skipped(reason: string): Attempt['own'] {
  const [word = '', ...rest] = reason.split(': ');
  const outcome = SKIPPED[word];
  return outcome ? { outcome, message: rest.join(': ') } : { outcome: 'inconclusive', message: reason || 'the check was skipped' };
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
