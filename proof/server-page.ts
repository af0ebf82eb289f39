import { existsSync, readFileSync } from 'node:fs';
import { requirementOf } from '../schemas/catalogue.ts';
import { PROOF, type ProofRow } from './catches.ts';
import { placeOf } from './places.ts';
import type { BrokenServer, LawfulServer } from './variant.ts';

/** Returns the page of a server as Markdown: what its developer did, what it breaks or limits, and which check caught it in the last proof. */
export function serverPage(server: BrokenServer | LawfulServer): string {
  const { name, why } = server;
  const isBroken = 'breaks' in server;
  const statements = (isBroken ? server.breaks : server.limits).map((id) => `- ${id}: ${requirementOf(id).statement}`);
  const place = placeOf(name);
  return [
    `# ${name}`,
    '',
    `${isBroken ? 'Broken' : 'Lawful'} server${place ? ` (${place.file}:${place.line})` : ''}. ${why}`,
    ...(statements.length
      ? ['', isBroken ? '## Breaks, the main requirement first' : '## Limits how strictly these are checked', '', ...statements]
      : []),
    ...(isBroken ? ['', '## Caught by', '', ...caughtBy(name)] : []),
    '',
    `Serve it: \`npm run serve -- ${name}\``,
  ].join('\n');
}

/** The checks that caught a server in the last proof. */
function caughtBy(name: string): string[] {
  const file = new URL(`${name}.json`, PROOF);
  if (!existsSync(file)) return [`Run \`npm run proof -- --grep ${name}\` first.`];
  const row: ProofRow = JSON.parse(readFileSync(file, 'utf8'));
  const shown = (message: string) =>
    message
      .split('\n')
      .filter((line) => !line.trim().startsWith('curl:'))
      .join('\n  ');
  return row.kind === 'broken'
    ? row.caught.map(({ requirement, check, message }) => `- ${requirement}: ${check}\n  ${shown(message)}`)
    : [];
}
