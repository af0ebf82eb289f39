import type { FullConfig, FullProject, TestCase, TestResult, TestStep } from '@playwright/test/reporter';
import { AllureReporter } from 'allure-playwright';

/** What a tester reads: the check's own steps, their exchanges, its expectations. Hooks, fixtures and API calls are the runner's. */
const READ = ['test.step', 'test.attach', 'attach', 'expect'];

/** allure-playwright without the runner's noise. */
export default class AllureResultsReporter extends AllureReporter {
  /** Where the reports of shards are merged there are no projects, and allure-playwright looks for the first one's folders. */
  override onConfigure(config: FullConfig): void {
    const nowhere = { outputDir: '', snapshotDir: '' } as FullProject;
    super.onConfigure(config.projects.length ? config : { ...config, projects: [nowhere] });
  }

  override onStepBegin(test: TestCase, result: TestResult, step: TestStep): void {
    if (READ.includes(step.category)) super.onStepBegin(test, result, step);
  }

  override onStepEnd(test: TestCase, result: TestResult, step: TestStep): void {
    if (READ.includes(step.category)) super.onStepEnd(test, result, step);
  }
}
