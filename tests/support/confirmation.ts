import { type TestInfo, test } from '@playwright/test';
import { CONFIRMATION_TYPE, type Confirmation } from '../../reports/confirmation.ts';
import { Ended, playwrightStage, type Stage } from './stage.ts';

/**
 * Confirms a failure with fresh data, in the same worker. Playwright's own retry starts another worker, which takes longer than most checks,
 * and it ends the worker of every test that fails unexpectedly; so the failure is declared expected here, and the suite's reporter takes
 * that back. Where that reporter is not in use (UI mode, `--reporter`), a failure stays Playwright's.
 */
export async function confirm(info: TestInfo, begin: (stage: Stage) => object): Promise<void> {
  if (info.status !== 'failed' || process.env.CONFORMANCE_REPORTER === undefined) return;
  info.expectedStatus = 'failed';
  const confirmation: Confirmation = { errors: info.errors.length };
  const annotation = { type: CONFIRMATION_TYPE, description: JSON.stringify(confirmation) };
  info.annotations.push(annotation);
  if (info.retry >= info.project.retries) return;
  const end: Stage['end'] = (ending, reason) => {
    throw new Ended(ending, reason);
  };
  await test.step('confirm with fresh data', async () => {
    try {
      await info.fn(begin({ ...playwrightStage(info), end }), info);
      confirmation.ended = '';
    } catch (error) {
      if (!(error instanceof Ended)) throw error;
      confirmation.ended = `${error.ending}: ${error.message}`;
    }
  });
  annotation.description = JSON.stringify(confirmation);
}
