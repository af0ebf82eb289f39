import { readdirSync, readFileSync } from 'node:fs';
import { combinations } from './lawful/combinations.ts';
import { brokenServers, lawfulServers } from './servers.ts';

/** Where the rows of the proof land while it runs. */
export const PROOF = new URL('../selftest/out/proof/', import.meta.url);

/** A check that failed on a broken server, and the requirement that it says is broken. */
export type Caught = { requirement: string; check: string; message: string };

/** What the proof saw of one server: of a broken one, the check that caught it and what it said. */
export type ProofRow = { server: string; why: string; requests: number; seconds: number } & (
  | { kind: 'broken'; breaks: string[]; caught: Caught[] }
  | { kind: 'lawful' }
);

/** Lawful servers that keep the suite waiting for most of a minute each. */
export const SLOW: readonly string[] = [
  'slow',
  'unevenly-slow',
  'read-back-lags',
  'read-back-lags-now-and-then',
  'document-store',
  'event-sourced',
  'mainframe',
  'behind-a-gateway',
];
const combined = new Set<string>(combinations.flatMap(({ latitudes }) => latitudes));

/** Whether a lawful server is left to `npm run proof`: what makes it different stands in a combination too, or it is slow. */
export const isNightly = (name: string): boolean => combined.has(name) || SLOW.includes(name);

/** The rows of the last run, in the order in which the servers stand. */
export function rows(): ProofRow[] {
  const order = ['conforming', ...brokenServers.map(({ name }) => name), ...lawfulServers.map(({ name }) => name)];
  const found = readdirSync(PROOF).map((file): ProofRow => JSON.parse(readFileSync(new URL(file, PROOF), 'utf8')));
  const breaks = new Map(brokenServers.map((server) => [server.name, server.breaks.join()]));
  // A row of an older run is none where the server now breaks something else.
  const current = found.filter(
    (row) => order.includes(row.server) && (row.kind === 'lawful' || row.breaks.join() === breaks.get(row.server)),
  );
  return current.sort((a, b) => order.indexOf(a.server) - order.indexOf(b.server));
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** The whole proof as a page. */
export function page(found: readonly ProofRow[]): string {
  const broken = found.flatMap((row) =>
    row.kind === 'broken'
      ? [
          `| ${row.server} | ${cell(row.why)} | ${row.breaks.join(', ')} | ${row.caught.map(({ requirement, check }) => `${requirement}: ${cell(check)}`).join('; ')} | ${row.seconds.toFixed(2)} | ${row.requests} |`,
        ]
      : [],
  );
  const lawful = found.flatMap((row) =>
    row.kind === 'lawful' ? [`| ${row.server} | ${cell(row.why)} | ${row.seconds.toFixed(2)} | ${row.requests} |`] : [],
  );
  return [
    '# The proof of the suite',
    '',
    '## Broken servers',
    '',
    '| server | what is wrong | breaks | caught by | seconds | requests |',
    '|---|---|---|---|---|---|',
    ...broken,
    '',
    '## Lawful servers',
    '',
    '| server | what it does | seconds | requests |',
    '|---|---|---|---|',
    ...lawful,
    '',
  ].join('\n');
}
