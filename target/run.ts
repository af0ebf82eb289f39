import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Customer } from '../schemas/contract.ts';
import type { Credentials } from './authorization.ts';
import { Client } from './client.ts';
import type { Created } from './created.ts';
import type { ExtraHeader } from './exchange.ts';
import { Ledger } from './ledger.ts';
import { type Entrance, type Limits, RateLimiter, Stopped } from './limiter.ts';
import { detector, redactor, secretsOf } from './redaction.ts';
import type { Depth, Replay } from './settings.ts';

/** How state is read back; found out once per run. */
export type ReadBack = {
  /** `GET /customers/{customerId}` answers. */
  byId: boolean;
  /** `GET /customers?externalId=` answers. */
  list: boolean;
  /** A read was seen to lag behind a write. */
  lags: boolean;
};

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
  /** The folder for results. */
  out: string;
  /** The journal of what was created; undefined: no journal. */
  ledger?: string;
  /** The target may be at any address. */
  anyAddress: boolean;
  /** Additional headers of every request. */
  headers: readonly ExtraHeader[];
  certificate?: { cert: string; key: string };
  readBack: ReadBack;
  /** The merchantId that the target gave its answers, if it gave one. */
  merchantId?: string;
  /** A folder for the values that workers reserve. */
  scratch: string;
  /** Where the limits of the run are served. */
  entrance: Entrance;
  /** The customer that was created before the first check, as it was sent; none if the target created none. */
  first?: { customerId: string; externalId: string; state: Partial<Customer> };
  /** What was done before the first check. */
  preflight: { requests: number; created: Created[] };
};

/** Where workers enter the run. It has no TRUSTLY_ prefix, because nobody sets it by hand. */
const ENTRANCE = 'CONFORMANCE_ENTRANCE';

let published: Run | undefined;

/** Publishes the run to this process, and its entrance to the workers that it will start: no variable contains the run's credentials. */
export function publishRun(run: Run): void {
  published = run;
  process.env[ENTRANCE] = JSON.stringify(run.entrance);
}

/** The run that this process published; undefined before that. */
export function publishedRun(): Run | undefined {
  return published;
}

/** Enters the run that the process which started this one published; undefined if it published none. Throws Stopped if that run is over. */
export async function enterPublished(): Promise<{ run: Run; limiter: RateLimiter } | undefined> {
  const { [ENTRANCE]: entrance } = process.env;
  if (entrance === undefined) return undefined;
  const limiter = await RateLimiter.enter(JSON.parse(entrance));
  return { run: limiter.shared as Run, limiter };
}

/** Milliseconds that a read may lag behind a write. */
export const LAG = 1_000;

const file = (run: Run, ...names: string[]) => join(run.scratch, ...names);

/**
 * Takes a value for an owner, once per run and kind; false if another owner has it. The file system decides, so no two workers
 * get the same: the limiter could not answer before the next line, and customers are drawn without waiting.
 */
export function reserve(run: Run, kind: string, value: string, owner: string): boolean {
  const path = file(run, kind, createHash('sha256').update(value).digest('hex'));
  try {
    writeFileSync(path, owner, { flag: 'wx' });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      mkdirSync(file(run, kind), { recursive: true });
      return reserve(run, kind, value, owner);
    }
    if (code !== 'EEXIST') throw error;
    return readFileSync(path, 'utf8') === owner;
  }
}

/**
 * Returns whether an unexpected read may still lag behind its write. If waiting did not help before and no read was ever seen to lag, the
 * suite does not wait again: the target is wrong, not slow.
 */
export function mayLag({ readBack }: Run, limiter: RateLimiter): boolean {
  return readBack.lags || limiter.knows('a read lagged') || !limiter.knows('waiting did not help');
}

/** Opens the run's journal for this process; undefined if the run has none. */
export function openLedger(run: Run): Ledger | undefined {
  return run.ledger === undefined ? undefined : new Ledger(run.ledger, redactor(secretsOfRun(run).all));
}

/** A worker's way through the run's limiter. Throws Stopped if the run is over. */
export function enter({ entrance }: Run): Promise<RateLimiter> {
  return RateLimiter.enter(entrance);
}

/** A client of the run's target. `extend` gives the current check more time, in milliseconds. */
export function connect(
  run: Run,
  limiter: RateLimiter,
  { extend, ledger }: { extend?: (milliseconds: number) => void; ledger?: Ledger | undefined } = {},
): Client {
  const { keys, all } = secretsOfRun(run);
  const { baseUrl, timeout, anyAddress, headers, certificate } = run;
  return new Client({
    baseUrl,
    timeout,
    anyAddress,
    headers,
    ...(certificate && { certificate }),
    redact: redactor(all),
    leaks: detector(keys),
    pass: () => limiter.pass(extend),
    wait: (milliseconds, status) => limiter.wait(milliseconds, status),
    ...(ledger && {
      record: (request) => {
        const stop = (error: unknown) => {
          const reason = `${run.ledger} cannot be written (${(error as Error).message.split(', ')[0]})`;
          limiter.stop(reason);
          return new Stopped(reason);
        };
        try {
          const settle = ledger.record(request);
          return (answer) => {
            try {
              settle(answer);
            } catch (error) {
              // The request is listed; its answer says more about it.
              stop(error);
            }
          };
        } catch (error) {
          // A customer that nobody could list is not created.
          throw stop(error);
        }
      },
    }),
  });
}

/** What results must not hold: `keys` are looked for in answers, `all` is redacted. */
export function secretsOfRun({ merchant, other, headers, baseUrl }: Pick<Run, 'merchant' | 'other' | 'headers' | 'baseUrl'>) {
  // Of every proxy, used or not: a target on the same machine may know them.
  const names = ['http_proxy', 'https_proxy', 'all_proxy'].flatMap((name) => [name, name.toUpperCase()]);
  const proxies = names.map((name) => process.env[name] ?? '').filter((url) => URL.canParse(url));
  const passwords = proxies.map((url) => new URL(url).password).filter((password) => password !== '');
  return secretsOf(other ? [merchant, other] : [merchant], [...headers.map(({ value }) => value), ...passwords], baseUrl);
}
