import { expect, test } from '@playwright/test';
import type { Suite, TestCase, TestResult } from '@playwright/test/reporter';
import { judge } from '../reports/judge.ts';
import { type RunEnd, summarize } from '../reports/verdict.ts';
import { catalogue } from '../schemas/catalogue.ts';
import { type Asserted, ATTEMPT_TYPE, type AttemptRecord } from '../target/attempt.ts';

const ASSERTION = 'Error: it is wrong';

type Told = 'passed' | { asserted: string } | { thrown: string } | { ended: AttemptRecord['ended'] & object };

/** An attempt as the runner reports it: passed, or failed with an expectation, another error, or ended with its reason. */
function attempt(what: Told, expected: Asserted[] = ['all']): TestResult {
  const isObject = typeof what === 'object';
  const ended = isObject && 'ended' in what ? what.ended : undefined;
  const message = isObject && 'asserted' in what ? what.asserted : isObject && 'thrown' in what ? what.thrown : undefined;
  const errors = message === undefined ? [] : [{ message }];
  const isAsserted = isObject && 'asserted' in what;
  const record: AttemptRecord = { errors: errors.length, asserted: expected, ...(ended && { ended }) };
  return {
    status: ended ? 'skipped' : errors.length ? 'failed' : 'passed',
    errors,
    annotations: [{ type: ATTEMPT_TYPE, description: JSON.stringify(record) }],
    steps: isAsserted ? [{ category: 'test.step', steps: [{ category: 'expect', error: { message }, steps: [] }] }] : [],
    attachments: [],
  } as unknown as TestResult;
}

/** A failure that was confirmed in its worker: two attempts in one result. */
function inOneResult([first, second]: readonly [TestResult, TestResult]): TestResult {
  const annotations = [first, second].flatMap((each) => each.annotations);
  return { ...first, errors: [...first.errors, ...second.errors], steps: [...first.steps, ...second.steps], annotations };
}

function check(ids: string[], ...results: TestResult[]): TestCase {
  return {
    tags: ids.map((id) => `@${id}`),
    results,
    titlePath: () => ['', 'area', 'file', 'a check'],
    location: { file: '/x/tests/a.spec.ts', line: 1, column: 1 },
  } as unknown as TestCase;
}

function end(checks: TestCase[], more: Partial<RunEnd> = {}) {
  return summarize({
    suite: { allTests: () => checks } as unknown as Suite,
    run: undefined,
    target: { name: 'x', baseUrl: 'http://x' },
    seed: 1,
    depth: 'standard',
    strict: false,
    version: '1.0.0',
    startedAt: new Date(),
    outage: undefined,
    faults: [],
    interrupted: false,
    id: '00000000-0000-4000-8000-000000000000',
    ...more,
  });
}

const failed = attempt({ asserted: ASSERTION });
const passed = attempt('passed');
const every = catalogue.filter(({ unchecked }) => !unchecked).map(({ id }) => id);

test.describe('an outcome', () => {
  const cases: [string, TestResult[], string][] = [
    ['passed', [passed], 'passed'],
    ['failed twice', [failed, failed], 'failed'],
    ['failed once, passed with fresh data', [failed, passed], 'flaky'],
    ['not testable', [attempt({ ended: { ending: 'not-testable', reason: 'no customer' } })], 'not-testable'],
    ['not applicable', [attempt({ ended: { ending: 'not-applicable', reason: 'one merchant' } })], 'not-applicable'],
    ['an outage', [attempt({ ended: { ending: 'inconclusive', reason: 'gone' } })], 'inconclusive'],
    ['failed, then an outage', [failed, attempt({ ended: { ending: 'inconclusive', reason: 'gone' } })], 'inconclusive'],
    ['unanswered once', [attempt({ thrown: 'NoResponse: 503' }), passed], 'inconclusive'],
    ['unanswered twice', [attempt({ thrown: 'NoResponse: 503' }), attempt({ thrown: 'NoResponse: 503' })], 'not-testable'],
    ['too slow', [attempt({ thrown: 'Test timeout of 60000ms exceeded.' })], 'inconclusive'],
    ['never run', [], 'inconclusive'],
    ['skipped by Playwright', [{ ...passed, status: 'skipped', annotations: [{ type: 'skip', description: 'later' }] }], 'inconclusive'],
    ['passed without an expectation', [attempt('passed', [])], 'not-applicable'],
  ];
  for (const [what, results, outcome] of cases) {
    test(`of what ${what} is ${outcome}`, () => {
      expect(judge(check(['NULL-1'], ...results)).judgements[0]).toMatchObject({ requirement: 'NULL-1', outcome });
    });
    const [first, second] = results;
    if (!first || !second) continue;
    test(`of what ${what}, in one worker, is ${outcome}`, () => {
      const { judgements } = judge(check(['NULL-1'], inOneResult([first, second])));
      expect(judgements).toEqual(judge(check(['NULL-1'], ...results)).judgements);
    });
  }

  test('of a marked failure belongs to the requirement of the mark', () => {
    const marked = attempt({ asserted: 'Error: [UPD-4] the rest' });
    const { judgements } = judge(check(['UPD-2', 'UPD-4', 'UPD-7'], marked, marked));
    expect(judgements.map(({ requirement, outcome }) => `${requirement} ${outcome}`)).toEqual([
      'UPD-2 passed',
      'UPD-4 failed',
      'UPD-7 not-testable',
    ]);
  });

  test('of a failure seen on the way belongs to the requirement of the mark alone', () => {
    const marked = attempt({ asserted: 'Error: [ANS-3] null' });
    const { judgements } = judge(check(['UPD-2'], marked, marked));
    expect(judgements.map(({ requirement, outcome }) => `${requirement} ${outcome}`)).toEqual(['UPD-2 passed', 'ANS-3 failed']);
  });

  test('of a failure that a second attempt could not see is inconclusive, unless two requests showed it', () => {
    const seen = attempt({ asserted: 'Error: [REF-3] cut off' });
    const stopped = attempt({ ended: { ending: 'inconclusive', reason: 'no answer can be read' } });
    expect(judge(check(['UPD-2'], seen, stopped)).judgements).toMatchObject([{}, { requirement: 'REF-3', outcome: 'inconclusive' }]);
    const record: AttemptRecord = { errors: 1, asserted: ['all'], confirmed: ['REF-3'] };
    const confirmed = { ...seen, annotations: [{ type: ATTEMPT_TYPE, description: JSON.stringify(record) }] };
    expect(judge(check(['UPD-2'], confirmed, stopped)).judgements).toMatchObject([{}, { requirement: 'REF-3', outcome: 'failed' }]);
    expect(judge(check(['REF-3'], confirmed, stopped)).judgements).toMatchObject([{ requirement: 'REF-3', outcome: 'failed' }]);
  });

  test('of requests that are never answered is REF-3', () => {
    const unanswered = attempt({ thrown: 'NoResponse: 503' });
    const { judgements } = judge(check(['UPD-2'], unanswered, unanswered));
    expect(judgements.map(({ requirement, outcome }) => `${requirement} ${outcome}`)).toEqual(['UPD-2 not-testable', 'REF-3 failed']);
  });

  test('of a failure whose confirmation was interrupted, is failed', () => {
    expect(judge(check(['NULL-1'], failed)).judgements[0]).toMatchObject({ outcome: 'failed' });
  });

  test('of a confirmation that takes too long is inconclusive', () => {
    const errors = [...failed.errors, { message: 'Tearing down "attempt" exceeded the test timeout of 60000ms.' }];
    expect(judge(check(['NULL-1'], { ...failed, errors })).judgements[0]).toMatchObject({ outcome: 'inconclusive' });
  });

  test('is not applicable to a requirement of which no expectation ran', () => {
    const { judgements } = judge(check(['UPD-5', 'UPD-4'], attempt('passed', ['UPD-4'])));
    expect(judgements.map(({ requirement, outcome }) => `${requirement} ${outcome}`)).toEqual(['UPD-5 not-applicable', 'UPD-4 passed']);
  });

  test('of a mark that the catalogue does not have is a fault of the suite', () => {
    const mistyped = check(['UPD-2'], attempt({ asserted: 'Error: [UPD-99] the rest' }), attempt({ asserted: 'Error: [UPD-99] the rest' }));
    expect(judge(mistyped).faults[0]).toContain('the catalogue has no requirement UPD-99');
    expect(end([check(every, passed), mistyped])).toMatchObject({ verdict: null, exitCode: 3 });
  });

  test('of an exception is a fault of the suite', () => {
    expect(judge(check(['NULL-1'], attempt({ thrown: 'TypeError: x' }))).faults).toHaveLength(1);
  });
});

test.describe('the verdict', () => {
  const must = (...results: TestResult[]) => check(['NULL-1'], ...results);
  const should = (...results: TestResult[]) => check(['ACC-7'], ...results);
  const whole = () => check(every, passed);

  test('conforms', () => {
    expect(end([whole()])).toMatchObject({ verdict: 'conforms', exitCode: 0, omitted: [{ id: 'REF-10' }] });
  });

  test('conforms though a SHOULD failed, unless strict', () => {
    expect(end([whole(), should(failed, failed)])).toMatchObject({ verdict: 'conforms', exitCode: 0 });
    expect(end([whole(), should(failed, failed)], { strict: true })).toMatchObject({ verdict: 'does not conform', exitCode: 1 });
  });

  test('does not conform', () => {
    expect(end([whole(), must(failed, failed)])).toMatchObject({ verdict: 'does not conform', exitCode: 1 });
  });

  test('does not conform, whatever happened later', () => {
    expect(end([must(failed, failed)], { outage: 'gone', interrupted: true })).toMatchObject({ verdict: 'does not conform' });
  });

  test('flaky', () => {
    expect(end([whole(), must(failed, passed)])).toMatchObject({ verdict: 'flaky', exitCode: 1 });
  });

  test('inconclusive by an outage, an interrupt, or a MUST that could not be checked', () => {
    expect(end([], { outage: 'gone' })).toMatchObject({ verdict: 'inconclusive', exitCode: 2, reason: 'gone' });
    expect(end([whole()], { interrupted: true })).toMatchObject({ verdict: 'inconclusive', exitCode: 2 });
    expect(end([whole(), must(attempt({ ended: { ending: 'not-testable', reason: 'no customer' } }))])).toMatchObject({
      verdict: 'inconclusive',
      exitCode: 2,
    });
    expect(end([whole(), should(attempt({ ended: { ending: 'not-testable', reason: 'no customer' } }))])).toMatchObject({
      verdict: 'conforms',
    });
  });

  test('partial where a MUST was left out', () => {
    expect(end([must(passed)])).toMatchObject({ verdict: 'partial', exitCode: 0 });
  });

  test('none where the suite broke or nothing ran', () => {
    expect(end([whole(), must(attempt({ thrown: 'TypeError: x' }))])).toMatchObject({ verdict: null, exitCode: 3 });
    expect(end([])).toMatchObject({ verdict: null, exitCode: 3 });
    expect(end([whole()], { faults: ['a worker crashed'] })).toMatchObject({ verdict: null, exitCode: 3 });
  });
});
