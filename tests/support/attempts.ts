import { type TestInfo, test } from '@playwright/test';
import { words } from '../../schemas/outcomes.ts';
import type { RequirementId } from '../../schemas/requirement-id.ts';
import { ATTEMPT_TYPE, type AttemptRecord } from '../../target/attempt.ts';
import { recordAsserted } from './asserted.ts';
import { type CheckHost, Ended, playwrightHost } from './host.ts';
import { strict } from './strict.ts';

/** Makes the fixtures of an attempt: its number, from 0, gives it data of its own. */
type Begin<Fixtures> = (attempt: number, host: CheckHost) => Fixtures;

/**
 * Performs a check, and once more with fresh data if it failed, in the same worker. Playwright's own retry starts another worker, which takes
 * longer than most checks, and it ends the worker of every test that fails unexpectedly; so the failure is declared expected here, and the
 * suite's reporter takes that back. If that reporter is not in use (UI mode, `--reporter`), a failure stays Playwright's.
 */
export async function performAttempts<Fixtures extends object>(
  info: TestInfo,
  begin: Begin<Fixtures>,
  use: (fixtures: Fixtures) => Promise<void>,
): Promise<void> {
  const asserted = recordAsserted();
  const confirmed: RequirementId[] = [];
  let ended: AttemptRecord['ended'];
  const host = playwrightHost(info);
  const end: CheckHost['end'] = (ending, reason) => {
    ended = { ending, reason };
    return skip(info, ended);
  };
  const report: CheckHost['report'] = (answer, violation) => {
    if (violation.confirmed) confirmed.push(violation.id);
    host.report(answer, violation);
  };
  await use(begin(info.retry, { ...host, end, report }));
  record(info, { asserted: [...asserted], confirmed, ...(ended && { ended }) });
  if (info.status !== 'failed' || process.env.CONFORMANCE_REPORTER === undefined) return;
  info.expectedStatus = 'failed';
  if (info.retry < info.project.retries) await confirm(info, (host) => begin(info.retry + 1, host));
}

/** Thrown when a check asks for a fixture that only Playwright makes. */
class UnknownFixture extends Error {}

/** Ends a check before its first attempt. */
export function endBefore(info: TestInfo, ended: AttemptRecord['ended'] & object): never {
  record(info, { asserted: [], ended });
  return skip(info, ended);
}

async function confirm(info: TestInfo, begin: (host: CheckHost) => object): Promise<void> {
  const asserted = recordAsserted();
  let ended: AttemptRecord['ended'];
  const end: CheckHost['end'] = (ending, reason) => {
    throw new Ended(ending, reason);
  };
  try {
    await test.step('confirm with fresh data', async () => {
      try {
        await info.fn(
          strict(begin({ ...playwrightHost(info), end }), () => new UnknownFixture()),
          info,
        );
      } catch (error) {
        if (!(error instanceof Ended)) throw error;
        ended = { ending: error.ending, reason: error.message };
      }
    });
  } catch (error) {
    if (error instanceof UnknownFixture) {
      // Unexpected again, so that Playwright retries the check with all its fixtures.
      info.expectedStatus = 'passed';
      return;
    }
    // Playwright counts the error after this fixture is torn down.
    record(info, { asserted: [...asserted] }, 1);
    throw error;
  }
  record(info, { asserted: [...asserted], ...(ended && { ended }) });
}

function record(info: TestInfo, attempt: Omit<AttemptRecord, 'errors'>, coming = 0): void {
  const description = JSON.stringify({ errors: info.errors.length + coming, ...attempt } satisfies AttemptRecord);
  info.annotations.push({ type: ATTEMPT_TYPE, description });
}

function skip(info: TestInfo, { ending, reason }: AttemptRecord['ended'] & object): never {
  info.skip(true, `${words[ending]}: ${reason}`);
  throw new Error('Playwright went on with a check that was skipped');
}
