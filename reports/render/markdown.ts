import { quote, requirementOf } from '../../schemas/catalogue.ts';
import { words } from '../../schemas/outcomes.ts';
import { markdownCell, markdownFence } from '../../target/printable.ts';
import type { Result } from '../verdict.ts';
import { countLine, LEVELS, unjudged, verdictLine, violated } from './lines.ts';

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
    ...LEVELS.map((level) => `| ${level} | ${countLine(result.counts[level])} |`),
    '',
  ];
  if (violated(result).length) lines.push('## What failed', '');
  for (const row of violated(result)) {
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
    lines.push('## Requirements in this run', '', '| id | level | outcome | checks | statement |', '|---|---|---|---|---|');
    for (const { id, level, outcome, checks } of result.requirements) {
      lines.push(`| ${id} | ${level} | ${words[outcome]} | ${checks.length} | ${requirementOf(id).statement} |`);
    }
    lines.push('');
  }
  if (omitted.length) lines.push('## Left out', '', ...omitted.map(({ id, reason }) => `- ${id}: ${reason}`), '');
  return lines.join('\n');
}
