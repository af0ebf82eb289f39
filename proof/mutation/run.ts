import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Stryker } from '@stryker-mutator/core';
import { parse, stringify } from 'yaml';

const FOLDER = new URL('../../selftest/out/mutants/', import.meta.url);
const INCREMENTAL = new URL('incremental.json', FOLDER);
const REASONS = new URL('survivors.yaml', import.meta.url);

/** What StrykerJS reports, as far as it is read here. */
type Report = {
  files: Record<string, { source: string; mutants: { status: string; replacement: string; statusReason?: string; location: Location }[] }>;
};
type Location = Record<'start' | 'end', { line: number; column: number }>;

/** Why mutants of the sandbox survive: a client cannot see them, or the contract leaves room for them. */
type Reason = { kind: 'invisible' | 'latitude'; reason: string; mutants: string[] };

/** A mutant by the line on which it begins and what it changes there: `store.ts: this.#lastId += 1; · this.#lastId += 1 → this.#lastId -= 1`. */
function nameOf(file: string, source: string, replacement: string, { start, end }: Location): string {
  const lines = source.split('\n').slice(start.line - 1, end.line);
  const [line = ''] = lines;
  const part = line.slice(start.column - 1, lines.length === 1 ? end.column - 1 : undefined);
  const text = (long: string) => long.replaceAll(/\s+/g, ' ').trim();
  return `${file.replace('sandbox/', '')}: ${text(line)} · ${text(part)}${lines.length > 1 ? ' …' : ''} → ${text(replacement).slice(0, 100)}`;
}

/** Forgets the survivors of the last run: a new check may catch them. */
function forgetSurvivors(): void {
  if (!existsSync(INCREMENTAL)) return;
  const report: Report = JSON.parse(readFileSync(INCREMENTAL, 'utf8'));
  for (const file of Object.values(report.files)) file.mutants = file.mutants.filter(({ status }) => status !== 'Survived');
  writeFileSync(INCREMENTAL, JSON.stringify(report));
}

/** `force`: forgets what is known of every mutant, for a check may have been removed that caught one. */
async function main(force: boolean): Promise<number> {
  forgetSurvivors();
  await new Stryker({ configFile: 'proof/mutation/stryker.config.json', force }).runMutationTest();
  const { files }: Report = JSON.parse(readFileSync(new URL('mutation.json', FOLDER), 'utf8'));
  const mutants = Object.entries(files).flatMap(([file, { source, mutants }]) =>
    mutants.map(({ location, replacement, ...rest }) => ({ ...rest, name: nameOf(file, source, replacement, location) })),
  );
  const survivors = new Set(mutants.filter((mutant) => mutant.status === 'Survived').map(({ name }) => name));
  const reasons: Reason[] = parse(readFileSync(REASONS, 'utf8'));
  const explained = new Set(reasons.flatMap((reason) => reason.mutants));
  const open = [...survivors].filter((name) => !explained.has(name));
  const stale = [...explained].filter((name) => !survivors.has(name));
  const faults = mutants.filter(({ statusReason }) => statusReason?.includes('FAULT OF THE SUITE'));
  const caught = mutants.filter((mutant) => mutant.status !== 'Survived').length;
  console.log(`${caught} of ${mutants.length} mutants are caught (${Math.round((caught / mutants.length) * 100)} %).`);
  for (const { name, statusReason } of faults) console.log(`The suite itself breaks on ${name}: ${statusReason}`);
  if (open.length) console.log(`Survivors without a reason in proof/mutation/survivors.yaml:\n${stringify(open)}`);
  if (stale.length) console.log(`Reasons in proof/mutation/survivors.yaml for what does not survive:\n${stringify(stale)}`);
  return open.length || stale.length || faults.length ? 1 : 0;
}

process.exitCode = await main(process.argv.includes('--force'));
