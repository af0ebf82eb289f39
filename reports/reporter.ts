import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clearLine, cursorTo } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import type { FullConfig, FullResult, Reporter, Suite, TestCase, TestError, TestResult, TestStep } from '@playwright/test/reporter';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import schema from '../schemas/conformance.schema.json' with { type: 'json' };
import type { Outcome } from '../schemas/outcomes.ts';
import type { Budget } from '../target/budget.ts';
import { claimFolder, clearFolder, journalOf, ownsFolder } from '../target/folder.ts';
import { closeOpening } from '../target/opening.ts';
import { printable } from '../target/printable.ts';
import { type Redact, redactor, whyGuessable } from '../target/redaction.ts';
import { publishedRun, type Run, secretsOfRun } from '../target/run.ts';
import { type Depth, readSettings, SettingsError } from '../target/settings.ts';
import { judge, leftOut, worst } from './judge.ts';
import { junit } from './render/junit.ts';
import { countLine } from './render/lines.ts';
import { markdown } from './render/markdown.ts';
import { terminal } from './render/terminal.ts';
import { type Result, summarize, trafficOf } from './verdict.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/** The metadata of a run in playwright.config.ts; Playwright keeps them when it merges the reports of shards. */
export type Metadata = { seed: number; depth: Depth; targetName: string; baseUrl?: string };

/** The name of an attachment that Playwright adds to each failed test. */
export const ERROR_CONTEXT = 'error-context';

/** Reports a run's verdict: on the terminal, in files, and to the runner as its status. */
export default class ConformanceReporter implements Reporter {
  readonly #settings = readSettings();
  readonly #startedAt = new Date();
  readonly #faults: string[] = [];
  #outage: string | undefined;
  #written = false;
  #suite: Suite | undefined;
  #remaining = new Map<string, TestCase[]>();
  readonly #listing = process.argv.includes('--list');
  #metadata: Partial<Metadata> = {};
  #redact: Redact | undefined;

  constructor() {
    // Whoever reads the output may stop reading; the run goes on and writes its results.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
    // It tells workers that this reporter reverses failures that they mark as expected.
    process.env.CONFORMANCE_REPORTER = '1';
  }

  printsToStdio(): boolean {
    return true;
  }

  onBegin({ metadata }: FullConfig, suite: Suite): void {
    const tests = suite.allTests();
    if (tests.length === 0) return;
    const { CONFORMANCE_ID: id = '' } = process.env;
    if (ownsFolder(this.#settings.out, id)) clearFolder(this.#settings.out, id);
    this.#suite = suite;
    this.#metadata = metadata as Metadata;
    const run = publishedRun();
    // Reports of several shards are merged in a process that knows of no run.
    if (!run) return;
    for (const project of suite.suites) this.#remaining.set(project.title, project.allTests());
    const most = { requests: run.preflight.requests, customers: 2 };
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
      byId && !lags ? 'GET /customers/{customerId}' : `a no-op update${lags ? ', because GET was seen to lag behind writes' : ''}`;
    console.log(
      [
        `Conformance of POST /customers: ${run.targetName}, ${run.baseUrl}`,
        `Seed ${run.seed}, depth ${run.depth}. ${tests.length} checks, at most ${most.requests} requests and ${most.customers} customers; each externalId begins with ${run.prefix}.`,
        `State is read with ${readBack}.`,
        ...warnings(run),
        '',
      ].join('\n'),
    );
  }

  /** Everything that other reporters show is redacted here, before they see it: this one is the first. */
  #clean(errors: readonly (TestError | undefined)[]): void {
    this.#redact ??= redactorOfRun();
    for (const error of errors) {
      for (const name of ['message', 'value', 'stack', 'snippet'] as const) {
        if (error?.[name] !== undefined) error[name] = this.#redact(error[name]);
      }
    }
  }

  onStepBegin(_test: TestCase, _result: TestResult, step: TestStep): void {
    this.#redact ??= redactorOfRun();
    Object.assign(step, { title: this.#redact(step.title) });
  }

  onStepEnd(_test: TestCase, _result: TestResult, step: TestStep): void {
    this.#clean([step.error]);
  }

  onTestEnd(test: TestCase, result: TestResult): void {
    this.#clean([result.error, ...result.errors]);
    // Playwright attaches a check's errors as they are.
    const unredacted = result.attachments.findIndex(({ name }) => name === ERROR_CONTEXT);
    if (unredacted >= 0) result.attachments.splice(unredacted, 1);
    const final = result.retry === test.retries || test.outcome() === 'expected' || test.outcome() === 'skipped';
    // Declared expected so that its worker lives on (tests/support/attempts.ts): from here on it is a failure for every reporter.
    if (result.status === 'failed') test.expectedStatus = 'passed';
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
    if (remaining.length === 0) console.log(`${line} checks: ${countLine(countChecks(tests))}`);
  }

  onError(error: TestError): void {
    const message = stripVTControlCharacters(error.message ?? error.value ?? 'an error without a message');
    if (message.startsWith('Stopped: ')) this.#outage = message.replace('Stopped: ', '');
    else this.#faults.push(message.replace(/^Error: /, ''));
  }

  async onEnd({ status }: FullResult): Promise<{ status: FullResult['status'] }> {
    if (this.#listing) return { status };
    // An interrupt does not wait for the global setup, which may be creating a customer.
    await closeOpening();
    const { out, strict, targetName } = this.#settings;
    const { CONFORMANCE_ID: id = randomUUID() } = process.env;
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
      outage: this.#outage ?? process.env.CONFORMANCE_STOPPED,
      ...(process.env.CONFORMANCE_LEFT_OUT !== undefined && { leftOut: process.env.CONFORMANCE_LEFT_OUT }),
      faults: [...this.#faults, ...(status === 'timedout' ? ['the run reached its time limit'] : [])],
      interrupted: status === 'interrupted',
      id,
      journal: journalOf(out, id),
    });
    assertValid(result);
    const written = this.#write(result, status === 'interrupted');
    this.#written = written === true;
    console.log(`\n${printable(terminal(result))}`);
    if (written && this.#suite) console.log(`Results: ${join(out, 'conformance.md')}; npm run report creates the Allure report`);
    return { status: result.exitCode === 0 && written !== false ? 'passed' : status === 'interrupted' ? status : 'failed' };
  }

  /** Removes what the runner itself wrote: attachments are in the results. */
  onExit(): Promise<void> {
    const { CONFORMANCE_ARTIFACTS: artifacts } = process.env;
    if (artifacts) rmSync(artifacts, { recursive: true, force: true });
    // Without results only this code shows that a line was printed.
    if (!this.#listing && !this.#written) process.exit(3);
    return Promise.resolve();
  }

  /** Writes the results; undefined if nothing ran, so that an earlier run's stay; false if they cannot be written. */
  #write(result: Result, interrupted: boolean): boolean | undefined {
    const { out, strict } = this.#settings;
    const run = publishedRun();
    if (!this.#suite && this.#outage === undefined && !interrupted) return undefined;
    const page = markdown(result);
    try {
      const { CONFORMANCE_ID: id = randomUUID() } = process.env;
      // Reports of shards are merged without a run; where the target was out of order no check was begun.
      if (!ownsFolder(out, id)) claimFolder(out, id, run ? ['allure-results'] : []);
      if (!this.#suite || !run) clearFolder(out, id);
      writeWhole(join(out, 'ledger.json'), `${JSON.stringify(trafficOf(this.#suite, run, journalOf(out, id)).created, null, 2)}\n`);
      writeWhole(join(out, 'conformance.md'), page);
      writeWhole(join(out, 'junit.xml'), junit(result, strict));
      // The last, because it is what the command looks for.
      writeWhole(join(out, 'conformance.json'), `${JSON.stringify(result, null, 2)}\n`);
      rmSync(journalOf(out, id), { force: true });
    } catch (error) {
      console.error(error instanceof SettingsError ? error.message : `The results cannot be written (${(error as Error).message})`);
      return false;
    }
    const { GITHUB_STEP_SUMMARY: summary } = process.env;
    try {
      // A pipe that nobody reads would be waited for.
      if (summary && existsSync(summary) && !statSync(summary).isFile()) throw new Error('it is not a file');
      if (summary) appendFileSync(summary, page);
    } catch (error) {
      console.error(`Warning: the job summary cannot be written (${(error as Error).message})`);
    }
    return true;
  }
}

/** Writes a file, or nothing at all: whoever reads a part of it may take it for the whole. */
function writeWhole(path: string, text: string): void {
  const part = `${path}.part`;
  try {
    writeFileSync(part, text);
    renameSync(part, path);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
}

/** Returns the redactor of the run's credentials; before the run is opened it changes nothing. */
function redactorOfRun(): Redact {
  const run = publishedRun();
  return run ? redactor(secretsOfRun(run).all) : (text) => text;
}

/** Says which secrets of a run its results may show. */
function warnings({ merchant, other, headers, baseUrl }: Run): string[] {
  const halves = [['TRUSTLY_', merchant] as const, ...(other ? [['TRUSTLY_OTHER_', other] as const] : [])].flatMap(
    ([prefix, { accessId, accessKey }]) => [
      { name: `${prefix}ACCESS_ID`, value: accessId },
      { name: `${prefix}ACCESS_KEY`, value: accessKey },
    ],
  );
  const warn =
    (how: string) =>
    ({ name, value }: { name: string; value: string }) => {
      const why = whyGuessable(value, baseUrl);
      return why === undefined ? [] : [`Warning: ${name} ${why}: it is ${how}.`];
    };
  return [
    ...halves.flatMap(warn('redacted only together with the other half of its pair, as HTTP Basic sends them')),
    ...headers.map(({ variable, value }) => ({ name: variable, value })).flatMap(warn('not redacted')),
  ];
}

function countChecks(tests: TestCase[]): Partial<Record<Outcome, number>> {
  const counts: Partial<Record<Outcome, number>> = {};
  for (const test of tests) {
    if (leftOut(test) !== undefined) continue;
    const outcome = worst(judge(test).judgements.map((judgement) => judgement.outcome)) ?? 'inconclusive';
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

function assertValid(result: Result): void {
  const ajv = new Ajv2020({ strictTypes: false });
  addFormats.default(ajv);
  if (!ajv.validate(schema, result)) throw new Error(`conformance.json does not validate: ${ajv.errorsText()}`);
}
