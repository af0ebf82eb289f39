import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { requirementOf } from '../../schemas/catalogue.ts';
import { of } from '../../schemas/mark.ts';
import type { Ending } from '../../schemas/outcomes.ts';
import { type Counterexample, writeCounterexample } from '../../target/counterexample.ts';
import { unique } from '../../target/created.ts';
import { type CaseLog, curl } from '../../target/exchange.ts';
import { shorten } from '../../target/printable.ts';
import { redactor } from '../../target/redaction.ts';
import { reserve, secretsOfRun } from '../../target/run.ts';
import { type Replay, writeReplay } from '../../target/settings.ts';
import { type CaseFailure, type CaseOptions, type CaseResult, type Property, runCase } from './case.ts';
import { factors } from './depth.ts';
import type { CheckHost } from './host.ts';
import { describe, expect, SHOWN } from './matchers.ts';

/** How much a generated check does. */
export type CasePlan = {
  /** Cases at standard depth. */
  cases: number;
  /** A race is not shrunk: a smaller race that passes proves nothing. */
  shrinks?: boolean;
};

/** The limits of shrinking a failing case: milliseconds and requests. */
const SHRINKING = { time: 60_000, requests: 2_000 };
/** What a generated check needs of its worker. */
type CasesOptions = CaseOptions & {
  /** The check's own title, and which attempt this is, from 0. */
  title: string;
  attempt: number;
  /** Where the check itself ends and shows exchanges. */
  host: CheckHost;
  /** Takes what the check did, once it is over. */
  keep: (log: CaseLog) => Promise<void>;
};

/** The cases of a generated check: they run concurrently, and the first that fails is shrunk. */
export class Cases {
  readonly #options: CasesOptions;
  readonly #log: CaseLog;

  constructor(options: CasesOptions) {
    this.#options = options;
    this.#log = { requests: 0, cases: 0, created: [], seed: seedOf(options), path: null };
  }

  /** How many requests may be in flight. */
  get concurrency(): number {
    return this.#options.run.limits.concurrency;
  }

  /** Ends the check: this target, or these settings, lack what it is about. */
  notApplicable(reason: string): never {
    return this.#options.host.end('not-applicable', reason);
  }

  /**
   * Runs a property on its cases, each with customers of its own. The same seed gives the same cases in the same order, whatever the
   * concurrency; the first that fails is shrunk, one request after the other. `draw` makes the arbitrary; a history's takes fast-check's
   * replayPath.
   */
  async run<Value>(plan: CasePlan, draw: (commands?: string) => fc.Arbitrary<Value>, property: Property<Value>): Promise<void> {
    const { run, attempt, host } = this.#options;
    const again = attempt > 0 ? this.#failed() : run.replay;
    try {
      const found = again ? await this.#repeat(again, draw, property) : await this.#search(plan, draw, property);
      if ('ending' in found) host.end(found.ending, found.reason);
      else if (found.counterexample !== undefined) expect(found.counterexample).toHaveNoCounterexample();
    } finally {
      await this.#options.keep({ ...this.#log, created: unique(this.#log.created) });
    }
  }

  /**
   * Runs every case and shrinks the first that fails. First means lowest in the order of the cases, so that a seed finds the same at any
   * concurrency. A case that does not fail again by itself was disturbed by another one, which may fail by itself: the search continues after it.
   */
  async #search<Value>(
    { cases, shrinks = true }: CasePlan,
    draw: (commands?: string) => fc.Arbitrary<Value>,
    property: Property<Value>,
  ): Promise<{ counterexample?: string } | { ending: Ending; reason: string }> {
    const { seed } = this.#log;
    const numRuns = Math.max(2, Math.round(cases * factors[this.#options.run.depth]));
    const values = fc.sample(draw(), { seed, numRuns });
    const results: CaseResult[] = [];
    let disturbed: { failure: CaseFailure; index: number } | undefined;
    while (results.length < numRuns) {
      results.push(...(await this.#runBatch(values.slice(results.length), results.length, property)));
      const { failure } = results.at(-1) ?? {};
      if (!failure) break;
      const index = results.length - 1;
      const shortest = shrinks ? await this.#shrink(failure, index, draw, property) : { failure, path: String(index), how: '' };
      const note = `case ${index + 1} of ${numRuns}${shortest?.how}`;
      if (shortest) return { counterexample: await this.#report(shortest.failure, shortest, note) };
      disturbed ??= { failure, index };
    }
    if (disturbed) {
      const note = `case ${disturbed.index + 1} of ${numRuns}, which does not fail alone`;
      return { counterexample: await this.#report(disturbed.failure, { path: String(disturbed.index) }, note) };
    }
    const ended = results.flatMap((result) => result.ended ?? []);
    const open = ended.find(({ ending }) => ending !== 'not-applicable');
    return open ?? (ended.length === numRuns && ended[0] ? ended[0] : {});
  }

  /**
   * Runs cases, as many at once as may be in flight, until one fails or ends the check. Returns all results, or those up to the first that
   * failed: every case before it has ended, and what ran beyond it is dropped.
   */
  async #runBatch<Value>(values: readonly Value[], offset: number, property: Property<Value>): Promise<CaseResult[]> {
    const results: CaseResult[] = [];
    let next = 0;
    let over = false;
    const work = async () => {
      while (!over && next < values.length) {
        const index = next;
        next += 1;
        const result = await this.#perform(values[index] as Value, property, `case ${offset + index}`);
        results[index] = result;
        if (result.failure || (result.ended && result.ended.ending !== 'not-applicable')) over = true;
      }
    };
    await Promise.all(Array.from({ length: this.#options.run.limits.concurrency }, work));
    const failed = results.findIndex(({ failure }) => failure);
    return failed < 0 ? results : results.slice(0, failed + 1);
  }

  /** Shrinks a failing case while it breaks the same requirement; undefined if it does not fail again. */
  async #shrink<Value>(
    first: CaseFailure,
    index: number,
    draw: (commands?: string) => fc.Arbitrary<Value>,
    property: Property<Value>,
  ): Promise<{ failure: CaseFailure; path: string; commands?: string; how: string } | undefined> {
    const start = Date.now();
    const made = this.#log.requests;
    let failing = first;
    let tries = 0;
    let cut = '';
    const attempt = async (value: Value) => {
      if (Date.now() - start > SHRINKING.time) cut = `${SHRINKING.time / 1000} s`;
      if (this.#log.requests - made > SHRINKING.requests) cut = `${SHRINKING.requests} requests`;
      if (cut) return;
      tries += 1;
      const { failure: found } = await this.#perform(value, property, `shrinking ${index}.${tries}`);
      if (found?.requirement !== first.requirement) return;
      failing = found;
      throw new Error(found.message);
    };
    // One initial run with the value of this case, and everything that it shrinks to.
    const { seed } = this.#log;
    const details = await fc.check(fc.asyncProperty(draw(), attempt), { seed, path: String(index), numRuns: 1 });
    if (!details.failed) return undefined;
    const commands = /replayPath="([^"]*)"/.exec(fc.stringify(details.counterexample?.[0]))?.[1];
    return {
      failure: failing,
      path: details.counterexamplePath ?? String(index),
      ...(commands && { commands }),
      how: `; shrunk in ${tries} tries${cut && `, and stopped after ${cut}`}`,
    };
  }

  /** Repeats one case. */
  async #repeat<Value>(
    { seed, path, commands }: Omit<Replay, 'title'>,
    draw: (commands?: string) => fc.Arbitrary<Value>,
    property: Property<Value>,
  ): Promise<{ counterexample?: string } | { ending: Ending; reason: string }> {
    let outcome: CaseResult = { steps: [] };
    const attempt = async (value: Value) => {
      outcome = await this.#perform(value, property, `repeated ${this.#options.attempt}`);
      // Past the end of a path fast-check would go on with what lies beside it.
      throw new Error('once');
    };
    this.#log.seed = seed;
    await fc.check(fc.asyncProperty(draw(commands), attempt), { seed, path, numRuns: 1, endOnFailure: true });
    if (outcome.failure) return { counterexample: await this.#report(outcome.failure, { path, commands }, 'the case was repeated') };
    return outcome.ended ?? {};
  }

  /** Runs one case and counts what it did. */
  async #perform<Value>(value: Value, property: Property<Value>, name: string): Promise<CaseResult> {
    const { title, attempt, host } = this.#options;
    const result = await runCase(this.#options, { id: host.id, name: `${title} › ${name} › ${attempt}` }, value, property);
    this.#log.cases += 1;
    this.#log.requests += result.steps.length;
    this.#log.created.push(...result.steps.flatMap(({ answer }) => answer.created ?? []));
    return result;
  }

  /** Reports a failure, once for each cause in a run. */
  async #report(found: CaseFailure, place: { path: string; commands?: string | undefined }, note: string): Promise<string> {
    const { run, title, host } = this.#options;
    const { seed } = this.#log;
    this.#log.path = place.path;
    const shape = `${found.requirement} ${found.lines.map(({ expected }) => expected.split(' ')[0]).join()} ${found.steps.length}`;
    if (!reserve(run, 'causes', shape, title)) {
      host.end('not-testable', `${found.requirement} fails in a way that another generated check reports`);
    }
    const replay = { seed, path: place.path, title, ...(place.commands && { commands: place.commands }) };
    writeFileSync(this.#memory(), JSON.stringify(replay));
    for (const { answer } of found.steps) await host.attach(answer);
    const file = this.#write(found);
    return [
      of(found.requirement, found.message),
      `  ${note}; its exchanges:`,
      ...found.steps.flatMap(({ intent, answer }, index) => [
        `  ${index + 1}. ${intent}: ${describe(answer)}`,
        `     ${shorten(curl(answer.exchange), SHOWN.curl)}`,
      ]),
      `  seed ${seed}, path ${place.path}`,
      `  replay: TRUSTLY_REPLAY='${writeReplay(replay).replaceAll("'", "'\\''")}' npm run conformance`,
      ...(file ? [`  script: ${file}`] : []),
    ].join('\n');
  }

  #write(found: CaseFailure): string {
    const { run, title } = this.#options;
    const name = `${found.requirement}-${title}`.replaceAll(/[^\w]+/g, '-').slice(0, 80);
    const counterexample: Counterexample = {
      ...found,
      name,
      statement: requirementOf(found.requirement).statement,
      baseUrl: run.baseUrl,
      prefix: run.prefix,
      redact: redactor(secretsOfRun(run).all),
    };
    return writeCounterexample(join(run.out, 'counterexamples'), counterexample);
  }

  /** Where the first attempt leaves the case that failed, for the second to repeat it with fresh data. */
  #memory(): string {
    const { run, title } = this.#options;
    return join(run.scratch, `failed-${createHash('sha256').update(title).digest('hex')}`);
  }

  #failed(): Omit<Replay, 'title'> | undefined {
    return existsSync(this.#memory()) ? JSON.parse(readFileSync(this.#memory(), 'utf8')) : undefined;
  }
}

/** A check's own seed, derived from the run's seed. */
function seedOf({ run, title }: CasesOptions): number {
  return createHash('sha256').update(`${run.seed} ${title}`).digest().readInt32BE();
}
