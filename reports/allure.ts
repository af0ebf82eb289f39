import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
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
  const output = join(out, 'allure-report');
  rmSync(output, { recursive: true, force: true });
  const cli = join(dirname(createRequire(import.meta.url).resolve('allure')), '..', 'cli.js');
  const config = fileURLToPath(new URL('allurerc.mjs', import.meta.url));
  const name = `POST /customers: ${target.name}, ${verdict ?? 'no verdict'}`;
  const { status, stderr, stdout } = spawnSync(
    process.execPath,
    [cli, 'generate', results, '--config', config, '--output', output, '--report-name', name],
    {
      encoding: 'utf8',
      env: { ...process.env, ALLURE_HISTORY: resolve(out, 'history.jsonl'), ALLURE_CATEGORIES: JSON.stringify(categories) },
    },
  );
  const page = join(output, 'index.html');
  if (status !== 0 || !existsSync(page))
    throw new Error(`allure generate ended with ${status}: ${(stderr || stdout).trim().split('\n')[0]}`);
  const html = readFileSync(page, 'utf8').replace(ANALYTICS, '');
  if (html.includes('googletagmanager')) {
    rmSync(output, { recursive: true });
    throw new Error('this version of Allure loads its analytics in a way that is not known here; the page was removed');
  }
  writeFileSync(page, html);
  console.log(page);
}

try {
  main();
} catch (error) {
  console.error(error instanceof SettingsError ? error.message : `The report could not be made: ${(error as Error).message}`);
  process.exitCode = 3;
}
