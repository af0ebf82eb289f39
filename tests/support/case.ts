import { randomUUID } from 'node:crypto';
import { People } from '../../generators/customers.ts';
import type { Ending } from '../../schemas/outcomes.ts';
import type { RequirementId } from '../../schemas/requirement-id.ts';
import type { Answer } from '../../target/answer.ts';
import type { Client } from '../../target/client.ts';
import type { Step } from '../../target/counterexample.ts';
import type { RateLimiter } from '../../target/limiter.ts';
import type { Mismatch } from '../../target/mismatch.ts';
import { type Run, reserve } from '../../target/run.ts';
import type { AnswerViolation } from './answer-violation.ts';
import { Customers, type TargetKnowledge } from './customers.ts';
import { type CheckHost, Ended } from './host.ts';
import { failure } from './matchers.ts';
import { NoResponse } from './sender.ts';
import { Violation } from './violation.ts';

/** Requests and customers that one case may make. */
const BUDGET = { requests: 100, customers: 40 };

/** How a case failed, with its exchanges. */
export type CaseFailure = { requirement: RequirementId; message: string; lines: readonly Mismatch[]; steps: Step[] };
/** The result of a case. */
export type CaseResult = { failure?: CaseFailure; ended?: { ending: Ending; reason: string }; steps: Step[] };

/** Performs a part of a case that sends this many concurrent requests. */
export type AtOnce = <Result>(slots: number, part: () => Promise<Result>) => Promise<Result>;

/** A property in fast-check's sense: a function that throws if a case breaks it. */
export type Property<Value> = (customers: Customers, value: Value, atOnce: AtOnce) => Promise<void>;

/** What a case needs of its worker. */
export type CaseOptions = {
  run: Run;
  client: Client;
  outsider: Client;
  limiter: RateLimiter;
  knowledge: TargetKnowledge;
};

/** The host of one case: it collects the exchanges and what answers violate. */
class CaseHost implements CheckHost {
  readonly id: string;
  readonly steps: Step[] = [];
  readonly reported: { answer: Answer; violation: AnswerViolation }[] = [];
  #intent = '';

  constructor(id: string) {
    this.id = id;
  }

  step<T>(intent: string, body: () => Promise<T>): Promise<T> {
    this.#intent = intent;
    return body();
  }

  attach(answer: Answer): Promise<void> {
    this.steps.push({ intent: this.#intent, answer });
    return Promise.resolve();
  }

  report(answer: Answer, violation: AnswerViolation): void {
    this.reported.push({ answer, violation });
  }

  end(ending: Ending, reason: string): never {
    throw new Ended(ending, reason);
  }
}

/** Runs one case with customers of its own. `id` is the check's; `name` is what the seed is mixed with. */
export async function runCase<Value>(
  options: CaseOptions,
  { id, name }: { id: string; name: string },
  value: Value,
  property: Property<Value>,
): Promise<CaseResult> {
  const { run, limiter } = options;
  const host = new CaseHost(id);
  const people = new People({
    seed: run.seed,
    name,
    prefix: run.prefix,
    reserve: (text) => reserve(run, 'people', text, randomUUID()),
    overrides: run.overrides,
  });
  const customers = new Customers({ ...options, host, budget: BUDGET, people });
  let release = await limiter.take(1);
  // A case has no slots while it waits for more, so that no two cases wait for each other.
  const atOnce: AtOnce = async (slots, part) => {
    release();
    release = await limiter.take(slots);
    const result = await part();
    release();
    release = await limiter.take(1);
    return result;
  };
  let result: Omit<CaseResult, 'steps'> = {};
  try {
    await property(customers, value, atOnce);
  } catch (error) {
    result = resultOf(error, host.steps);
  } finally {
    release();
  }
  const [first] = host.reported;
  if (!first) return { ...result, steps: host.steps };
  // Violations of what every answer promises come first: they may be the cause of a wrong customer.
  const { id: requirement, message, lines = [] } = first.violation;
  return { failure: { requirement, message: failure(message, lines, first.answer), lines, steps: host.steps }, steps: host.steps };
}

/** Returns what an error of a case means. Throws what is neither an end nor a violation. */
function resultOf(error: unknown, steps: Step[]): Omit<CaseResult, 'steps'> {
  if (error instanceof Ended) return { ended: { ending: error.ending, reason: error.message } };
  if (error instanceof Violation) {
    return { failure: { requirement: error.requirement, message: error.message, lines: error.lines, steps } };
  }
  if (error instanceof NoResponse) return { failure: { requirement: 'REF-3', message: error.message, lines: [], steps } };
  throw error;
}
