import type { Reporter, Suite } from '@playwright/test/reporter';

/** Ends a run with the one line that counts what ran. */
export default class TallyReporter implements Reporter {
  #suite: Suite | undefined;
  #errors = 0;

  onBegin(_config: unknown, suite: Suite): void {
    this.#suite = suite;
  }

  onError(): void {
    this.#errors += 1;
  }

  onExit(): Promise<void> {
    const outcomes = (this.#suite?.allTests() ?? []).map((test) => test.outcome());
    const passed = outcomes.filter((outcome) => outcome === 'expected').length;
    const failed = outcomes.filter((outcome) => outcome === 'unexpected' || outcome === 'flaky').length + this.#errors;
    console.log(`${passed} passed, ${failed} failed`);
    return Promise.resolve();
  }
}
