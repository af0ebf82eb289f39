import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isResultFolder } from '../target/folder.ts';
import { environment, readSettings, SettingsError } from '../target/settings.ts';
import { categories } from './allure-categories.ts';
import type { Result } from './verdict.ts';

/** Every script of the report's page that sends something to an analytics service. */
const ANALYTICS = /<script[^>]*googletagmanager[^>]*><\/script>\s*<script>[^<]*gtag\([^<]*<\/script>/g;

/** `npm run report`: the Allure report of the last run as a single file that needs no network. */
function main(): void {
  const { out } = readSettings(environment());
  const results = join(out, 'allure-results');
  const file = join(out, 'conformance.json');
  if (!isResultFolder(out) || !existsSync(results) || !existsSync(file))
    throw new SettingsError(`there is no result under ${out}; run npm run conformance first`);
  const { target, verdict, reason }: Result = JSON.parse(readFileSync(file, 'utf8'));
  if (verdict === null || verdict === 'inconclusive') {
    // Where nothing could be checked the report has no failing check to tell why.
    const error = { name: 'Verdict', message: `${verdict ?? 'none'}: ${reason}`, timestamp: Date.now() };
    writeFileSync(join(results, 'verdict-globals.json'), JSON.stringify({ attachments: [], errors: [error] }));
  }
  const page = join(out, 'allure-report', 'index.html');
  mkdirSync(dirname(page), { recursive: true });
  rmSync(page, { force: true });
  const name = `POST /customers: ${target.name}, ${verdict ?? 'no verdict'}`;
  writeFileSync(page, generate(results, name, resolve(out, 'history.jsonl')));
  console.log(page);
}

/** Returns the page that Allure makes of results, without its analytics. Allure empties the folder that it writes into. */
function generate(results: string, name: string, history: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'allure-report-'));
  const cli = join(dirname(createRequire(import.meta.url).resolve('allure')), '..', 'cli.js');
  const config = fileURLToPath(new URL('allurerc.mjs', import.meta.url));
  try {
    const { status, stderr, stdout } = spawnSync(
      process.execPath,
      [cli, 'generate', results, '--config', config, '--output', folder, '--report-name', name],
      { encoding: 'utf8', env: { ...process.env, ALLURE_HISTORY: history, ALLURE_CATEGORIES: JSON.stringify(categories) } },
    );
    const page = join(folder, 'index.html');
    if (status !== 0 || !existsSync(page))
      throw new Error(`allure generate ended with ${status}: ${(stderr || stdout).trim().split('\n')[0]}`);
    const html = readFileSync(page, 'utf8').replace(ANALYTICS, '');
    if (html.includes('googletagmanager'))
      throw new Error('this version of Allure loads its analytics in a way that the suite does not recognize');
    return html;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

try {
  main();
} catch (error) {
  console.error(error instanceof SettingsError ? error.message : `The report could not be created: ${(error as Error).message}`);
  process.exitCode = 3;
}
