import { quote, requirementOf } from '../../schemas/catalogue.ts';
import { shorten } from '../../target/printable.ts';
import type { Result } from '../verdict.ts';
import { countLine, LEVELS, unjudged, verdictLine, violated } from './lines.ts';

/** Failing checks of one requirement that are shown in full. */
const TOLD = 1;

/** Characters of a line, and lines of a message, that the terminal shows. */
const [LINE, LINES] = [2_000, 60];

/** The result for a terminal. */
export function terminal(result: Result): string {
  const lines: string[] = [];
  for (const row of violated(result)) {
    const { statement } = requirementOf(row.id);
    const failing = row.checks.filter(({ outcome }) => outcome === row.outcome);
    lines.push(
      `${row.level === 'MUST' ? '✗' : '!'} ${row.id} (${row.level}, ${row.outcome}) ${statement}`,
      `  ${quote(requirementOf(row.id))}`,
    );
    for (const { file, line, title, message } of failing.slice(0, TOLD)) {
      const told = (message ?? '').split('\n').map((text) => `    ${shorten(text, LINE)}`);
      lines.push(`  ${title} (${file}:${line})`, ...told.slice(0, LINES));
      if (told.length > LINES) lines.push(`    … ${told.length - LINES} more lines in conformance.md`);
    }
    if (failing.length > TOLD) lines.push(`  ${failing.length - TOLD} more checks of ${row.id} failed; see conformance.md`);
    lines.push('');
  }
  for (const [reason, ids] of unjudged(result)) lines.push(`- ${ids.join(', ')}: ${reason}`);
  if (unjudged(result).size) lines.push('');
  for (const level of LEVELS) if (result.requirements.length) lines.push(`${level.padEnd(7)} ${countLine(result.counts[level])}`);
  if (result.requirements.length) lines.push(`${result.requests} requests, at most ${result.customers} customers created`, '');
  lines.push(verdictLine(result));
  return lines.join('\n');
}
