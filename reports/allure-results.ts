import { rmSync } from 'node:fs';
import type { FullConfig, FullProject, Suite, TestCase, TestResult, TestStep } from '@playwright/test/reporter';
import { AllureReporter } from 'allure-playwright';
import { ERROR_CONTEXT } from './reporter.ts';

/** What a tester reads: the check's own steps, their exchanges, its expectations. Hooks, fixtures and API calls are the runner's. */
const READ = ['test.step', 'test.attach', 'attach', 'expect'];

const isRead = ({ category, title }: TestStep) => READ.includes(category) && !title.includes(ERROR_CONTEXT);

/** allure-playwright without the runner's noise. If its files cannot be written the run goes on without them. */
export default class AllureResultsReporter extends AllureReporter {
  #failed = false;

  constructor(config: ConstructorParameters<typeof AllureReporter>[0]) {
    super(config);
    // It awaits the writing of attachments only at the end; a failure before that would end the process.
    process.on('unhandledRejection', (error: NodeJS.ErrnoException) => {
      if (error.syscall === undefined) throw error;
      this.#giveUp(error);
    });
  }

  /** Does a part of the reporting, unless one has failed. */
  async #attempt(part: () => void | Promise<void>): Promise<void> {
    try {
      if (!this.#failed) await part();
    } catch (error) {
      this.#giveUp(error as Error);
    }
  }

  /** Removes what was written, which makes room for the results that matter. */
  #giveUp({ message }: Error): void {
    const { resultsDir } = this.options;
    if (resultsDir) rmSync(resultsDir, { recursive: true, force: true });
    if (!this.#failed) console.error(`Warning: the Allure results cannot be written (${message.split(', ')[0]})`);
    this.#failed = true;
  }

  override onBegin(suite: Suite): void {
    void this.#attempt(() => super.onBegin(suite));
  }

  override onTestBegin(test: TestCase): void {
    void this.#attempt(() => super.onTestBegin(test));
  }

  override onTestEnd(test: TestCase, result: TestResult): Promise<void> {
    return this.#attempt(() => super.onTestEnd(test, result));
  }

  override async onEnd(): Promise<void> {
    // allure-playwright also writes the tests that did not run, but a list of the checks has no results.
    if (!process.argv.includes('--list')) await this.#attempt(() => super.onEnd());
  }

  /** Where the reports of shards are merged there are no projects, and allure-playwright looks for the first one's folders. */
  override onConfigure(config: FullConfig): void {
    const nowhere = { outputDir: '', snapshotDir: '' } as FullProject;
    super.onConfigure(config.projects.length ? config : { ...config, projects: [nowhere] });
  }

  override onStepBegin(test: TestCase, result: TestResult, step: TestStep): void {
    if (!isRead(step)) return;
    // A failure is confirmed where fixtures are torn down; the report shows the second attempt below the first.
    if (step.parent && !READ.includes(step.parent.category)) delete step.parent;
    void this.#attempt(() => super.onStepBegin(test, result, step));
  }

  override onStepEnd(test: TestCase, result: TestResult, step: TestStep): void {
    if (isRead(step)) void this.#attempt(() => super.onStepEnd(test, result, step));
  }
}
