import { randomInt } from 'node:crypto';
import type { Customer } from '../schemas/contract.ts';
import type { Credentials } from './authorization.ts';
import { type ClientCertificate, readClientCertificate } from './client-certificate.ts';
import { environment } from './dotenv.ts';
import { type Header, readHeaders } from './headers.ts';
import type { Limits } from './limiter.ts';
import { checkNames } from './names.ts';
import { detector, whyGuessable } from './redaction.ts';
import type { Replay } from './replay.ts';
import { SettingsError } from './settings-error.ts';
import { type Depth, parseVariables, type Values } from './variables.ts';

export type { ClientCertificate } from './client-certificate.ts';
export { environment } from './dotenv.ts';
export type { Header } from './headers.ts';
export { assertHostAllowed } from './hosts.ts';
export { type Replay, writeReplay } from './replay.ts';
export { SettingsError } from './settings-error.ts';
export { type Depth, variables } from './variables.ts';

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
  const values = parseVariables(env);
  const { TRUSTLY_BASE_URL: baseUrl, TRUSTLY_MAX_RPS: rps, TRUSTLY_MAX_REQUESTS: requests, TRUSTLY_MAX_SECONDS: maxSeconds } = values;
  const { TRUSTLY_REPLAY: replay, TRUSTLY_ALLOW_HOST: allowHost, TRUSTLY_TARGET_NAME: targetName } = values;
  const merchant = credentialsOf(values, 'TRUSTLY_');
  const other = credentialsOf(values, 'TRUSTLY_OTHER_');
  const headers = readHeaders(env);
  if (baseUrl && !merchant) throw new SettingsError('TRUSTLY_BASE_URL requires TRUSTLY_ACCESS_ID and TRUSTLY_ACCESS_KEY; set both');
  if (!baseUrl && (merchant || other)) {
    throw new SettingsError(
      'TRUSTLY_BASE_URL is not set, but credentials are; set it, or remove the credentials to test the embedded sandbox',
    );
  }
  const [header] = headers;
  if (!baseUrl && header) {
    throw new SettingsError(
      `TRUSTLY_BASE_URL is not set, but ${header.variable} is; set TRUSTLY_BASE_URL, or remove ${header.variable} to test the embedded sandbox`,
    );
  }
  if (other && other.accessId === merchant?.accessId) {
    throw new SettingsError('TRUSTLY_OTHER_ACCESS_ID names the same merchant as TRUSTLY_ACCESS_ID; give a second merchant or remove it');
  }
  assertNoKey({ TRUSTLY_BASE_URL: baseUrl, TRUSTLY_TARGET_NAME: targetName }, merchant, other);
  const clientCertificate = readClientCertificate(env, baseUrl);
  return {
    ...(baseUrl && { baseUrl }),
    ...(merchant && { merchant }),
    ...(other && { other }),
    targetName: targetName ?? (baseUrl ? new URL(baseUrl).host : 'embedded sandbox'),
    overrides: values.TRUSTLY_CUSTOMER_FILE ?? {},
    seed: values.TRUSTLY_SEED,
    timeout: values.TRUSTLY_TIMEOUT_MS,
    depth: values.TRUSTLY_DEPTH,
    limits: { concurrency: values.TRUSTLY_CONCURRENCY, ...(rps && { rps }), ...(requests && { requests }) },
    ...(maxSeconds && { maxSeconds }),
    headers,
    ...(clientCertificate && { clientCertificate }),
    ...(replay && { replay }),
    strict: values.TRUSTLY_STRICT,
    ...(allowHost && { allowHost }),
    out: values.TRUSTLY_OUT,
    warnings,
  };
}

function credentialsOf(values: Values, prefix: 'TRUSTLY_' | 'TRUSTLY_OTHER_'): Credentials | undefined {
  const [idName, keyName] = [`${prefix}ACCESS_ID`, `${prefix}ACCESS_KEY`] as const;
  const { [idName]: accessId, [keyName]: accessKey } = values;
  if (accessId === undefined && accessKey === undefined) return undefined;
  if (accessId === undefined || accessKey === undefined) {
    const [missing, present] = accessId === undefined ? [idName, keyName] : [keyName, idName];
    throw new SettingsError(`${missing} is not set, but ${present} is; set both or neither`);
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
        throw new SettingsError(`${name} contains ${prefix}ACCESS_KEY, and every result shows ${name}; remove the key from it`);
    }
  }
}
