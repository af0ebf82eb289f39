import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, relative } from 'node:path';
import type { Suite, TestCase } from '@playwright/test/reporter';
import { catalogue, catalogueSha256, type Level, type Requirement } from '../schemas/catalogue.ts';
import type { Outcome } from '../schemas/outcomes.ts';
import type { RequirementId } from '../schemas/requirement-id.ts';
import { type Created, unique } from '../target/created.ts';
import { CASE_LOG_TYPE, type CaseLog, EXCHANGE_TYPE } from '../target/exchange.ts';
import { readLedger } from '../target/ledger.ts';
import { shorten } from '../target/printable.ts';
import type { Run } from '../target/run.ts';
import type { Depth } from '../target/settings.ts';
import { type Judgement, judge, leftOut, omission, requirementsOf, worst } from './judge.ts';

/** The verdict on a target; null: none, because the suite was misconfigured or failed. */
export type Verdict = 'conforms' | 'partial' | 'inconclusive' | 'flaky' | 'does not conform' | null;

/** What one check said of a requirement. */
export type CheckResult = {
  title: string;
  file: string;
  line: number;
  outcome: Outcome;
  message: string | null;
  seed: number;
  path: string | null;
  exchanges: number;
  /** Seconds that its attempts took. */
  seconds: number;
};

/** What a run found out about a requirement. */
export type RequirementResult = Pick<Requirement, 'id' | 'level' | 'area'> & { outcome: Outcome; checks: CheckResult[] };

/** The content of `conformance.json`; its schema is `schemas/conformance.schema.json`. */
export type Result = {
  /** Names this run and no other. */
  run: string;
  suite: { version: string };
  catalogue: { sha256: string };
  target: { name: string; baseUrl: string };
  seed: number;
  depth: Depth;
  startedAt: string;
  finishedAt: string;
  verdict: Verdict;
  /** The verdict's reason, one line. */
  reason: string;
  exitCode: number;
  counts: Record<Level, Partial<Record<Outcome, number>>>;
  requests: number;
  customers: number;
  requirements: RequirementResult[];
  observations: never[];
  omitted: { id: RequirementId; reason: string }[];
};

/** What the runner knows at the end of a run. */
export type RunEnd = {
  /** Names the run. */
  id: string;
  suite: Suite | undefined;
  /** Undefined if the run was ended before it was opened, or if reports of shards are merged. */
  run: Run | undefined;
  /** The path of the run's journal. */
  journal?: string;
  target: { name: string; baseUrl: string };
  seed: number;
  depth: Depth;
  strict: boolean;
  version: string;
  startedAt: Date;
  /** Why the target could not be judged at all. */
  outage: string | undefined;
  /** What broke in the suite. */
  faults: string[];
  interrupted: boolean;
  /** Why checks that were not run were left out by choice. */
  leftOut?: string;
};

/** Characters that a message may have in results. */
const LONGEST = 20_000;

const codes: Record<Exclude<Verdict, null>, number> = { conforms: 0, partial: 0, 'does not conform': 1, flaky: 1, inconclusive: 2 };

/** Returns the result of a check for one of its requirements. */
function checkResult(test: TestCase, { outcome, message }: Judgement, seed: number): CheckResult {
  const log = caseLogOf(test);
  return {
    title: titleOf(test),
    file: fileOf(test),
    line: test.location.line,
    outcome,
    message: message === null ? null : shorten(message, LONGEST),
    seed: log?.seed ?? seed,
    path: outcome === 'failed' || outcome === 'flaky' ? (log?.path ?? null) : null,
    exchanges: log?.requests ?? exchangesOf(test).length,
    seconds: test.results.reduce((sum, { duration }) => sum + Math.max(0, duration), 0) / 1000,
  };
}

/** Everything that a run found out. */
export function summarize(ending: RunEnd): Result {
  const { suite, seed } = ending;
  const checks = new Map<RequirementId, CheckResult[]>();
  const faults = [...ending.faults];
  const left: { test: TestCase; reason: string }[] = [];
  for (const test of suite?.allTests() ?? []) {
    const reason = leftOut(test) ?? (test.results.some(({ status }) => status !== 'interrupted') ? undefined : ending.leftOut);
    if (reason !== undefined) {
      left.push({ test, reason });
      continue;
    }
    const judged = judge(test);
    faults.push(...judged.faults.map((fault) => `${titleOf(test)}: ${fault}`));
    for (const judgement of judged.judgements) {
      const { requirement } = judgement;
      checks.set(requirement, [...(checks.get(requirement) ?? []), checkResult(test, judgement, seed)]);
    }
  }
  const requirements = catalogue.flatMap(({ id, level, area }): RequirementResult[] => {
    const own = checks.get(id);
    const outcome = own && worst(own.map((check) => check.outcome));
    return own && outcome ? [{ id, level, area, outcome, checks: own }] : [];
  });
  const omitted = catalogue
    .filter(({ id }) => !checks.has(id))
    .map((row) => ({ id: row.id, reason: left.find(({ test }) => requirementsOf(test).includes(row.id))?.reason ?? omission(row) }));
  const { verdict, reason } = decide({ ...ending, faults }, requirements, omitted, left);
  const traffic = trafficOf(suite, ending.run, ending.journal);
  return {
    run: ending.id,
    suite: { version: ending.version },
    catalogue: { sha256: catalogueSha256 },
    target: ending.target,
    seed,
    depth: ending.depth,
    startedAt: ending.startedAt.toISOString(),
    finishedAt: new Date().toISOString(),
    verdict,
    reason,
    exitCode: verdict === null ? 3 : codes[verdict],
    counts: { MUST: count(requirements, 'MUST'), SHOULD: count(requirements, 'SHOULD') },
    requests: traffic.requests,
    customers: traffic.created.length,
    requirements,
    observations: [],
    omitted,
  };
}

function decide(
  ending: RunEnd,
  requirements: RequirementResult[],
  omitted: Result['omitted'],
  leftOut: { reason: string }[],
): { verdict: Verdict; reason: string } {
  const judged = (outcome: Outcome) => requirements.filter((row) => row.outcome === outcome && (row.level === 'MUST' || ending.strict));
  const names = (rows: RequirementResult[]) => rows.map(({ id }) => id).join(', ');
  const [fault] = ending.faults;
  if (fault !== undefined) return { verdict: null, reason: `the suite itself failed: ${fault.split('\n')[0]}` };
  const failed = judged('failed');
  if (failed.length) return { verdict: 'does not conform', reason: `${names(failed)} failed` };
  const flaky = judged('flaky');
  if (flaky.length) return { verdict: 'flaky', reason: `${names(flaky)} failed and did not fail again with fresh data` };
  if (ending.outage !== undefined) return { verdict: 'inconclusive', reason: ending.outage };
  if (ending.interrupted && ending.leftOut === undefined) return { verdict: 'inconclusive', reason: 'the run was interrupted' };
  const open = requirements.filter(({ level, outcome }) => level === 'MUST' && (outcome === 'inconclusive' || outcome === 'not-testable'));
  if (open.length)
    return {
      verdict: 'inconclusive',
      reason: `${names(open)} could not be checked: ${open[0]?.checks.find(({ outcome }) => outcome === open[0]?.outcome)?.message}`,
    };
  if (leftOut[0]) return { verdict: 'partial', reason: `nothing failed; ${leftOut.length} checks were left out: ${leftOut[0].reason}` };
  if (requirements.length === 0) {
    return ending.leftOut === undefined
      ? { verdict: null, reason: 'no check was run' }
      : { verdict: 'inconclusive', reason: `no check was started: ${ending.leftOut}` };
  }
  const left = catalogue.filter(({ id, level, unchecked }) => level === 'MUST' && !unchecked && omitted.some((row) => row.id === id));
  if (left.length) return { verdict: 'partial', reason: `nothing failed; ${left.length} MUST left out of this run` };
  return { verdict: 'conforms', reason: 'every MUST that was checked holds' };
}

function count(requirements: RequirementResult[], level: Level): Partial<Record<Outcome, number>> {
  const counts: Partial<Record<Outcome, number>> = {};
  for (const row of requirements) if (row.level === level) counts[row.outcome] = (counts[row.outcome] ?? 0) + 1;
  return counts;
}

/** The title of a check with those of its groups, as a report's line. */
export function titleOf(test: TestCase): string {
  const [, , , ...titles] = test.titlePath();
  return titles.join(' › ');
}

function fileOf({ location }: TestCase): string {
  const path = relative(process.cwd(), location.file);
  return (isAbsolute(path) ? location.file : path).replaceAll('\\', '/');
}

/** What a generated check did, of its last attempt; undefined for any other check. */
function caseLogOf(test: TestCase): CaseLog | undefined {
  const attached = test.results.flatMap(({ attachments }) => attachments).filter(({ contentType }) => contentType === CASE_LOG_TYPE);
  const logs = attached.map(({ body, path }): CaseLog => JSON.parse((body ?? readFileSync(path ?? '')).toString()));
  const last = logs.at(-1);
  return (
    last && {
      ...last,
      requests: logs.reduce((sum, { requests }) => sum + requests, 0),
      created: logs.flatMap(({ created }) => created),
    }
  );
}

/** What an exchange that was attached created, or may have. */
type Recorded = { created: Created | null };

function exchangesOf(test: TestCase): Recorded[] {
  const attachments = test.results.flatMap((result) => result.attachments);
  return attachments.flatMap(({ contentType, body, path }) => {
    if (contentType !== EXCHANGE_TYPE) return [];
    // Where the reports of shards are merged the attachments are files.
    const content = body ?? (path === undefined ? undefined : readFileSync(path));
    return content ? [JSON.parse(content.toString())] : [];
  });
}

/**
 * How many requests a run made, and every customer that it created or may have: no operation deletes them. Where the reports of shards are
 * merged there is no journal, and the exchanges say it.
 */
export function trafficOf(
  suite: Suite | undefined,
  run: Run | undefined,
  journal: string | undefined,
): { requests: number; created: Created[] } {
  const tests = suite?.allTests() ?? [];
  const logs = tests.flatMap((test) => caseLogOf(test) ?? []);
  // The exchanges that a generated check shows are in its log.
  const exchanges = tests.flatMap((test) => (caseLogOf(test) ? [] : exchangesOf(test)));
  const generated = logs.reduce((sum, { requests }) => sum + requests, 0);
  const created =
    // The journal is in the folder of results, which may have been removed meanwhile.
    journal === undefined || !existsSync(journal)
      ? unique([
          ...(run?.preflight.created ?? []),
          ...logs.flatMap((log) => log.created),
          ...exchanges.flatMap(({ created }) => created ?? []),
        ])
      : readLedger(journal);
  return { requests: exchanges.length + generated + (run?.preflight.requests ?? 0), created };
}
