import leven from 'leven';
import { areas, catalogue, generatedAreas, isRequirementId, requirementOf } from '../schemas/catalogue.ts';
import { collectChecks } from './check-collector.ts';
import { requirementPage } from './requirement-page.ts';

const [asked = ''] = process.argv.slice(2);
const id = asked.toUpperCase();
if (isRequirementId(id)) {
  console.log(requirementPage(requirementOf(id), await collectChecks([...areas, ...generatedAreas]), ''));
} else {
  const ids = catalogue.map((row) => row.id);
  const nearest = ids.toSorted((a, b) => leven(id, a) - leven(id, b))[0];
  console.error(
    asked ? `There is no requirement ${asked}; did you mean ${nearest}?` : `Write a requirement's id: npm run explain -- ${nearest}`,
  );
  process.exitCode = 3;
}
