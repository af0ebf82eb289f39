import { type Level, quote, requirementOf } from '../schemas/catalogue.ts';
import { type Outcome, outcomes, words } from '../schemas/outcomes.ts';
import { markdownCell, markdownFence, shorten } from '../target/printable.ts';
import type { RequirementResult, Result } from './result.ts';

const LEVELS: readonly Level[] = ['MUST', 'SHOULD'];
/** Failing checks of one requirement that are told in full. */
const TOLD = 1;

/** Characters of a line, and lines of a message, that the terminal shows. */
const [LINE, LINES] = [2_000, 60];

/** The outcomes of a level in a line: `58 passed, 1 failed`. */
export function tally(counts: Partial<Record<Outcome, number>>): string {
  const found = ['passed' as const, ...outcomes.filter((outcome) => outcome !== 'passed')].filter((outcome) => counts[outcome]);
  return found.map((outcome) => `${counts[outcome]} ${words[outcome]}`).join(', ') || 'none checked';
}

/** What was not as promised: the failed and the flaky, MUST before SHOULD. */
function broken({ requirements }: Result): RequirementResult[] {
  return LEVELS.flatMap((level) =>
    requirements.filter((row) => row.level === level && (row.outcome === 'failed' || row.outcome === 'flaky')),
  );
}

/** What could not be judged, by its reason: one cause is told once. */
function unjudged({ requirements }: Result): Map<string, string[]> {
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

/** The result for a terminal. */
export function terminal(result: Result): string {
  const lines: string[] = [];
  for (const row of broken(result)) {
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
    if (failing.length > TOLD) lines.push(`  and ${failing.length - TOLD} more of its checks, see conformance.md`);
    lines.push('');
  }
  for (const [reason, ids] of unjudged(result)) lines.push(`- ${ids.join(', ')}: ${reason}`);
  if (unjudged(result).size) lines.push('');
  for (const level of LEVELS) if (result.requirements.length) lines.push(`${level.padEnd(7)} ${tally(result.counts[level])}`);
  if (result.requirements.length) lines.push(`${result.requests} requests, at most ${result.customers} customers created`, '');
  lines.push(verdictLine(result));
  return lines.join('\n');
}

/** The result as Markdown, for a person who was not there. */
export function markdown(result: Result): string {
  const { target, suite, catalogue, seed, startedAt, finishedAt, requests, customers, omitted } = result;
  const lines = [
    `# Conformance of \`POST /customers\`: ${result.verdict ?? 'no verdict'}`,
    '',
    `${markdownCell(verdictLine(result))}. Exit code ${result.exitCode}.`,
    '',
    '| | |',
    '|---|---|',
    `| Target | ${markdownCell(target.name)}, ${markdownCell(target.baseUrl)} |`,
    `| Suite | ${suite.version}, catalogue ${catalogue.sha256.slice(0, 12)} |`,
    `| Seed | ${seed} |`,
    `| Time | ${startedAt} to ${finishedAt} |`,
    `| Traffic | ${requests} requests, at most ${customers} customers created |`,
    ...LEVELS.map((level) => `| ${level} | ${tally(result.counts[level])} |`),
    '',
  ];
  if (broken(result).length) lines.push('## What is not as promised', '');
  for (const row of broken(result)) {
    const { statement } = requirementOf(row.id);
    lines.push(`### ${row.id} (${row.level}, ${row.outcome}): ${statement}`, '', `> ${quote(requirementOf(row.id))}`, '');
    for (const { file, line, title, message } of row.checks.filter(({ outcome }) => outcome === row.outcome)) {
      lines.push(`**${title}** (\`${file}:${line}\`)`, '', markdownFence(message ?? ''), '');
    }
  }
  if (unjudged(result).size) lines.push('## What was not judged', '');
  for (const [reason, ids] of unjudged(result)) lines.push(`- ${ids.join(', ')}: ${markdownCell(reason)}`);
  if (unjudged(result).size) lines.push('');
  if (result.requirements.length) {
    lines.push('## Every requirement', '', '| id | level | outcome | checks | statement |', '|---|---|---|---|---|');
    for (const { id, level, outcome, checks } of result.requirements) {
      lines.push(`| ${id} | ${level} | ${words[outcome]} | ${checks.length} | ${requirementOf(id).statement} |`);
    }
    lines.push('');
  }
  if (omitted.length) lines.push('## Left out', '', ...omitted.map(({ id, reason }) => `- ${id}: ${reason}`), '');
  return lines.join('\n');
}
