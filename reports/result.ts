import { readFileSync } from 'node:fs';
import { isAbsolute, relative } from 'node:path';
import type { Suite, TestCase } from '@playwright/test/reporter';
import { catalogue, catalogueSha256, type Level, type Requirement } from '../schemas/catalogue.ts';
import { EXCHANGE_TYPE } from '../target/exchange.ts';
import type { Created, Run } from '../target/run.ts';
import { judge, type Outcome, omission, worst } from './outcome.ts';

/** The verdict on a target; null: none, the suite was set up wrongly or broke. */
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
};

/** What a run found out of a requirement. */
export type RequirementResult = Pick<Requirement, 'id' | 'level' | 'area'> & { outcome: Outcome; checks: CheckResult[] };

/** The content of `conformance.json`; its schema is `schemas/conformance.schema.json`. */
export type Result = {
  suite: { version: string };
  catalogue: { sha256: string };
  target: { name: string; baseUrl: string };
  seed: number;
  depth: 'standard';
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
  omitted: { id: string; reason: string }[];
};

/** What the runner knows at the end of a run. */
export type Ending = {
  suite: Suite | undefined;
  run: Run | undefined;
  target: { name: string; baseUrl: string };
  seed: number;
  strict: boolean;
  version: string;
  startedAt: Date;
  /** Why the target could not be judged at all. */
  outage: string | undefined;
  /** What broke in the suite. */
  faults: string[];
  interrupted: boolean;
};

const codes: Record<Exclude<Verdict, null>, number> = { conforms: 0, partial: 0, 'does not conform': 1, flaky: 1, inconclusive: 2 };

/** Everything that a run found out. */
export function summarize(ending: Ending): Result {
  const { suite, seed } = ending;
  const checks = new Map<string, CheckResult[]>();
  const faults = [...ending.faults];
  for (const test of suite?.allTests() ?? []) {
    const judged = judge(test);
    faults.push(...judged.faults.map((fault) => `${titleOf(test)}: ${fault}`));
    for (const { requirement, outcome, message } of judged.findings) {
      const check = {
        title: titleOf(test),
        file: fileOf(test),
        line: test.location.line,
        outcome,
        message,
        seed,
        path: null,
        exchanges: exchangesOf(test).length,
      };
      checks.set(requirement, [...(checks.get(requirement) ?? []), check]);
    }
  }
  const requirements = catalogue.flatMap(({ id, level, area }): RequirementResult[] => {
    const own = checks.get(id);
    const outcome = own && worst(own.map((check) => check.outcome));
    return own && outcome ? [{ id, level, area, outcome, checks: own }] : [];
  });
  const omitted = catalogue.filter(({ id }) => !checks.has(id)).map((row) => ({ id: row.id, reason: omission(row) }));
  const { verdict, reason } = decide({ ...ending, faults }, requirements, omitted);
  const traffic = trafficOf(suite, ending.run);
  return {
    suite: { version: ending.version },
    catalogue: { sha256: catalogueSha256 },
    target: ending.target,
    seed,
    depth: 'standard',
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

function decide(ending: Ending, requirements: RequirementResult[], omitted: Result['omitted']): { verdict: Verdict; reason: string } {
  const judged = (outcome: Outcome) => requirements.filter((row) => row.outcome === outcome && (row.level === 'MUST' || ending.strict));
  const names = (rows: RequirementResult[]) => rows.map(({ id }) => id).join(', ');
  const [fault] = ending.faults;
  if (fault !== undefined) return { verdict: null, reason: `the suite itself broke: ${fault.split('\n')[0]}` };
  const failed = judged('failed');
  if (failed.length) return { verdict: 'does not conform', reason: `${names(failed)} failed` };
  const flaky = judged('flaky');
  if (flaky.length) return { verdict: 'flaky', reason: `${names(flaky)} failed and did not fail again with fresh data` };
  if (ending.outage !== undefined) return { verdict: 'inconclusive', reason: ending.outage };
  if (ending.interrupted) return { verdict: 'inconclusive', reason: 'the run was interrupted' };
  const open = requirements.filter(({ level, outcome }) => level === 'MUST' && (outcome === 'inconclusive' || outcome === 'not-testable'));
  if (open.length)
    return {
      verdict: 'inconclusive',
      reason: `${names(open)} could not be checked: ${open[0]?.checks.find(({ outcome }) => outcome === open[0]?.outcome)?.message}`,
    };
  if (requirements.length === 0) return { verdict: null, reason: 'no check was run' };
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

type Recorded = {
  request: { method: string; url: string; body?: { value: string } };
  response?: { status: number; body: { value: string } };
};

function exchangesOf(test: TestCase): Recorded[] {
  const attachments = test.results.flatMap((result) => result.attachments);
  return attachments.flatMap(({ contentType, body, path }) => {
    if (contentType !== EXCHANGE_TYPE) return [];
    // Where the reports of shards are merged the attachments are files.
    const content = body ?? (path === undefined ? undefined : readFileSync(path));
    return content ? [JSON.parse(content.toString())] : [];
  });
}

/** How many requests a run made, and every customer that it created: no operation deletes them. */
export function trafficOf(suite: Suite | undefined, run: Run | undefined): { requests: number; created: Created[] } {
  const exchanges = (suite?.allTests() ?? []).flatMap(exchangesOf);
  const created = new Map((run?.preflight.created ?? []).map((customer) => [customer.customerId, customer]));
  for (const { request, response } of exchanges) {
    if (request.method !== 'POST' || response?.status !== 200) continue;
    const { customerId, externalId } = customerIn(response.body.value);
    if (customerId !== undefined && !created.has(customerId)) created.set(customerId, { customerId, externalId: externalId ?? null });
  }
  return { requests: exchanges.length + (run?.preflight.requests ?? 0), created: [...created.values()] };
}

function customerIn(text: string): { customerId?: string; externalId?: string } {
  try {
    return JSON.parse(text)?.customer ?? {};
  } catch {
    return {};
  }
}
