import { areas, catalogue, generatedAreas, isRequirementId, requirementOf } from '../schemas/catalogue.ts';
import { collectChecks } from './check-collector.ts';
import { findServer, suggest } from './find.ts';
import { requirementPage } from './requirement-page.ts';
import { serverPage } from './server-page.ts';

const [asked = ''] = process.argv.slice(2);
const id = asked.toUpperCase();
const server = findServer(asked);
if (isRequirementId(id)) {
  console.log(requirementPage(requirementOf(id), await collectChecks([...areas, ...generatedAreas]), ''));
} else if (typeof server !== 'string') {
  console.log(serverPage(server));
} else {
  const ids = catalogue.map((row) => row.id);
  console.error(
    asked === ''
      ? 'Write the id of a requirement or the name of a server: npm run explain -- NULL-1'
      : /^[a-z]+-?\d*$/i.test(asked)
        ? `There is no requirement ${asked}; ${suggest(id, ids)}`
        : server,
  );
  process.exitCode = 3;
}
