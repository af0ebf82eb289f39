import { createHash } from 'node:crypto';
import { appendFileSync, existsSync as exists, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Customer } from '../schemas/contract.ts';
import { Client } from './client.ts';
import { keysOf, redactor } from './redaction.ts';
import type { Credentials, Depth, Replay } from './settings.ts';
import { type Limits, Turnstile } from './turnstile.ts';

/** The target cannot be judged: it is out of order, refuses the credentials, or asks for more patience than a run has. */
export class Outage extends Error {
  override name = 'Outage';
}

/** How state is read back; found out once per run. */
export type ReadBack = {
  /** `GET /customers/{customerId}` answers. */
  byId: boolean;
  /** `GET /customers?externalId=` answers. */
  list: boolean;
  /** A read was seen to come behind a write. */
  lags: boolean;
};

/** A customer that the run created. */
export type Created = { customerId: string; externalId: string | null };

/** What the workers of one run share. */
export type Run = {
  baseUrl: string;
  targetName: string;
  merchant: Credentials;
  other?: Credentials;
  /** Begins every externalId; digits, fresh in each run. */
  prefix: string;
  seed: number;
  /** Milliseconds that one request may take. */
  timeout: number;
  overrides: Partial<Customer>;
  depth: Depth;
  limits: Limits;
  replay?: Replay;
  /** The folder where results land. */
  out: string;
  readBack: ReadBack;
  /** The merchantId that the target gave its answers, if it gave one. */
  merchantId?: string;
  /** A folder for what workers tell one another. */
  scratch: string;
  /** What was done before the first check. */
  preflight: { requests: number; created: Created[] };
};

/** Not of the settings' TRUSTLY_ family: nobody sets it by hand. */
const VARIABLE = 'CONFORMANCE_RUN';

/** Publishes the run to this process and the workers it will start. */
export function publishRun(run: Run): void {
  process.env[VARIABLE] = JSON.stringify(run);
}

/** The run that this process belongs to; undefined before it is published. */
export function publishedRun(): Run | undefined {
  const text = process.env[VARIABLE];
  return text === undefined ? undefined : JSON.parse(text);
}

/** Milliseconds that a read may come behind a write. */
export const LAG = 1_000;
/** Milliseconds that a run waits in all where the target answers 429. */
const PATIENCE = 60_000;

const file = (run: Run, ...names: string[]) => join(run.scratch, ...names);

/**
 * Takes a value for an owner, once per run and kind; false where another owner has it. The file system decides, so that no two workers
 * get the same.
 */
export function claim(run: Run, kind: string, value: string, owner: string): boolean {
  const path = file(run, kind, createHash('sha256').update(value).digest('hex'));
  try {
    writeFileSync(path, owner, { flag: 'wx' });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      mkdirSync(file(run, kind), { recursive: true });
      return claim(run, kind, value, owner);
    }
    if (code !== 'EEXIST') throw error;
    return readFileSync(path, 'utf8') === owner;
  }
}

/** Takes these milliseconds of the run's patience. Throws Outage where too little is left. */
export function spendPatience(run: Run, milliseconds: number): void {
  const path = file(run, 'patience');
  appendFileSync(path, `${milliseconds}\n`);
  const spent = readFileSync(path, 'utf8')
    .split('\n')
    .reduce((sum, line) => sum + Number(line), 0);
  if (spent > PATIENCE) throw new Outage(`the target answers 429 and asks for more than ${PATIENCE / 1000} s of waiting in all`);
}

/**
 * Whether a read that is not as expected may still be behind its write. A target whose reads were never seen behind, and waited for in
 * vain before, is not waited for again: it is wrong, not slow.
 */
export function mayLag(run: Run): boolean {
  return run.readBack.lags || exists(file(run, 'behind')) || !exists(file(run, 'vain'));
}

/** Tells every worker how a read that was waited for ended: it was behind the write, or the wait was in vain. */
export function noteLag(run: Run, ended: 'behind' | 'vain'): void {
  writeFileSync(file(run, ended), '');
}

/** Tells every worker that the target is out of order. */
export function declareOutage(run: Run, reason: string): void {
  writeFileSync(file(run, 'outage'), reason);
}

/** Why the target is out of order; undefined while it is not known to be. */
export function outage(run: Run): string | undefined {
  try {
    return readFileSync(file(run, 'outage'), 'utf8');
  } catch {
    return undefined;
  }
}

/** A worker's way through the run's turnstile. */
export function enter({ scratch, limits }: Run): Turnstile {
  return new Turnstile(scratch, limits);
}

/** A client of the run's target. `extend` gives the current check more time, in milliseconds. */
export function connect(run: Run, turnstile: Turnstile, extend: (milliseconds: number) => void = () => undefined): Client {
  const merchants = run.other ? [run.merchant, run.other] : [run.merchant];
  const keys = keysOf(merchants);
  const redactKeys = redactor(keys);
  return new Client({
    baseUrl: run.baseUrl,
    timeout: run.timeout,
    redact: redactor([...keys, ...merchants.map(({ accessId }) => accessId)]),
    leaks: (text) => redactKeys(text) !== text,
    pass: () => turnstile.pass(),
    patience: (milliseconds) => {
      spendPatience(run, milliseconds);
      extend(milliseconds);
    },
  });
}
