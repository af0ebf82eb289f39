import { randomInt } from 'node:crypto';
import type { Customer } from '../schemas/contract.ts';
import type { Credentials } from './authorization.ts';
import { readBaseUrl } from './base-url.ts';
import { type ClientCertificate, readClientCertificate } from './client-certificate.ts';
import { readCustomerFile } from './customer-file.ts';
import { environment } from './dotenv.ts';
import { type Header, readHeaders } from './headers.ts';
import { parseHost } from './hosts.ts';
import type { Limits } from './limiter.ts';
import { checkNames } from './names.ts';
import { detector, whyGuessable } from './redaction.ts';
import { type Replay, readReplay } from './replay.ts';
import { SettingsError, shown } from './settings-error.ts';

export type { ClientCertificate } from './client-certificate.ts';
export { environment } from './dotenv.ts';
export type { Header } from './headers.ts';
export { assertHostAllowed } from './hosts.ts';
export { type Replay, writeReplay } from './replay.ts';
export { SettingsError } from './settings-error.ts';
export { type Variable, variables } from './variables.ts';

/** The settings of a run. */
export type Settings = {
  /** The API's root, without a slash at its end; undefined: the embedded sandbox. */
  baseUrl?: string;
  merchant?: Credentials;
  /** The second merchant. */
  other?: Credentials;
  targetName: string;
  /** Overrides those properties of every plain customer. */
  overrides: Partial<Customer>;
  seed: number | undefined;
  /** Milliseconds that one request may take. */
  timeout: number;
  strict: boolean;
  /** The one host, with or without a port, that is allowed beyond loopback, private addresses and the sandbox. */
  allowHost?: string;
  /** How many cases a generated check has. */
  depth: Depth;
  limits: Limits;
  /** Seconds that the run may take; undefined: no limit. */
  maxSeconds?: number;
  /** Extra request headers. */
  headers: readonly Header[];
  clientCertificate?: ClientCertificate;
  /** One generated case to repeat, and nothing else. */
  replay?: Replay;
  /** The folder of the results. */
  out: string;
  /** What the user should know but need not change, one line each. */
  warnings: readonly string[];
};

/** How many cases generated checks have. */
export const depths = ['quick', 'standard', 'deep'] as const;
/** How many cases generated checks have. */
export type Depth = (typeof depths)[number];

/**
 * Reads the settings and publishes them to the processes of a run: `.env`, and a seed if none is set, become environment variables. Throws
 * SettingsError.
 */
export function publishSettings(): Settings & { seed: number } {
  Object.assign(process.env, environment());
  const settings = readSettings(process.env);
  const { seed = randomInt(2 ** 32) } = settings;
  process.env.TRUSTLY_SEED = String(seed);
  return { ...settings, seed };
}

/** Reads the settings. Throws SettingsError, one line that names the variable and what to write instead. */
export function readSettings(env: NodeJS.ProcessEnv = environment()): Settings {
  const warnings = checkNames(env);
  const baseUrl = env.TRUSTLY_BASE_URL === undefined ? undefined : readBaseUrl(env.TRUSTLY_BASE_URL);
  const merchant = readCredentials(env, 'TRUSTLY_');
  const other = readCredentials(env, 'TRUSTLY_OTHER_');
  const headers = readHeaders(env);
  if (baseUrl && !merchant) throw new SettingsError('TRUSTLY_BASE_URL needs TRUSTLY_ACCESS_ID and TRUSTLY_ACCESS_KEY beside it; set them');
  if (!baseUrl && (merchant || other)) {
    throw new SettingsError('TRUSTLY_BASE_URL is missing beside the credentials; set it, or remove them to test the embedded sandbox');
  }
  const [header] = headers;
  if (!baseUrl && header) {
    throw new SettingsError(`TRUSTLY_BASE_URL is missing beside ${header.variable}; set it, or remove that to test the embedded sandbox`);
  }
  if (other && other.accessId === merchant?.accessId) {
    throw new SettingsError('TRUSTLY_OTHER_ACCESS_ID names the same merchant as TRUSTLY_ACCESS_ID; give a second merchant or remove it');
  }
  assertNoKey({ TRUSTLY_BASE_URL: baseUrl, TRUSTLY_TARGET_NAME: env.TRUSTLY_TARGET_NAME }, merchant, other);
  const clientCertificate = readClientCertificate(env, baseUrl);
  const rps = readLimit(env, 'TRUSTLY_MAX_RPS', 1, 10_000);
  const requests = readLimit(env, 'TRUSTLY_MAX_REQUESTS', 100, 1_000_000);
  const maxSeconds = readLimit(env, 'TRUSTLY_MAX_SECONDS', 10, 86_400);
  return {
    ...(baseUrl && { baseUrl }),
    ...(merchant && { merchant }),
    ...(other && { other }),
    targetName: readTargetName(env.TRUSTLY_TARGET_NAME) ?? (baseUrl ? new URL(baseUrl).host : 'embedded sandbox'),
    overrides: env.TRUSTLY_CUSTOMER_FILE === undefined ? {} : readCustomerFile(env.TRUSTLY_CUSTOMER_FILE),
    seed: readLimit(env, 'TRUSTLY_SEED', 0, 0xffff_ffff),
    timeout: readLimit(env, 'TRUSTLY_TIMEOUT_MS', 1, 600_000) ?? 10_000,
    depth: readDepth(env.TRUSTLY_DEPTH ?? 'standard'),
    limits: {
      concurrency: readLimit(env, 'TRUSTLY_CONCURRENCY', 1, 64) ?? 8,
      ...(rps && { rps }),
      ...(requests && { requests }),
    },
    ...(maxSeconds && { maxSeconds }),
    headers,
    ...(clientCertificate && { clientCertificate }),
    ...(env.TRUSTLY_REPLAY && { replay: readReplay(env.TRUSTLY_REPLAY) }),
    strict: readBoolean(env.TRUSTLY_STRICT ?? 'false', 'TRUSTLY_STRICT'),
    ...(env.TRUSTLY_ALLOW_HOST && { allowHost: readAllowHost(env.TRUSTLY_ALLOW_HOST) }),
    out: readOut(env.TRUSTLY_OUT ?? 'reports/out'),
    warnings,
  };
}

function readCredentials(env: NodeJS.ProcessEnv, prefix: string): Credentials | undefined {
  const [idName, keyName] = [`${prefix}ACCESS_ID`, `${prefix}ACCESS_KEY`];
  const { [idName]: accessId, [keyName]: accessKey } = env;
  if (accessId === undefined && accessKey === undefined) return undefined;
  if (accessId === undefined || accessKey === undefined) {
    const [missing, given] = accessId === undefined ? [idName, keyName] : [keyName, idName];
    throw new SettingsError(`${missing} is missing beside ${given}; set both or neither`);
  }
  if (accessId.includes(':')) throw new SettingsError(`${idName} contains a colon, which HTTP Basic does not allow; check the value`);
  for (const [name, value] of [[idName, accessId] as const, [keyName, accessKey] as const]) {
    if (/\p{Cc}/u.test(value)) throw new SettingsError(`${name} contains a control character; check the value`);
    if (value.length > 1_000) throw new SettingsError(`${name} is longer than 1,000 characters; check the value`);
  }
  return { accessId, accessKey };
}

/** Asserts that settings which every result shows contain no key. Throws SettingsError. */
function assertNoKey(
  settings: Record<string, string | undefined>,
  merchant: Credentials | undefined,
  other: Credentials | undefined,
): void {
  for (const [prefix, credentials] of [['TRUSTLY_', merchant] as const, ['TRUSTLY_OTHER_', other] as const]) {
    if (!credentials || whyGuessable(credentials.accessKey) !== undefined) continue;
    const containsKey = detector([credentials.accessKey]);
    for (const [name, value = ''] of Object.entries(settings)) {
      if (containsKey(value))
        throw new SettingsError(`${name} contains ${prefix}ACCESS_KEY, and every result shows it; write it without the key`);
    }
  }
}

function readLimit(env: NodeJS.ProcessEnv, name: string, min: number, max: number): number | undefined {
  const { [name]: value } = env;
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < min || number > max) {
    throw new SettingsError(`${name} is “${shown(value)}”; write an integer from ${min} to ${max}, in digits`);
  }
  return number;
}

function readDepth(value: string): Depth {
  const depth = depths.find((known) => known === value);
  if (!depth) throw new SettingsError(`TRUSTLY_DEPTH is “${shown(value)}”; write quick, standard or deep`);
  return depth;
}

function readBoolean(value: string, name: string): boolean {
  if (value !== 'true' && value !== 'false') throw new SettingsError(`${name} is “${shown(value)}”; write true or false`);
  return value === 'true';
}

function readTargetName(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u.test(value)) {
    throw new SettingsError('TRUSTLY_TARGET_NAME contains a control character or a line separator; write one line of plain text');
  }
  if ([...value].length > 100) throw new SettingsError('TRUSTLY_TARGET_NAME is longer than 100 characters; write a shorter name');
  return value;
}

function readAllowHost(value: string): string {
  if (!parseHost(value)) throw new SettingsError(`TRUSTLY_ALLOW_HOST is not a host; write one host name, like gateway.example.com`);
  return value.toLowerCase();
}

function readOut(value: string): string {
  if (/\p{Cc}/u.test(value)) throw new SettingsError('TRUSTLY_OUT contains a control character; write the path of a folder');
  if (value.startsWith('~')) {
    throw new SettingsError(
      'TRUSTLY_OUT begins with ~, which only a shell replaces, and not in quotes; write the whole path, or ./~ if you mean it',
    );
  }
  return value;
}
