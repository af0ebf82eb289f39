import type { TestCase, TestResult, TestStep } from '@playwright/test/reporter';
import { AllureReporter } from 'allure-playwright';

/** What a tester reads: the check's own steps, their exchanges, its expectations. Hooks, fixtures and API calls are the runner's. */
const READ = ['test.step', 'test.attach', 'attach', 'expect'];

/** allure-playwright without the runner's noise. */
export default class AllureResultsReporter extends AllureReporter {
  override onStepBegin(test: TestCase, result: TestResult, step: TestStep): void {
    if (READ.includes(step.category)) super.onStepBegin(test, result, step);
  }

  override onStepEnd(test: TestCase, result: TestResult, step: TestStep): void {
    if (READ.includes(step.category)) super.onStepEnd(test, result, step);
  }
}
