import fc from 'fast-check';
import { verifyAll } from './support/commands.ts';
import { generatedCheck, test } from './support/fixtures.ts';
import { begin, histories } from './support/history.ts';

const requirements = generatedCheck(
  ...(['UPD-9', 'UPD-1', 'UPD-2', 'UPD-3', 'UPD-4', 'UPD-7', 'UPD-10', 'NULL-1', 'NULL-3', 'NULL-4', 'IDY-1', 'IDY-2', 'IDY-3'] as const),
  ...(['IDY-7', 'CRE-1', 'CRE-2', 'REF-1', 'REF-4', 'ANS-5'] as const),
);

test.describe('a history', () => {
  test('of any requests leaves every customer as the requests say', requirements, async ({ cases }) => {
    await cases.run({ cases: 40 }, histories, async (customers, { start, commands }) => {
      const { model, real } = await begin(customers, start);
      await fc.asyncModelRun(() => ({ model, real }), commands);
      await verifyAll(model, real);
    });
  });
});
