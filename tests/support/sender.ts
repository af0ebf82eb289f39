import { randomUUID } from 'node:crypto';
import type { Answer } from '../../target/answer.ts';
import { type Authorization, merchant } from '../../target/authorization.ts';
import type { Budget } from '../../target/budget.ts';
import type { Client, Outgoing } from '../../target/client.ts';
import { curl } from '../../target/exchange.ts';
import { type RateLimiter, Spent, Stopped } from '../../target/limiter.ts';
import { type Run, reserve } from '../../target/run.ts';
import { type AnswerViolation, type Operation, violationsOf } from './answer-violation.ts';
import type { CheckHost } from './host.ts';

/** Thrown when a request got no answer although plain ones before and after it did. */
export class NoResponse extends Error {
  override name = 'NoResponse';
}

/** A request of a check. `oversized`: an early end of the connection is a refusal; the answer has status 0 then. */
export type CheckRequest = Omit<Outgoing, 'authorization'> & { authorization?: Authorization; oversized?: boolean };

/** What a check sends its requests with. */
export type SenderOptions = {
  client: Client;
  /** For requests with other credentials than the merchant's: it shares no connection and no cookie with `client`. */
  outsider: Client;
  run: Run;
  limiter: RateLimiter;
  host: CheckHost;
  budget: Budget;
  /** Returns the body of a request that every target accepts. */
  plain: () => object;
  authorization?: Authorization;
};

/** How many requests of a run may time out. */
const HANGS = 10;

/** Sends the requests of a check within its budget, reports violations of what every answer promises, and separates wrong answers from outages. */
export class Sender {
  readonly #options: SenderOptions;
  readonly #authorization: Authorization;
  #requests = 0;
  /** When the last request was answered that may have written something, in milliseconds of Date.now(). */
  lastWrite = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#authorization = options.authorization ?? merchant(options.run.merchant);
  }

  /** Sends a request, valid or not. `intent` names the step in reports. Throws NoResponse. */
  async send(intent: string, outgoing: CheckRequest, operation: Operation): Promise<Answer> {
    return await this.#options.host.step(intent, async () => {
      const authorization = outgoing.authorization ?? this.#authorization;
      const answer = await this.#exchange({ ...outgoing, authorization });
      if ((outgoing.method ?? 'POST') === 'POST') this.lastWrite = Date.now();
      if (answer.status() >= 300 && answer.status() < 400) {
        const location = answer.redact(answer.headers().location ?? 'nowhere', 200);
        this.#inconclusive(`a redirect is not followed: ${answer} to ${location}`);
      }
      const refusesUs = authorization === this.#authorization && [401, 403].includes(answer.status());
      if (answer.noResponse || answer.malformed || refusesUs) await this.#suspect(answer, outgoing.oversized);
      for (const violation of violationsOf(answer, operation)) this.report(answer, violation);
      return answer;
    });
  }

  /** Reports a violation that the check is not about, once per run, because one defect is one violation. */
  report(answer: Answer, violation: AnswerViolation): void {
    if (this.#isFirst(`${violation.id} ${violation.shape}`)) this.#options.host.report(answer, violation);
  }

  #isFirst(defect: string): boolean {
    return reserve(this.#options.run, 'violationsOf', defect, this.#options.host.id);
  }

  async #exchange(outgoing: Outgoing): Promise<Answer> {
    const { budget, client, outsider, host } = this.#options;
    this.#requests += 1;
    if (this.#requests > budget.requests) {
      this.#inconclusive(`the check needs more than the ${budget.requests} requests that tests/budgets.ts gives a check of its area`);
    }
    const sender = outgoing.authorization === this.#authorization ? client : outsider;
    const answer = await sender.send(outgoing).catch((error) => {
      if (error instanceof Spent) return host.end('left-out', error.message);
      if (error instanceof Stopped) return this.#inconclusive(error.message);
      throw error;
    });
    await host.attach(answer);
    return answer;
  }

  /** An answer that may mean an outage: a plain request shows. If it is answered, the target is up and only this request is at fault. */
  async #suspect(answer: Answer, oversized = false): Promise<void> {
    const plain = await this.#options.host.step('is the target still there?', () =>
      this.#exchange({ body: this.#options.plain(), authorization: merchant(this.#options.run.merchant) }),
    );
    if (plain.malformed) {
      this.report(plain, { id: 'REF-3', message: String(plain), shape: 'malformed', confirmed: true });
      this.#stop(`no answer can be read: ${plain}`);
    }
    if (plain.noResponse) this.#stop(`the target does not answer any more: ${plain}`);
    if ([401, 403].includes(plain.status())) this.#stop(`the target refuses the credentials: ${plain}`);
    if (answer.status() === 503 && plain.repeats > 0) {
      this.#inconclusive(
        'the target sometimes answers 503, even to plain requests, as if it had a rate limit; set TRUSTLY_MAX_RPS to stay under it',
      );
    }
    // The early end of the connection is a refusal of what is too large.
    if (oversized && answer.status() === 0 && !answer.malformed && !answer.toString().startsWith('no answer within')) return;
    if (answer.noResponse || answer.malformed) this.#failNoResponse(answer, plain);
  }

  #failNoResponse(answer: Answer, plain: Answer): never {
    const cause = answer.toString();
    this.#countHang(cause);
    // Once per run: each further request of the kind would cost its time-out again, and once more to confirm it.
    if (!this.#isFirst(`REF-3 ${cause}`)) this.#options.host.end('not-testable', `a request was not answered: ${cause}`);
    throw new NoResponse(`${answer}, while a plain request right after it was answered ${plain}\n  curl: ${curl(answer.exchange)}`);
  }

  /** Ends the run if too many requests timed out: the defect is known by then, and more timeouts would cost minutes. */
  #countHang(cause: string): void {
    if (!/within \d+ ms$/.test(cause)) return;
    const isFree = (_: unknown, index: number) => reserve(this.#options.run, 'hangs', String(index), randomUUID());
    if (!Array.from({ length: HANGS }).some(isFree)) this.#stop(`more than ${HANGS} requests timed out: ${cause}`);
  }

  #inconclusive(reason: string): never {
    return this.#options.host.end('inconclusive', reason);
  }

  /** Ends the run for every worker, and this check. */
  #stop(reason: string): never {
    this.#options.limiter.stop(reason);
    return this.#inconclusive(reason);
  }
}
