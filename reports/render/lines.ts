import type { Level } from '../../schemas/catalogue.ts';
import { type Outcome, outcomes, words } from '../../schemas/outcomes.ts';
import type { RequirementResult, Result } from '../verdict.ts';

/** The levels, the one that decides first. */
export const LEVELS: readonly Level[] = ['MUST', 'SHOULD'];
/** The outcomes of a level in a line: `58 passed, 1 failed`. */
export function countLine(counts: Partial<Record<Outcome, number>>): string {
  const found = ['passed' as const, ...outcomes.filter((outcome) => outcome !== 'passed')].filter((outcome) => counts[outcome]);
  return found.map((outcome) => `${counts[outcome]} ${words[outcome]}`).join(', ') || 'none checked';
}

/** The failed and flaky requirements, MUST before SHOULD. */
export function violated({ requirements }: Result): RequirementResult[] {
  return LEVELS.flatMap((level) =>
    requirements.filter((row) => row.level === level && (row.outcome === 'failed' || row.outcome === 'flaky')),
  );
}

/** What could not be judged, grouped by reason: each cause is reported once. */
export function unjudged({ requirements }: Result): Map<string, string[]> {
  const byReason = new Map<string, string[]>();
  for (const { id, outcome, checks } of requirements) {
    if (!['inconclusive', 'not-testable', 'not-applicable'].includes(outcome)) continue;
    const reason = `${words[outcome]}: ${checks.find((check) => check.outcome === outcome)?.message?.split('\n')[0]}`;
    byReason.set(reason, [...(byReason.get(reason) ?? []), id]);
  }
  return byReason;
}

/** The verdict in one line. */
export function verdictLine({ verdict, reason }: Result): string {
  return verdict === null ? `No verdict: ${reason}` : `Verdict: ${verdict} (${reason})`;
}
