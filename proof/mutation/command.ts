import { startSandbox } from '../../sandbox/server.ts';
import { areas } from '../../schemas/catalogue.ts';
import { Stopped } from '../../target/limiter.ts';
import { collectChecks } from '../check-collector.ts';
import { runChecks } from '../check-runner.ts';

/** Performs every example check on the sandbox that this copy of the project holds: exit 1 at the first that fails, and says which. */
async function main(): Promise<string | undefined> {
  const { baseUrl, merchants } = await startSandbox();
  const checks = await collectChecks(areas);
  const told: string[] = [];
  await runChecks(checks, { baseUrl, merchants, consistentReads: true }, ({ check, judgements, faults }) => {
    told.push(...faults.map((fault) => `FAULT OF THE SUITE in ${check.title}: ${fault}`));
    const failed = judgements.find(({ outcome }) => outcome === 'failed');
    if (failed) told.push(`${failed.requirement}: ${check.title}`);
    return told.length > 0;
  }).catch((error) => {
    if (!(error instanceof Stopped)) throw error;
    told.push(`out of order: ${error.message}`);
  });
  return told[0];
}

const caught = await main();
if (caught) console.log(caught);
// The sandbox still listens.
process.exit(caught ? 1 : 0);
