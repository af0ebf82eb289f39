import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { assertWritable, OUT_REMEDY } from '../target/folder.ts';
import { assertHostAllowed } from '../target/hosts.ts';
import { printable } from '../target/printable.ts';
import { environment, readSettings, SettingsError } from '../target/settings.ts';
import type { Result } from './verdict.ts';

/** Exit code of a run that cannot be judged: misconfigured, or the suite itself failed. */
const UNJUDGED = 3;
const INCONCLUSIVE = 2;
/** With these arguments, Playwright prints something and runs no test. */
const PRINTS = ['--list', '--help', '-h', '--version', '-V'];
/**
 * Over a network there are more processes, which mostly wait: they are kept small, for a fifth more of their own time. glibc would keep
 * some 10 MB more for the threads of each.
 */
const SMALL = { NODE_OPTIONS: `--max-semi-space-size=1 --max-old-space-size=256 ${process.env.NODE_OPTIONS ?? ''}`, MALLOC_ARENA_MAX: '1' };
/** Milliseconds that a run has to stop cleanly after a request to stop. */
const GRACE = 30_000;

/** Runs Playwright with the arguments as they are. Resolves with the exit code of the verdict. */
export async function main(args: string[]): Promise<number> {
  try {
    return await conformance(args);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    console.error(error.message);
    return UNJUDGED;
  }
}

async function conformance(args: string[]): Promise<number> {
  const settings = readSettings(environment());
  for (const warning of settings.warnings) console.error(`Warning: ${warning}`);
  if (args.some((argument) => /^--reporter\b/.test(argument))) {
    throw new SettingsError("--reporter would replace the suite's own reporter; use npx playwright test for another one");
  }
  const prints = args.some((argument) => PRINTS.includes(argument));
  if (!prints) {
    await assertHostAllowed(settings);
    assertWritable(settings.out, OUT_REMEDY);
  }
  const id = randomUUID();
  const cli = createRequire(import.meta.url).resolve('@playwright/test/cli');
  const child = spawn(process.execPath, [cli, 'test', ...args, ...(prints ? ['--reporter=list'] : [])], {
    // The last one is a pipe of which the run sees the end when this process ends, however it does.
    stdio: ['inherit', 'inherit', 'pipe', 'pipe'],
    env: { ...process.env, ...(settings.baseUrl !== undefined && SMALL), CONFORMANCE_ID: id, CONFORMANCE_PIPE: '3' },
  });
  const signal = endOnRequest(child);
  // The runner prints a wrong argument with its stack; the first line says it all.
  const errors = createInterface({ input: child.stderr as NodeJS.ReadableStream });
  errors.on('line', (line) => /^\s+at /.test(line) || console.error(printable(line)));
  const [status] = await once(child, 'close');
  if (prints) return status === 0 ? 0 : UNJUDGED;
  const result = resultOf(settings.out, id);
  if (result) return result.exitCode;
  if (signal.received !== undefined) {
    console.error(`No verdict: the run was ended by ${signal.received} before it could write results`);
    return INCONCLUSIVE;
  }
  // With exit code 3 the run has said itself what is wrong.
  if (status !== UNJUDGED)
    console.error(`No verdict: the runner ended with ${status === null ? 'a signal' : `exit code ${status}`} and wrote no results`);
  return UNJUDGED;
}

/** Forwards a request to stop to the run, once, and kills the run if it does not stop. */
function endOnRequest(child: ChildProcess): { received?: string } {
  const seen: { received?: string } = {};
  const end = (name: string) => {
    if (seen.received !== undefined) return;
    seen.received = name;
    child.stdio[3]?.destroy();
    setTimeout(() => child.kill('SIGKILL'), GRACE).unref();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, end);
  // npm that is killed by SIGKILL passes nothing on, and nobody waits for the verdict any more.
  if (process.env.npm_lifecycle_event !== undefined) {
    const before = ancestors();
    setInterval(() => ancestors() !== before && end('the end of npm'), 1000).unref();
  }
  return seen;
}

/** The process ids of this process's parent and, on Linux, of that one's: npm starts a script by a shell. */
function ancestors(): string {
  const { ppid } = process;
  try {
    // The name, in parentheses, may hold spaces; the state and the parent follow it.
    const [, parent] = readFileSync(`/proc/${ppid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return `${ppid} ${parent}`;
  } catch {
    return String(ppid);
  }
}

/** Returns the result of this run; undefined if it has no result. */
function resultOf(out: string, id: string): Result | undefined {
  try {
    const result: Result = JSON.parse(readFileSync(join(out, 'conformance.json'), 'utf8'));
    return result.run === id ? result : undefined;
  } catch {
    return undefined;
  }
}
