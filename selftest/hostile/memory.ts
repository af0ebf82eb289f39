import { readdirSync, readFileSync } from 'node:fs';

/** The processes below one, itself included. Linux only. */
function tree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    // The command in brackets may hold spaces.
    const [, , parent = ''] = stat(entry).replace(/^.*\)/s, ')').split(' ');
    children.set(Number(parent), [...(children.get(Number(parent)) ?? []), Number(entry)]);
  }
  const below = (pid: number): number[] => [pid, ...(children.get(pid) ?? []).flatMap(below)];
  return below(root);
}

const stat = (pid: string) => readOrEmpty(`/proc/${pid}/stat`);

/** A process may end between being listed and being read. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** Memory in kilobytes, of which shared pages count as a part of each process. */
const memory = (pid: number) => Number(/^Pss:\s+(\d+)/m.exec(readOrEmpty(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);

/** Ends a process and all below it. */
export function killTree(pid: number): void {
  for (const each of process.platform === 'linux' ? tree(pid).reverse() : [pid]) {
    try {
      process.kill(each, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}

/** Watches a process and all below it; gives the peak of their memory together in megabytes, 0 where there is no `/proc`. */
export function watchMemory(pid: number): () => number {
  if (process.platform !== 'linux') return () => 0;
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(
      peak,
      tree(pid).reduce((sum, each) => sum + memory(each), 0),
    );
  }, 200);
  return () => {
    clearInterval(timer);
    return peak / 1024;
  };
}
