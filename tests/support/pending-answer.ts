import type { Answer } from '../../target/answer.ts';
import type { CheckHost } from './host.ts';

/** The answer to a request that was sent: await it, or await it on a condition without which the check ends. */
export class PendingAnswer implements PromiseLike<Answer> {
  readonly #answer: Promise<Answer>;
  readonly #host: Pick<CheckHost, 'end'>;
  readonly #customerId: string | undefined;

  /** `customerId`: the customer that an accepted answer has to name. */
  constructor(answer: Promise<Answer>, host: Pick<CheckHost, 'end'>, customerId?: string) {
    this.#answer = answer;
    this.#host = host;
    this.#customerId = customerId;
  }

  // biome-ignore lint/suspicious/noThenProperty: it is awaited like a promise
  then<Result, Failure = never>(
    onAnswer?: ((answer: Answer) => Result | PromiseLike<Result>) | null,
    onError?: ((error: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Result | Failure> {
    return this.#answer.then(onAnswer as (answer: Answer) => Result, onError);
  }

  /** Ends the check as not testable unless the request was accepted, and an update reached its customer. Other checks judge that. */
  async orNotTestable(): Promise<Answer> {
    const answer = await this.#answer;
    const { customer } = answer;
    if (!customer) this.#host.end('not-testable', `a request that the check needs was not accepted: ${answer}`);
    if (this.#customerId !== undefined && customer.customerId !== this.#customerId) {
      this.#host.end('not-testable', 'the update reached another customer');
    }
    return answer;
  }

  /** Ends the check as not applicable if the request was refused, and as not testable like `orNotTestable`. */
  async orNotApplicable(reason: string): Promise<Answer> {
    const answer = await this.#answer;
    if (answer.refused) this.#host.end('not-applicable', reason);
    return await this.orNotTestable();
  }

  /** Ends the check as not testable unless the request was refused. */
  async refusedOrNotTestable(): Promise<Answer> {
    const answer = await this.#answer;
    if (!answer.refused) this.#host.end('not-testable', `the request was not refused: ${answer}`);
    return answer;
  }

  /** Ends the check as not applicable if the request was accepted, and as not testable if it was not answered as a request is. */
  async refusedOrNotApplicable(reason: string): Promise<Answer> {
    const answer = await this.#answer;
    if (answer.ok()) this.#host.end('not-applicable', reason);
    return await this.refusedOrNotTestable();
  }
}
