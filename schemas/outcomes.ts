/** What became of a requirement, or of one check of it, the worst first: of several checks the worst decides. */
export const outcomes = ['failed', 'flaky', 'inconclusive', 'not-testable', 'passed', 'not-applicable'] as const;
/** What became of a requirement, or of one check of it. */
export type Outcome = (typeof outcomes)[number];

/** How a check ends that judges nothing. `left-out`: by a choice of whoever started the run. */
export type Ending = Extract<Outcome, 'inconclusive' | 'not-testable' | 'not-applicable'> | 'left-out';

/** What a person reads for an outcome or an ending, in every report. */
export const words: Record<Outcome | Ending, string> = {
  failed: 'failed',
  flaky: 'flaky',
  inconclusive: 'inconclusive',
  'not-testable': 'not testable',
  passed: 'passed',
  'not-applicable': 'not applicable',
  'left-out': 'left out',
};
