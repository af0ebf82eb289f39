import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { assertHostAllowed, environment, readSettings, SettingsError } from '../target/settings.ts';
import type { Result } from './result.ts';

/** Exit code where the suite is set up wrongly or breaks. */
const BROKEN = 3;
/** Asked for these, Playwright tells something and runs nothing. */
const TELLS = ['--list', '--help', '-h', '--version', '-V'];
/**
 * Over a network there are more processes, which mostly wait: they are kept small, for a fifth more of their own time. glibc would keep
 * some 10 MB more for the threads of each.
 */
const SMALL = { NODE_OPTIONS: `--max-semi-space-size=1 --max-old-space-size=256 ${process.env.NODE_OPTIONS ?? ''}`, MALLOC_ARENA_MAX: '1' };

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
  const tells = args.some((argument) => TELLS.includes(argument));
  const child = spawn(process.execPath, [cli, 'test', ...args, ...(tells ? ['--reporter=list'] : [])], {
    stdio: ['inherit', 'inherit', 'pipe'],
    env: { ...process.env, ...(settings.baseUrl !== undefined && SMALL) },
  });
  // The runner tells a wrong argument with its stack; the first line says it all.
  const errors = createInterface(child.stderr);
  errors.on('line', (line) => /^\s+at /.test(line) || console.error(line));
  const [status] = await once(child, 'close');
  if (tells) return status === 0 ? 0 : BROKEN;
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
