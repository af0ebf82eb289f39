import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { assertHostAllowed, environment, readSettings, SettingsError } from '../target/settings.ts';
import type { Result } from './result.ts';

/** Exit code where the suite is set up wrongly or breaks. */
const BROKEN = 3;
/** Asked for these, Playwright tells something and runs nothing. */
const TELLS = ['--list', '--help', '-h', '--version', '-V'];

/** `npm run conformance`: Playwright with the arguments as they are, and the exit code of the verdict. */
async function main(args: string[]): Promise<number> {
  const settings = readSettings(environment());
  await assertHostAllowed(settings);
  if (args.some((argument) => /^--reporter\b/.test(argument))) {
    throw new SettingsError("--reporter would take the place of the suite's own; use npx playwright test for another one");
  }
  const file = join(settings.out, 'conformance.json');
  const started = Date.now();
  const cli = createRequire(import.meta.url).resolve('@playwright/test/cli');
  const { status, error } = spawnSync(process.execPath, [cli, 'test', ...args], { stdio: 'inherit' });
  if (error) throw error;
  if (status === 0 && args.some((argument) => TELLS.includes(argument))) return 0;
  // An older run's result says nothing of this one.
  if (!existsSync(file) || statSync(file).mtimeMs < started) return BROKEN;
  const { exitCode }: Result = JSON.parse(readFileSync(file, 'utf8'));
  return exitCode;
}

// The terminal's interrupt reaches Playwright too, which ends the run and writes what it knows: its verdict is waited for.
process.on('SIGINT', () => undefined);
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof SettingsError ? error.message : `The suite broke: ${(error as Error).message}`);
  process.exitCode = BROKEN;
}
