import type { State } from '../../generators/model.ts';
import type { Answer } from '../../target/answer.ts';
import type { TestCustomer } from './test-customer.ts';

/** What reads a stored customer. */
export type Reader = {
  /** Reads until the answer is accepted, or a read can no longer lag behind the last write. */
  read(customer: TestCustomer, expected: State, accept: (answer: Answer) => boolean): PromiseLike<Answer>;
  /** Returns the expected properties that a target may withhold and that it lost: they are absent, though it shows them of a full customer. */
  lost(expected: State, shown: State): Promise<string[]>;
};

/** A stored customer, read when an expectation asks. A read that lags is repeated, as Playwright's locators are. */
export class Stored {
  readonly customer: TestCustomer;
  readonly #reader: Reader;

  constructor(customer: TestCustomer, reader: Reader) {
    this.customer = customer;
    this.#reader = reader;
  }

  /** Reads until the customer is as expected, or a read can no longer lag behind the last write. */
  settle(expected: State, accept: (answer: Answer) => boolean): PromiseLike<Answer> {
    return this.#reader.read(this.customer, expected, accept);
  }

  /** Returns the expected properties that the target may withhold and that it lost. */
  lost(expected: State, shown: State): Promise<string[]> {
    return this.#reader.lost(expected, shown);
  }
}
