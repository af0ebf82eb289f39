import { expect, test } from '@playwright/test';
import type { Suite, TestCase, TestResult } from '@playwright/test/reporter';
import { CONFIRMATION_TYPE, type Confirmation } from '../reports/confirmation.ts';
import { judge } from '../reports/outcome.ts';
import { type Ending, summarize } from '../reports/result.ts';
import { catalogue } from '../schemas/catalogue.ts';

const ASSERTION = 'Error: it is wrong';

/** An attempt as the runner reports it: passed, or failed with an expectation, another error, or a skip with its reason. */
function attempt(what: 'passed' | { asserted: string } | { thrown: string } | { skip: string }): TestResult {
  if (what === 'passed') return { status: 'passed', errors: [], annotations: [], steps: [], attachments: [] } as unknown as TestResult;
  if ('skip' in what) {
    return {
      status: 'skipped',
      errors: [],
      annotations: [{ type: 'skip', description: what.skip }],
      steps: [],
      attachments: [],
    } as unknown as TestResult;
  }
  const message = 'asserted' in what ? what.asserted : what.thrown;
  const steps = 'asserted' in what ? [{ category: 'test.step', steps: [{ category: 'expect', error: { message }, steps: [] }] }] : [];
  return { status: 'failed', errors: [{ message }], annotations: [], steps, attachments: [] } as unknown as TestResult;
}

/** A failure that was confirmed in its worker: two attempts in one result. */
function inOneResult([first, second]: [TestResult, TestResult]): TestResult {
  const skip = second.annotations.find(({ type }) => type === 'skip')?.description;
  const ended = skip ?? (second.errors.length === 0 ? '' : undefined);
  const confirmation: Confirmation = { errors: first.errors.length, ...(ended !== undefined && { ended }) };
  return {
    ...first,
    errors: [...first.errors, ...second.errors],
    steps: [...first.steps, ...second.steps],
    annotations: [...first.annotations, { type: CONFIRMATION_TYPE, description: JSON.stringify(confirmation) }],
  };
}

function check(ids: string[], ...results: TestResult[]): TestCase {
  return {
    tags: ids.map((id) => `@${id}`),
    results,
    titlePath: () => ['', 'area', 'file', 'a check'],
    location: { file: '/x/tests/a.spec.ts', line: 1, column: 1 },
  } as unknown as TestCase;
}

function end(checks: TestCase[], more: Partial<Ending> = {}) {
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
    ['not testable', [attempt({ skip: 'not testable: no customer' })], 'not-testable'],
    ['not applicable', [attempt({ skip: 'not applicable: one merchant' })], 'not-applicable'],
    ['an outage', [attempt({ skip: 'inconclusive: gone' })], 'inconclusive'],
    ['failed, then an outage', [failed, attempt({ skip: 'inconclusive: gone' })], 'inconclusive'],
    ['unanswered once', [attempt({ thrown: 'Unanswered: 503' }), passed], 'inconclusive'],
    ['unanswered twice', [attempt({ thrown: 'Unanswered: 503' }), attempt({ thrown: 'Unanswered: 503' })], 'not-testable'],
    ['too slow', [attempt({ thrown: 'Test timeout of 60000ms exceeded.' })], 'inconclusive'],
    ['never run', [], 'inconclusive'],
    ['skipped without reason', [attempt({ skip: 'later' })], 'inconclusive'],
  ];
  for (const [what, results, outcome] of cases) {
    test(`of what ${what} is ${outcome}`, () => {
      expect(judge(check(['NULL-1'], ...results)).findings[0]).toMatchObject({ requirement: 'NULL-1', outcome });
    });
    const [first, second] = results;
    if (!first || !second) continue;
    test(`of what ${what}, in one worker, is ${outcome}`, () => {
      const { findings } = judge(check(['NULL-1'], inOneResult([first, second])));
      expect(findings).toEqual(judge(check(['NULL-1'], ...results)).findings);
    });
  }

  test('of a marked failure belongs to the requirement of the mark', () => {
    const marked = attempt({ asserted: 'Error: [UPD-4] the rest' });
    const { findings } = judge(check(['UPD-2', 'UPD-4', 'UPD-7'], marked, marked));
    expect(findings.map(({ requirement, outcome }) => `${requirement} ${outcome}`)).toEqual([
      'UPD-2 passed',
      'UPD-4 failed',
      'UPD-7 not-testable',
    ]);
  });

  test('of a failure seen on the way belongs to the requirement of the mark alone', () => {
    const marked = attempt({ asserted: 'Error: [ANS-3] null' });
    const { findings } = judge(check(['UPD-2'], marked, marked));
    expect(findings.map(({ requirement, outcome }) => `${requirement} ${outcome}`)).toEqual(['UPD-2 passed', 'ANS-3 failed']);
  });

  test('of requests that are never answered is REF-3', () => {
    const unanswered = attempt({ thrown: 'Unanswered: 503' });
    const { findings } = judge(check(['UPD-2'], unanswered, unanswered));
    expect(findings.map(({ requirement, outcome }) => `${requirement} ${outcome}`)).toEqual(['UPD-2 not-testable', 'REF-3 failed']);
  });

  test('of a failure whose confirmation was interrupted, is failed', () => {
    const description = JSON.stringify({ errors: 1 } satisfies Confirmation);
    const interrupted = { ...failed, annotations: [{ type: CONFIRMATION_TYPE, description }] };
    expect(judge(check(['NULL-1'], interrupted)).findings[0]).toMatchObject({ outcome: 'failed' });
  });

  test('of a confirmation that takes too long is inconclusive', () => {
    const late = attempt({ thrown: 'Tearing down "attempt" exceeded the test timeout of 60000ms.' });
    expect(judge(check(['NULL-1'], inOneResult([failed, late]))).findings[0]).toMatchObject({ outcome: 'inconclusive' });
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
    expect(end([whole(), must(attempt({ skip: 'not testable: no customer' }))])).toMatchObject({ verdict: 'inconclusive', exitCode: 2 });
    expect(end([whole(), should(attempt({ skip: 'not testable: no customer' }))])).toMatchObject({ verdict: 'conforms' });
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
