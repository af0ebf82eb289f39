import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A target that listens. */
export type Served = {
  baseUrl: string;
  /** How many requests came so far; of a server that reads none, how many connections. */
  requests: () => number;
  /** What came that a careful client never sends. */
  offences?: () => readonly string[];
  close: () => Promise<void>;
};

/** Starts a server in front of the conforming one at `upstream`, whose path is `/api/v1`. */
export type Serve = (upstream: string) => Promise<Served>;

/** A server that misbehaves in one way, and how a run against it has to end. */
export type HostileTarget = {
  /** What it does, in kebab-case. */
  name: string;
  /** One sentence: why a run must survive it, or why it is lawful. */
  why: string;
  /** Every lawful exit code. 3 is never one: it would blame the suite. */
  exits: readonly (0 | 1 | 2)[];
  /** The fact that the output must state. Not asserted if the run ends with 0. */
  says?: RegExp;
  /** What the output must not say. */
  never?: RegExp;
  /** Bound of the wall time. */
  seconds: number;
  /** Bound of the peak memory of all processes together; 900 by default. */
  megabytes?: number;
  /** Bound of the requests that the target sees. */
  requests?: number;
  /** Milliseconds that one request may take; 2000 by default. */
  timeout?: number;
  /** The areas to run. */
  projects: readonly string[];
  serve: Serve;
};

/** A target without what most others have too. */
export type Sketch = Omit<HostileTarget, 'seconds' | 'projects'> & Partial<Pick<HostileTarget, 'seconds' | 'projects'>>;

/** Areas with creates, updates, removals and reads, for a target that misbehaves now and then, or late. */
export const EVERY_KIND_OF_REQUEST = ['answer', 'create', 'removal'];

/** Completes targets with a bound of 45 seconds and with the shortest area. */
export const targets = (sketches: readonly Sketch[]): HostileTarget[] =>
  sketches.map((sketch) => ({ seconds: 45, projects: ['answer'], ...sketch }));

/** The file that a text creates if anything ever runs it; each process has its own. */
export const SIDE_EFFECT = join(tmpdir(), `hostile-${randomUUID()}`);

/** Credentials that no output may hold. The key has characters that JSON, HTML, URLs and shells escape. */
export const CANARY = { accessId: 'hostile-7c1f09', accessKey: 'Zk4"w&9<Qp\\m7/Vt+2xR' };
