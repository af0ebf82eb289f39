import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { People } from '../../generators/customers.ts';
import { requirementOf } from '../../schemas/catalogue.ts';
import { of } from '../../schemas/mark.ts';
import type { Ending } from '../../schemas/outcomes.ts';
import type { RequirementId } from '../../schemas/requirement-id.ts';
import type { Answer } from '../../target/answer.ts';
import type { Client } from '../../target/client.ts';
import { type Counterexample, type Step, writeCounterexample } from '../../target/counterexample.ts';
import { type CaseLog, curl } from '../../target/exchange.ts';
import { unique } from '../../target/ledger.ts';
import type { RateLimiter } from '../../target/limiter.ts';
import { shorten } from '../../target/printable.ts';
import { redactor } from '../../target/redaction.ts';
import { type Run, reserve, secretsOfRun } from '../../target/run.ts';
import { type Replay, writeReplay } from '../../target/settings.ts';
import type { AnswerViolation } from './answer-violation.ts';
import { Customers, NoResponse, type TargetKnowledge } from './customers.ts';
import { factors } from './depth.ts';
import { type CheckHost, Ended } from './host.ts';
import { describe, expect, failure, SHOWN } from './matchers.ts';

/** A promise that a case saw broken. */
export class Violation extends Error {
  override name = 'Violation';
  readonly requirement: RequirementId;
  readonly lines: readonly { expected: string; actual: string }[];

  /** `lines`: what was expected and what came; `answer`: the last one, which shows it. */
  constructor(requirement: RequirementId, headline: string, lines: readonly { expected: string; actual: string }[], answer: Answer) {
    super(failure(headline, [...lines], answer));
    this.requirement = requirement;
    this.lines = lines;
  }
}

/** How much a generated check does. */
export type Plan = {
  /** Cases at standard depth. */
  cases: number;
  /** A race is not made shorter: what a smaller one does not show is no proof. */
  shrinks?: boolean;
};

/** What making a failing case shorter may take: milliseconds and requests. */
const SHRINKING = { time: 60_000, requests: 2_000 };
/** Requests and customers that one case may make. */
const BUDGET = { requests: 100, customers: 40 };

type Failure = { requirement: RequirementId; message: string; lines: readonly { expected: string; actual: string }[]; steps: Step[] };
type Outcome = { failure?: Failure; ended?: { ending: Ending; reason: string }; requests: number };

/** Performs a part of a case that has so many requests in flight at once. */
export type AtOnce = <Result>(slots: number, part: () => Promise<Result>) => Promise<Result>;

/** What holds of every case. */
type Property<Value> = (customers: Customers, value: Value, atOnce: AtOnce) => Promise<void>;

/** What a generated check needs of its worker. */
type Options = {
  run: Run;
  client: Client;
  outsider: Client;
  limiter: RateLimiter;
  knowledge: TargetKnowledge;
  /** The check's own title, and which attempt this is, from 0. */
  title: string;
  attempt: number;
  /** Where the check itself ends and shows exchanges. */
  host: CheckHost;
  /** Takes what the check did, once it is over. */
  keep: (log: CaseLog) => Promise<void>;
};

/** The cases of a generated check: many customers at once, and of the first that fails the shortest form. */
export class Cases {
  readonly #options: Options;
  readonly #log: CaseLog;

  constructor(options: Options) {
    this.#options = options;
    this.#log = { requests: 0, cases: 0, created: [], seed: seedOf(options), path: null };
  }

  /** How many requests may be in flight. */
  get concurrency(): number {
    return this.#options.run.limits.concurrency;
  }

  /** Ends the check: this target, or these settings, have not what it is about. */
  notApplicable(reason: string): never {
    return this.#options.host.end('not-applicable', reason);
  }

  /**
   * Holds a property against its cases, each with customers of its own. The same seed gives the same cases in the same order, whatever the
   * concurrency; the first that fails is made shorter, one request after the other. `draw` makes the arbitrary; a history's takes fast-check's
   * replayPath.
   */
  async hold<Value>(plan: Plan, draw: (commands?: string) => fc.Arbitrary<Value>, property: Property<Value>): Promise<void> {
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

  /** Runs every case, so many at once as may be in flight. */
  async #search<Value>(
    plan: Plan,
    draw: (commands?: string) => fc.Arbitrary<Value>,
    property: Property<Value>,
  ): Promise<{ counterexample?: string } | { ending: Ending; reason: string }> {
    const { run } = this.#options;
    const { seed } = this.#log;
    const { cases, shrinks = true } = plan;
    const numRuns = Math.max(2, Math.round(cases * factors[run.depth]));
    const values = fc.sample(draw(), { seed, numRuns });
    const outcomes: (Outcome | undefined)[] = values.map(() => undefined);
    let next = 0;
    let passing: { failure: Failure; index: number } | undefined;
    while (next < values.length) {
      let over = false;
      const work = async () => {
        while (!over && next < values.length) {
          const index = next;
          next += 1;
          const outcome = await this.#perform(values[index] as Value, property, `case ${index}`);
          outcomes[index] = outcome;
          if (outcome.failure || (outcome.ended && outcome.ended.ending !== 'not-applicable')) over = true;
        }
      };
      await Promise.all(Array.from({ length: run.limits.concurrency }, work));

      const index = outcomes.findIndex((outcome) => outcome?.failure);
      const first = outcomes[index]?.failure;
      if (!first) break;
      const shortest = shrinks ? await this.#shrink(first, index, draw, property) : { failure: first, path: String(index), how: '' };
      if (shortest)
        return { counterexample: await this.#tell(shortest.failure, shortest, `case ${index + 1} of ${numRuns}${shortest.how}`) };
      // Alone it does not fail: another case's request reached its customers. Another case may show that by itself.
      passing ??= { failure: first, index };
      outcomes[index] = undefined;
      if (index + 1 < next) next = index + 1;
    }
    if (passing) {
      const note = `case ${passing.index + 1} of ${numRuns}, which does not fail alone`;
      return { counterexample: await this.#tell(passing.failure, { path: String(passing.index) }, note) };
    }
    const ended = outcomes.flatMap((outcome) => outcome?.ended ?? []);
    const open = ended.find(({ ending }) => ending !== 'not-applicable');
    return open ?? (ended.length === values.length && ended[0] ? ended[0] : {});
  }

  /** Makes a failing case shorter, as long as it breaks the same requirement; undefined where it does not fail again. */
  async #shrink<Value>(
    first: Failure,
    index: number,
    draw: (commands?: string) => fc.Arbitrary<Value>,
    property: Property<Value>,
  ): Promise<{ failure: Failure; path: string; commands?: string; how: string } | undefined> {
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
    // Of the value itself and everything shorter: one initial run, at the place where the case stands.
    const { seed } = this.#log;
    const details = await fc.check(fc.asyncProperty(draw(), attempt), { seed, path: String(index), numRuns: 1 });
    if (!details.failed) return undefined;
    const commands = /replayPath="([^"]*)"/.exec(fc.stringify(details.counterexample?.[0]))?.[1];
    return {
      failure: failing,
      path: details.counterexamplePath ?? String(index),
      ...(commands && { commands }),
      how: `; made shorter in ${tries} tries${cut && `, which was cut off after ${cut}`}`,
    };
  }

  /** Repeats one case. */
  async #repeat<Value>(
    { seed, path, commands }: Omit<Replay, 'title'>,
    draw: (commands?: string) => fc.Arbitrary<Value>,
    property: Property<Value>,
  ): Promise<{ counterexample?: string } | { ending: Ending; reason: string }> {
    let outcome: Outcome = { requests: 0 };
    const attempt = async (value: Value) => {
      outcome = await this.#perform(value, property, `repeated ${this.#options.attempt}`);
      // Past the end of a path fast-check would go on with what lies beside it.
      throw new Error('once');
    };
    this.#log.seed = seed;
    await fc.check(fc.asyncProperty(draw(commands), attempt), { seed, path, numRuns: 1, endOnFailure: true });
    if (outcome.failure) return { counterexample: await this.#tell(outcome.failure, { path, commands }, 'the case was repeated') };
    return outcome.ended ?? {};
  }

  /** Performs one case with customers of its own. */
  async #perform<Value>(value: Value, property: Property<Value>, name: string): Promise<Outcome> {
    const { run, client, outsider, limiter, knowledge, title, attempt, host } = this.#options;
    const steps: Step[] = [];
    const reported: { answer: Answer; violation: AnswerViolation }[] = [];
    let current = '';
    const caseHost: CheckHost = {
      id: host.id,
      step: (intent, body) => {
        current = intent;
        return body();
      },
      attach: (answer) => {
        steps.push({ intent: current, answer });
        return Promise.resolve();
      },
      report: (answer, violation) => reported.push({ answer, violation }),
      end: (ending, reason) => {
        throw new Ended(ending, reason);
      },
    };
    const people = new People({
      seed: run.seed,
      name: `${title} › ${name} › ${attempt}`,
      prefix: run.prefix,
      reserve: (text) => reserve(run, 'people', text, randomUUID()),
      overrides: run.overrides,
    });
    const customers = new Customers({ client, outsider, run, limiter, host: caseHost, budget: BUDGET, people, knowledge });
    const failed = (requirement: RequirementId, message: string, lines: Failure['lines'] = []) => ({ requirement, message, lines, steps });
    let outcome: Omit<Outcome, 'requests'> = {};
    let release = await limiter.take(1);
    // Nothing is held while more is waited for, so that no case waits for another for ever.
    const atOnce: AtOnce = async (slots, part) => {
      release();
      release = await limiter.take(slots);
      const result = await part();
      release();
      release = await limiter.take(1);
      return result;
    };
    try {
      await property(customers, value, atOnce);
    } catch (error) {
      if (error instanceof Ended) outcome = { ended: { ending: error.ending, reason: error.message } };
      else if (error instanceof Violation) outcome = { failure: failed(error.requirement, error.message, error.lines) };
      else if (error instanceof NoResponse) outcome = { failure: failed('REF-3', error.message) };
      else throw error;
    } finally {
      release();
    }
    const [violation] = reported;
    // What every answer promises comes first: what is wrong with the customer may follow from it.
    if (violation) {
      const { id, message, lines = [] } = violation.violation;
      outcome = { failure: failed(id, failure(message, lines, violation.answer), lines) };
    }
    this.#log.cases += 1;
    this.#count(steps);
    return { ...outcome, requests: steps.length };
  }

  #count(steps: readonly Step[]): void {
    this.#log.requests += steps.length;
    this.#log.created.push(...steps.flatMap(({ answer }) => answer.created ?? []));
  }

  /** Tells a failure as a person needs it, once for each cause in a run. */
  async #tell(found: Failure, place: { path: string; commands?: string | undefined }, note: string): Promise<string> {
    const { run, title, host } = this.#options;
    const { seed } = this.#log;
    this.#log.path = place.path;
    const shape = `${found.requirement} ${found.lines.map(({ expected }) => expected.split(' ')[0]).join()} ${found.steps.length}`;
    if (!reserve(run, 'causes', shape, title)) {
      host.end('not-testable', `${found.requirement} fails in a way that another generated check tells`);
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

  #write(found: Failure): string {
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

/** A check's own seed, of the run's. */
function seedOf({ run, title }: Options): number {
  return createHash('sha256').update(`${run.seed} ${title}`).digest().readInt32BE();
}
