import { type TestInfo, test } from '@playwright/test';
import type { Ending } from '../../schemas/outcomes.ts';
import type { Answer } from '../../target/answer.ts';
import { EXCHANGE_TYPE, toAllure } from '../../target/exchange.ts';
import type { AnswerViolation } from './answer-violation.ts';
import { expect } from './matchers.ts';

/** Ends an attempt without a judgement when Playwright cannot skip: a case of a generated check, a second attempt, the proof. */
export class Ended extends Error {
  override name = 'Ended';
  readonly ending: Ending;

  constructor(ending: Ending, reason: string) {
    super(reason);
    this.ending = ending;
  }
}

/** Where a check is performed: under Playwright, or in the proof of the suite, which performs it on many servers. */
export type CheckHost = {
  /** Identifies the check when it reserves a value. */
  id: string;
  /** Performs a part of the check under a name that says what it is for. */
  step<T>(intent: string, body: () => Promise<T>): Promise<T>;
  /** Shows an exchange in the current step. */
  attach(answer: Answer): Promise<void>;
  /** Takes a violation that the check is not about; the check continues. */
  report(answer: Answer, violation: AnswerViolation): void;
  /** Ends the check. */
  end(ending: Ending, reason: string): never;
};

/** A check under Playwright, except how it ends, which depends on the attempt. */
export function playwrightHost(info: TestInfo): Omit<CheckHost, 'end'> {
  return {
    id: info.testId,
    // Boxed: a failure points at the check's own line.
    step: (intent, body) => test.step(intent, body, { box: true }),
    attach: (answer) =>
      info.attach(`${answer.exchange.request.method} ${answer}`, {
        contentType: EXCHANGE_TYPE,
        body: JSON.stringify({ ...toAllure(answer.exchange), created: answer.created ?? null }),
      }),
    report: (answer, violation) => expect.soft(answer).toViolate(violation),
  };
}
