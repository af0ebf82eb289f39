import { mkdirSync, writeFileSync } from 'node:fs';
import type { RequirementId } from '../schemas/requirement-id.ts';
import { CheckWorker } from './check-worker.ts';
import { brokenServers, conformingServer } from './servers.ts';
import type { BrokenServer } from './variant.ts';

const OUT = new URL('../selftest/out/', import.meta.url);

/** A check that fails on a broken server, and for which requirements. */
type Failing = { title: string; place: string; requirements: RequirementId[] };

/** One broken server under every check: `own` fail for what it breaks, `others` for something else alone. */
type MatrixRow = { server: string; breaks: readonly RequirementId[]; own: Failing[]; others: Failing[]; notTestable: number };

/** The checks that one place of a file declares, in a loop or alone, and the servers on which one of them fails for what those break. */
type CheckPlace = { place: string; checks: number; catches: string[]; catchesAlone: string[] };

async function rowOf({ name, breaks }: BrokenServer, worker: CheckWorker): Promise<MatrixRow> {
  const { checkRuns } = await worker.run({ server: name });
  const failing = checkRuns.flatMap(({ judgements, ...check }) => {
    const requirements = judgements.filter(({ outcome }) => outcome === 'failed').map(({ requirement }) => requirement);
    return requirements.length ? [{ title: check.title, place: check.place, requirements }] : [];
  });
  const isOwn = ({ requirements }: Failing) => requirements.some((id) => breaks.includes(id));
  return {
    server: name,
    breaks,
    own: failing.filter(isOwn),
    others: failing.filter((one) => !isOwn(one)),
    notTestable: checkRuns.filter(({ judgements }) => judgements.some(({ outcome }) => outcome === 'not-testable')).length,
  };
}

/** Every broken server under every check, on two cores. */
async function allRows(workers: readonly CheckWorker[]): Promise<MatrixRow[]> {
  const queue = [...brokenServers];
  const rows: MatrixRow[] = [];
  const work = async (worker: CheckWorker) => {
    for (let server = queue.shift(); server; server = queue.shift()) {
      rows.push(await rowOf(server, worker));
      console.log(`${rows.length}/${brokenServers.length} ${server.name}`);
    }
  };
  await Promise.all(workers.map(work));
  return rows.sort((a, b) => a.server.localeCompare(b.server));
}

/** Of the checks that fail on a server, the share that fails for what it breaks, from 0 to 1. */
const precision = ({ own, others }: MatrixRow) => own.length / (own.length + others.length || 1);

const percent = (share: number) => `${Math.round(share * 100)} %`;

function page(rows: readonly MatrixRow[], places: readonly CheckPlace[]): string {
  const all = rows.map(precision).sort((a, b) => a - b);
  const mean = all.reduce((sum, share) => sum + share, 0) / all.length;
  const listed = (found: readonly CheckPlace[]) =>
    found.map(({ place, checks, catches }) => `- ${place}: ${checks} checks, ${catches.length} servers`);
  return [
    '# Every broken server under every check',
    '',
    `Precision is the share of the failing checks that fail for what the server breaks: ${percent(mean)} on average, ${percent(all[Math.floor(all.length / 2)] ?? 0)} is the median.`,
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

const workers = [new CheckWorker(), new CheckWorker()] as const;
const { checkRuns } = await workers[0].run({ server: conformingServer.name });
const rows = await allRows(workers);
for (const worker of workers) worker.close();
const places = [...new Set(checkRuns.map(({ place }) => place))].map((place): CheckPlace => {
  const catching = rows.filter(({ own }) => own.some((failing) => failing.place === place));
  return {
    place,
    checks: checkRuns.filter((check) => check.place === place).length,
    catches: catching.map(({ server }) => server),
    catchesAlone: catching.filter(({ own }) => own.every((failing) => failing.place === place)).map(({ server }) => server),
  };
});
mkdirSync(OUT, { recursive: true });
writeFileSync(new URL('cross.json', OUT), `${JSON.stringify({ rows, places }, null, 2)}\n`);
writeFileSync(new URL('matrix.md', OUT), page(rows, places));
const missed = rows.filter(({ own }) => own.length === 0).map(({ server }) => server);
console.log(`Written to selftest/out/matrix.md. ${missed.length ? `Missed: ${missed.join(', ')}` : 'Every broken server is caught.'}`);
process.exitCode = missed.length ? 1 : 0;
