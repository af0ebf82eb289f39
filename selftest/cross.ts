import { mkdirSync, writeFileSync } from 'node:fs';
import type { Broken } from '../sandbox/variant.ts';
import { brokenServers } from '../sandbox/variants.ts';
import { conformingServer, Performer } from './performer.ts';

const OUT = new URL('out/', import.meta.url);

/** A check that fails on a broken server, and for which requirements. */
type Failing = { title: string; place: string; requirements: string[] };

/** One broken server under every check: `own` fail for what it breaks, `others` for something else alone. */
type Row = { server: string; breaks: readonly string[]; own: Failing[]; others: Failing[]; notTestable: number };

/** The checks that one place of a file declares, in a loop or alone, and the servers on which one of them fails for what those break. */
type Place = { place: string; checks: number; catches: string[]; catchesAlone: string[] };

async function cross({ name, breaks }: Broken, performer: Performer): Promise<Row> {
  const { performed } = await performer.perform({ server: name });
  const failing = performed.flatMap(({ findings, ...check }) => {
    const requirements = findings.filter(({ outcome }) => outcome === 'failed').map(({ requirement }) => requirement);
    return requirements.length ? [{ title: check.title, place: check.place, requirements }] : [];
  });
  const isOwn = ({ requirements }: Failing) => requirements.some((id) => breaks.includes(id));
  return {
    server: name,
    breaks,
    own: failing.filter(isOwn),
    others: failing.filter((one) => !isOwn(one)),
    notTestable: performed.filter(({ findings }) => findings.some(({ outcome }) => outcome === 'not-testable')).length,
  };
}

/** Every broken server under every check, on two cores. */
async function crossAll(performers: readonly Performer[]): Promise<Row[]> {
  const queue = [...brokenServers];
  const rows: Row[] = [];
  const work = async (performer: Performer) => {
    for (let server = queue.shift(); server; server = queue.shift()) {
      rows.push(await cross(server, performer));
      console.log(`${rows.length}/${brokenServers.length} ${server.name}`);
    }
  };
  await Promise.all(performers.map(work));
  return rows.sort((a, b) => a.server.localeCompare(b.server));
}

/** Of the checks that fail on a server, the share that fails for what it breaks, from 0 to 1. */
const precision = ({ own, others }: Row) => own.length / (own.length + others.length || 1);

const percent = (share: number) => `${Math.round(share * 100)} %`;

function page(rows: readonly Row[], places: readonly Place[]): string {
  const all = rows.map(precision).sort((a, b) => a - b);
  const mean = all.reduce((sum, share) => sum + share, 0) / all.length;
  const listed = (found: readonly Place[]) =>
    found.map(({ place, checks, catches }) => `- ${place}: ${checks} checks, ${catches.length} servers`);
  return [
    '# Every broken server under every check',
    '',
    `Precision is the share of the failing checks that fail for what the server breaks: ${percent(mean)} on average, ${percent(all[Math.floor(all.length / 2)] ?? 0)} in the middle.`,
    '',
    '| server | breaks | failing checks | precision | other requirements that fail | checks not testable |',
    '|---|---|---|---|---|---|',
    ...rows.map((row) => {
      const others = [...new Set([...row.own, ...row.others].flatMap(({ requirements }) => requirements))].filter(
        (id) => !row.breaks.includes(id),
      );
      return `| ${row.server} | ${row.breaks.join(', ')} | ${row.own.length + row.others.length} | ${percent(precision(row))} | ${others.sort().join(', ')} | ${row.notTestable} |`;
    }),
    '',
    '## Places whose checks never catch anything',
    '',
    ...listed(places.filter(({ catches }) => catches.length === 0)),
    '',
    '## Places whose checks never catch anything alone',
    '',
    ...listed(places.filter(({ catches, catchesAlone }) => catches.length > 0 && catchesAlone.length === 0)),
    '',
  ].join('\n');
}

const performers = [new Performer(), new Performer()] as const;
const { performed } = await performers[0].perform({ server: conformingServer.name });
const rows = await crossAll(performers);
for (const performer of performers) performer.close();
const places = [...new Set(performed.map(({ place }) => place))].map((place): Place => {
  const catching = rows.filter(({ own }) => own.some((failing) => failing.place === place));
  return {
    place,
    checks: performed.filter((check) => check.place === place).length,
    catches: catching.map(({ server }) => server),
    catchesAlone: catching.filter(({ own }) => own.every((failing) => failing.place === place)).map(({ server }) => server),
  };
});
mkdirSync(OUT, { recursive: true });
writeFileSync(new URL('cross.json', OUT), `${JSON.stringify({ rows, places }, null, 2)}\n`);
writeFileSync(new URL('cross.md', OUT), page(rows, places));
const missed = rows.filter(({ own }) => own.length === 0).map(({ server }) => server);
console.log(`Written to selftest/out/cross.md. ${missed.length ? `Missed: ${missed.join(', ')}` : 'Every broken server is caught.'}`);
process.exitCode = missed.length ? 1 : 0;
