import { randomUUID } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { SettingsError } from './settings.ts';

/** Says that a folder is the suite's, and names what the suite may remove there. */
const MARKER = '.conformance';
/** Says which run writes into the folder now. */
const LOCK = '.conformance.lock';
/** Everything that a run writes into its folder and the next one removes. */
const ENTRIES = ['conformance.json', 'conformance.md', 'junit.xml', 'ledger.json', 'counterexamples', 'allure-results', 'allure-report'];
/** What a run writes into those of them that are folders; other files there are somebody else's. The report is one file, made anew. */
const WRITTEN: Record<string, RegExp> = {
  counterexamples: /^[A-Z]+-\d+-[\w-]+\.mjs$/,
  'allure-results':
    /^([\da-f-]{36}-(result|container|attachment|globals)\b.*|(categories|executor|verdict-globals)\.json|environment\.properties)$/,
  'allure-report': /^index\.html$/,
};
/** Files that may be in any folder for results. */
const IGNORED = ['.gitignore', '.gitkeep', '.DS_Store'];
/** Milliseconds after which a lock from another machine is stale unless it was renewed; a run renews its lock four times in this period. */
const STALE = 10_000;

/** `start`: what tells the process from a later one of the same id. */
type Lock = { run: string; pid: number; host: string; start: string };

/** The journal of a run's customers, until its end. */
export const journalOf = (out: string, run: string): string => join(out, `ledger.${run}.jsonl`);
const JOURNAL = /^ledger\.[\da-f-]{36}\.jsonl$/;

/** Why a file operation failed, in a few words: `EACCES: permission denied`. */
const reasonOf = (error: unknown) => String((error as Error).message).split(', ')[0];

/** Makes a folder and checks whether it is writable. Throws SettingsError, which says what to set. */
export function assertWritable(folder: string, remedy: string): void {
  const probe = join(folder, `.probe-${randomUUID()}`);
  try {
    makeFolder(folder);
    writeFileSync(probe, 'probe');
    rmSync(probe);
  } catch (error) {
    if (existsSync(probe)) rmSync(probe);
    throw new SettingsError(`${folder} is not writable (${reasonOf(error)}); ${remedy}`);
  }
}

/** Makes a folder and those above it. mkdir's own recursion has no end below /proc. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(resolve(path)));
  mkdirSync(path);
}

/** What to do if a folder for results cannot be used. */
export const OUT_REMEDY = 'set TRUSTLY_OUT to an empty or a new folder';

/**
 * Claims a folder for the results of one run, until the process ends: nobody else writes into it meanwhile. Removes nothing. Throws
 * SettingsError if the folder holds files that no run wrote, if another run writes into it, or if it cannot be written. `own`: what the run
 * itself wrote there, if somebody removed the folder meanwhile.
 */
export function claimFolder(out: string, run: string, own: readonly string[] = []): void {
  assertWritable(out, OUT_REMEDY);
  const known = [...IGNORED, ...own, LOCK];
  const foreign = isResultFolder(out) ? [] : readdirSync(out).filter((name) => !known.includes(name));
  if (foreign.length) {
    const names = `${foreign.slice(0, 3).join(', ')}${foreign.length > 3 ? ', …' : ''}`;
    throw new SettingsError(`${realpathSync(out)} holds files that no run of this suite wrote (${names}); ${OUT_REMEDY}`);
  }
  const path = join(out, LOCK);
  try {
    takeLock(path, { run, pid: process.pid, host: hostname(), start: startOf(process.pid) });
    writeFileSync(
      join(out, MARKER),
      `${JSON.stringify({ about: 'Results of a conformance run. The next run removes these.', entries: ENTRIES }, null, 2)}\n`,
    );
  } catch (error) {
    if (error instanceof SettingsError) throw error;
    throw new SettingsError(`${out} is not writable (${reasonOf(error)}); ${OUT_REMEDY}`);
  }
  const renew = setInterval(() => {
    try {
      // A run that was suspended may have lost its folder to one on another machine.
      if (ownsFolder(out, run)) utimesSync(path, new Date(), new Date());
      else clearInterval(renew);
    } catch {
      clearInterval(renew);
    }
  }, STALE / 4);
  renew.unref();
  process.on('exit', () => ownsFolder(out, run) && rmSync(path, { force: true }));
}

/** Whether the folder is claimed for this run. */
export function ownsFolder(out: string, run: string | undefined): boolean {
  return run !== undefined && readLock(join(out, LOCK))?.run === run;
}

/** Removes what earlier runs wrote into the folder: what its marker names, and nothing else. `run` goes on. */
export function clearFolder(out: string, run: string): void {
  const { entries } = JSON.parse(readFileSync(join(out, MARKER), 'utf8')) as { entries: unknown };
  const known = ENTRIES.filter((name) => Array.isArray(entries) && entries.includes(name));
  const journals = readdirSync(out).filter((name) => JOURNAL.test(name) && join(out, name) !== journalOf(out, run));
  for (const name of [...known, ...journals]) {
    const path = join(out, name);
    const pattern = WRITTEN[name];
    if (!pattern || !lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) rmSync(path, { force: true });
    else removeWritten(path, pattern);
  }
}

/** Removes the files of these names from a folder, and the folder if nothing is left in it. */
function removeWritten(folder: string, pattern: RegExp): void {
  for (const name of readdirSync(folder)) if (pattern.test(name)) rmSync(join(folder, name), { force: true });
  if (readdirSync(folder).length === 0) rmdirSync(folder);
}

/** Whether a run of the suite wrote the folder. A marker that is a link is not one: writing it would write somewhere else. */
export function isResultFolder(out: string): boolean {
  return isFile(join(out, MARKER));
}

/** Whether a path is a regular file itself, and not a link to one. */
const isFile = (path: string) => lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;

function takeLock(path: string, lock: Lock): void {
  const text = JSON.stringify(lock);
  try {
    writeFileSync(path, text, { flag: 'wx' });
    return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const found = readLock(path);
  const inUse = () => {
    const who = found ? ` (process ${found.pid} on ${found.host})` : '';
    return new SettingsError(`${resolve(path, '..')} is in use by another run${who}; wait until it ends, or ${OUT_REMEDY}`);
  };
  if (isAlive(path, found)) throw inUse();
  // Of several runs that find a dead one's lock, the one whose rename finds it takes its place.
  const aside = `${path}.${lock.run}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const moved = readLock(aside);
  if (moved && moved.run !== found?.run) {
    renameSync(aside, path);
    throw inUse();
  }
  rmSync(aside, { force: true });
  takeLock(path, lock);
}

function readLock(path: string): Lock | undefined {
  try {
    // A pipe of that name would be waited for.
    return isFile(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether the run of a lock goes on. On this machine, its process must exist, even if suspended; on another one, its lock must have been renewed.
 * A lock without text is being written.
 */
function isAlive(path: string, lock: Lock | undefined): boolean {
  if (!lock || lock.host !== hostname()) return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) <= STALE;
  try {
    process.kill(lock.pid, 0);
  } catch (error) {
    // A process of somebody else's is there too.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return startOf(lock.pid) === lock.start;
}

/**
 * Returns when a process began, in clock ticks since the machine did; empty where the system does not say it. "ended" for a process that only
 * waits for its parent to notice its end, which in a container may be never.
 */
function startOf(pid: number): string {
  try {
    // The name, in parentheses, may hold spaces; the state follows it, and the time 19 fields later.
    const [state, ...fields] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return state === 'Z' ? 'ended' : (fields[18] ?? '');
  } catch {
    return '';
  }
}
