import { writeFileSync } from 'node:fs';
import { SLOW } from '../proof/catches.ts';
import { CheckWorker, type JobResult } from '../proof/check-worker.ts';
import { brokenServers, conformingServer, generatedOnlyServers, lawfulServers } from '../proof/servers.ts';
import type { LawfulServer } from '../proof/variant.ts';
import { requirementOf } from '../schemas/catalogue.ts';
import type { Depth } from '../target/settings.ts';
import { shortest } from './shortest.ts';

const [SEEDS, QUICK, STANDARD] = [20, 20, 3];
const seeds = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

/** Does work with two processes, each taking the next piece. */
async function share<Piece, Done>(pieces: readonly Piece[], work: (piece: Piece, worker: CheckWorker) => Promise<Done>): Promise<Done[]> {
  const queue = [...pieces.entries()];
  const done: Done[] = [];
  const worker = async () => {
    const worker = new CheckWorker();
    for (let next = queue.shift(); next; next = queue.shift()) done[next[0]] = await work(next[1], worker);
    worker.close();
  };
  await Promise.all([worker(), worker()]);
  return done;
}

/** How many exchanges a counterexample of a history has, one number for each that failed. */
function lengthsOf(checkRuns: JobResult['checkRuns']): number[] {
  const histories = checkRuns.filter(({ place }) => place.startsWith('histories'));
  const messages = histories.flatMap(({ judgements }) =>
    judgements.filter(({ outcome }) => outcome === 'failed').map(({ message }) => message),
  );
  return messages.map((message) => message?.match(/^ {2}\d+\. /gm)?.length ?? 0);
}

const wrong = [...generatedOnlyServers, ...brokenServers.filter(({ name }) => name in shortest)];
const found = await share(wrong, async ({ name, breaks }, worker) => {
  let count = 0;
  const lengths: number[] = [];
  for (const seed of seeds(SEEDS)) {
    const { checkRuns } = await worker.run({ server: name, requirements: breaks, generated: { seed, depth: 'standard' } });
    const failed = checkRuns.flatMap(({ judgements }) => judgements.filter(({ outcome }) => outcome === 'failed'));
    if (failed.some(({ requirement }) => breaks.includes(requirement))) count += 1;
    lengths.push(...lengthsOf(checkRuns));
  }
  lengths.sort((a, b) => a - b);
  console.log(`${name}: ${count} of ${SEEDS}; histories of ${lengths.join(', ')} exchanges`);
  return { name, breaks, count, lengths };
});
const caught = found.filter(({ name }) => generatedOnlyServers.some((server) => server.name === name));

const plan = [
  ...seeds(QUICK).map((seed): { seed: number; depth: Depth } => ({ seed, depth: 'quick' })),
  ...seeds(STANDARD).map((seed): { seed: number; depth: Depth } => ({ seed, depth: 'standard' })),
];
// Those that answer slowly are checkRuns once, by the proof.
const lawful = [conformingServer, ...lawfulServers].filter(({ name }: LawfulServer) => !SLOW.includes(name));
const accused = (
  await share(lawful, async ({ name }, worker) => {
    const found: string[] = [];
    for (const generated of plan) {
      const { checkRuns } = await worker.run({ server: name, generated });
      for (const { title, judgements } of checkRuns) {
        for (const { requirement, outcome } of judgements) {
          if (!['passed', 'not-applicable'].includes(outcome) && requirementOf(requirement).level === 'MUST') {
            found.push(`${name}, seed ${generated.seed}, ${generated.depth}: ${requirement} ${outcome} by “${title}”`);
          }
        }
      }
    }
    console.log(`${name}: ${found.length ? found.join('; ') : 'not accused'}`);
    return found;
  })
).flat();

writeFileSync(
  new URL('seeds.md', import.meta.url),
  [
    '# Rates over seeds',
    '',
    `\`npm run seeds\`, ${new Date().toISOString().slice(0, 10)}: generated checks at standard depth, of the requirements that a server breaks alone.`,
    '',
    `| server that no example shows | breaks | caught in ${SEEDS} seeds |`,
    '|---|---|---|',
    ...caught.map(({ name, breaks, count }) => `| ${name} | ${breaks.join(', ')} | ${count} |`),
    '',
    'How many exchanges the counterexamples of histories have, in the same seeds, beside the shortest that can be written by hand:',
    '',
    '| server | by hand | exchanges | found: in the middle | at most one more | the longest |',
    '|---|---|---|---|---|---|',
    ...found
      .filter(({ name }) => name in shortest)
      .map(({ name, lengths }) => {
        const hand = shortest[name] ?? [];
        const near = lengths.filter((length) => length <= hand.length + 1).length;
        const [middle, longest] = [lengths[Math.floor(lengths.length / 2)], lengths.at(-1)];
        return `| ${name} | ${hand.join('; ')} | ${hand.length} | ${middle ?? '-'} | ${near} of ${lengths.length} | ${longest ?? '-'} |`;
      }),
    '',
    `LawfulServer servers, ${lawful.length} of them, with ${QUICK} seeds at quick and ${STANDARD} at standard depth: ${accused.length ? 'accused were' : 'none was accused'}.`,
    '',
    ...accused.map((line) => `- ${line}`),
    '',
  ].join('\n'),
);
console.log(`Written to bench/seeds.md. Accused: ${accused.length}.`);
process.exitCode = accused.length || caught.some(({ count }) => count < SEEDS - 1) ? 1 : 0;
