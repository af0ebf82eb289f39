import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clearLine, cursorTo } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import type { FullConfig, FullResult, Reporter, Suite, TestCase, TestError, TestResult } from '@playwright/test/reporter';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import schema from '../schemas/conformance.schema.json' with { type: 'json' };
import { tooShort } from '../target/redaction.ts';
import { publishedRun } from '../target/run.ts';
import { type Depth, readSettings } from '../target/settings.ts';
import type { Budget } from '../tests/support/customers.ts';
import { junit } from './junit.ts';
import { judge, leftOut, type Outcome, worst } from './outcome.ts';
import { type Result, summarize, trafficOf } from './result.ts';
import { markdown, tally, terminal } from './summary.ts';

/** Everything that a run writes below its folder, other than what Playwright and Allure write there. */
export const results = ['conformance.json', 'conformance.md', 'junit.xml', 'ledger.json'] as const;

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/** What playwright.config.ts says of a run; it is kept where the reports of shards are merged. */
export type Metadata = { seed: number; depth: Depth; targetName: string; baseUrl?: string };

/** Tells a run's verdict: on the terminal, in files, and to the runner as its status. */
export default class ConformanceReporter implements Reporter {
  readonly #settings = readSettings();
  readonly #startedAt = new Date();
  readonly #faults: string[] = [];
  #outage: string | undefined;
  #suite: Suite | undefined;
  #remaining = new Map<string, TestCase[]>();
  readonly #listing = process.argv.includes('--list');
  #metadata: Partial<Metadata> = {};

  printsToStdio(): boolean {
    return true;
  }

  onBegin({ metadata }: FullConfig, suite: Suite): void {
    const tests = suite.allTests();
    if (!this.#listing) this.#clear();
    if (tests.length === 0) return;
    this.#suite = suite;
    this.#metadata = metadata as Metadata;
    const run = publishedRun();
    // Reports of several shards are merged in a process that knows of no run.
    if (!run) return;
    for (const project of suite.suites) this.#remaining.set(project.title, project.allTests());
    const most = { requests: run.preflight.requests, customers: run.preflight.created.length };
    for (const project of suite.suites) {
      const { budget } = (project.project()?.use ?? {}) as { budget?: Budget };
      for (const test of project.allTests()) {
        // The second attempt of a generated check repeats one case.
        const attempts = test.tags.includes('@generated') ? 1 : test.retries + 1;
        most.requests += (budget?.requests ?? 0) * attempts;
        most.customers += (budget?.customers ?? 0) * attempts;
      }
    }
    const { byId, lags } = run.readBack;
    const readBack =
      byId && !lags ? 'GET /customers/{customerId}' : `an update that changes nothing${lags ? ', because GET comes behind writes' : ''}`;
    console.log(
      [
        `Conformance of POST /customers: ${run.targetName}, ${run.baseUrl}`,
        `Seed ${run.seed}, depth ${run.depth}. ${tests.length} checks, at most ${most.requests} requests and ${most.customers} customers; each externalId begins with ${run.prefix}.`,
        `State is read back by ${readBack}.`,
        ...[...tooShort(run.merchant), ...(run.other ? tooShort(run.other, 'TRUSTLY_OTHER_') : [])].map(
          (name) => `Warning: ${name} is shorter than eight characters and is masked in headers alone.`,
        ),
        '',
      ].join('\n'),
    );
  }

  /** Removes what an older run left. */
  #clear(): void {
    for (const name of [...results, 'counterexamples', 'allure-results', 'allure-report'])
      rmSync(join(this.#settings.out, name), { recursive: true, force: true });
  }

  onTestEnd(test: TestCase, result: TestResult): void {
    const final = result.retry === test.retries || test.outcome() === 'expected' || test.outcome() === 'skipped';
    const area = test.parent.project()?.name ?? '';
    const remaining = this.#remaining.get(area)?.filter((other) => other !== test);
    if (!final || !remaining) return;
    this.#remaining.set(area, remaining);
    const tests = this.#suite?.suites.find(({ title }) => title === area)?.allTests() ?? [];
    const line = `  ${area.padEnd(10)} ${String(tests.length - remaining.length).padStart(3)} of ${tests.length}`;
    if (process.stdout.isTTY) {
      clearLine(process.stdout, 0);
      cursorTo(process.stdout, 0);
      if (remaining.length) process.stdout.write(line);
    }
    if (remaining.length === 0) console.log(`${line} checks: ${tally(countChecks(tests))}`);
  }

  onError(error: TestError): void {
    const message = stripVTControlCharacters(error.message ?? error.value ?? 'an error without a message');
    if (message.startsWith('Outage: ')) this.#outage = message.replace('Outage: ', '');
    else this.#faults.push(message.replace(/^Error: /, ''));
  }

  onEnd({ status }: FullResult): Promise<{ status: FullResult['status'] }> {
    if (this.#listing) return Promise.resolve({ status });
    const { out, strict, targetName } = this.#settings;
    const run = publishedRun();
    const { seed = 0, depth = this.#settings.depth, baseUrl = run?.baseUrl ?? 'embedded sandbox' } = this.#metadata;
    const result = summarize({
      suite: this.#suite,
      run,
      target: { name: this.#metadata.targetName ?? targetName, baseUrl: this.#settings.baseUrl ?? baseUrl },
      seed,
      depth,
      strict,
      version,
      startedAt: this.#startedAt,
      outage: this.#outage,
      faults: [...this.#faults, ...(status === 'timedout' ? ['the run reached its time limit'] : [])],
      interrupted: status === 'interrupted',
    });
    assertValid(result);
    mkdirSync(out, { recursive: true });
    const page = markdown(result);
    writeFileSync(join(out, 'conformance.json'), `${JSON.stringify(result, null, 2)}\n`);
    writeFileSync(join(out, 'conformance.md'), page);
    writeFileSync(join(out, 'junit.xml'), junit(result, strict));
    writeFileSync(join(out, 'ledger.json'), `${JSON.stringify(trafficOf(this.#suite, run).created, null, 2)}\n`);
    if (process.env.GITHUB_STEP_SUMMARY) appendFileSync(process.env.GITHUB_STEP_SUMMARY, page);
    console.log(`\n${terminal(result)}`);
    if (this.#suite) console.log(`Results: ${join(out, 'conformance.md')}; npm run report makes the Allure report`);
    return Promise.resolve({ status: result.exitCode === 0 ? 'passed' : status === 'interrupted' ? status : 'failed' });
  }
}

function countChecks(tests: TestCase[]): Partial<Record<Outcome, number>> {
  const counts: Partial<Record<Outcome, number>> = {};
  for (const test of tests) {
    if (leftOut(test) !== undefined) continue;
    const outcome = worst(judge(test).findings.map((finding) => finding.outcome)) ?? 'inconclusive';
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

function assertValid(result: Result): void {
  const ajv = new Ajv2020({ strictTypes: false });
  addFormats.default(ajv);
  if (!ajv.validate(schema, result)) throw new Error(`conformance.json does not validate: ${ajv.errorsText()}`);
}
