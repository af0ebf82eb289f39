import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import { parse as parseDotenv } from 'dotenv';
import leven from 'leven';
import { type Customer, customerProperties, type JsonObject, sentences, validateUpdate } from '../schemas/contract.ts';
import type { Limits } from './turnstile.ts';

/** Something that the user of the suite can put right: told in one line, exit code 3. */
export class SettingsError extends Error {
  override name = 'SettingsError';
}

/** The user name and password of HTTP Basic: accessId and accessKey. */
export type Credentials = { accessId: string; accessKey: string };

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
  /** The one host allowed beyond loopback, private addresses and the sandbox. */
  allowHost?: string;
  /** How many cases a generated check has. */
  depth: Depth;
  limits: Limits;
  /** One generated case to repeat, and nothing else. */
  replay?: Replay;
  /** The folder where results land. */
  out: string;
};

/** How many cases generated checks have. */
export const depths = ['quick', 'standard', 'deep'] as const;
/** How many cases generated checks have. */
export type Depth = (typeof depths)[number];

/** A case of a generated check, as a failure's report gives it. */
export type Replay = {
  /** The title of the check. */
  title: string;
  /** fast-check's seed of the check. */
  seed: number;
  /** fast-check's path to the case. */
  path: string;
  /** fast-check's replayPath, of a history. */
  commands?: string;
};

/** A setting: an environment variable, or a line of `.env`. */
export type Variable = { name: string; default: string; effect: string; example: string; planned?: true };

/** Every setting; the README's table and `.env.example` are made from it. */
export const variables: readonly Variable[] = [
  {
    name: 'TRUSTLY_BASE_URL',
    default: 'the embedded sandbox',
    effect: 'The target: the root of its API, without `/customers`. Needs the credentials, and they need it.',
    example: 'https://sandbox.trustly.one/api/v1',
  },
  { name: 'TRUSTLY_ACCESS_ID', default: '–', effect: "The merchant's accessId.", example: 'my-access-id' },
  { name: 'TRUSTLY_ACCESS_KEY', default: '–', effect: "The merchant's accessKey.", example: 'my-access-key' },
  {
    name: 'TRUSTLY_OTHER_ACCESS_ID',
    default: '–',
    effect: 'The accessId of a second merchant; without one the checks between merchants are not applicable.',
    example: 'other-access-id',
  },
  { name: 'TRUSTLY_OTHER_ACCESS_KEY', default: '–', effect: 'The accessKey of the second merchant.', example: 'other-access-key' },
  { name: 'TRUSTLY_TARGET_NAME', default: 'the host', effect: "The target's name in results.", example: 'trustly-sandbox' },
  {
    name: 'TRUSTLY_CUSTOMER_FILE',
    default: '–',
    effect: 'A JSON file whose properties every plain customer has, for a target whose business demands them.',
    example: 'customer.json',
  },
  {
    name: 'TRUSTLY_SEED',
    default: 'random, printed',
    effect: "An integer that repeats a run's customers, all but the prefix of their externalIds.",
    example: '42',
  },
  { name: 'TRUSTLY_TIMEOUT_MS', default: '10000', effect: 'Milliseconds that one request may take.', example: '10000' },
  { name: 'TRUSTLY_STRICT', default: 'false', effect: '`true`: a failed SHOULD counts as a failure.', example: 'true' },
  {
    name: 'TRUSTLY_DEPTH',
    default: 'standard',
    effect: '`quick`, `standard` or `deep`: how many cases the generated checks have.',
    example: 'quick',
  },
  {
    name: 'TRUSTLY_CONCURRENCY',
    default: '8',
    effect: 'Requests that the generated checks have in flight at most, all workers together. With 1 nothing is checked of races.',
    example: '8',
  },
  { name: 'TRUSTLY_MAX_RPS', default: '–', effect: 'Requests that the run makes in a second at most.', example: '20' },
  {
    name: 'TRUSTLY_MAX_REQUESTS',
    default: '–',
    effect: 'Requests that the run makes at most; what is left then is left out, and said.',
    example: '5000',
  },
  {
    name: 'TRUSTLY_REPLAY',
    default: '–',
    effect: "Repeats one generated case and nothing else; a failure's report gives the value.",
    example: '1234;7:0:1;;a title',
  },
  {
    name: 'TRUSTLY_ALLOW_HOST',
    default: '–',
    effect: 'The one host allowed beyond loopback, private addresses and `sandbox.trustly.one`.',
    example: 'gateway.example.com',
  },
  { name: 'TRUSTLY_OUT', default: 'reports/out', effect: 'The folder where results land.', example: 'reports/out' },
  { name: 'TRUSTLY_WAIVERS', default: '', effect: '', example: '', planned: true },
];

/** The environment with `.env` below it. `DOTENV_CONFIG_PATH`, dotenv's own variable, names another file. */
export function environment(): NodeJS.ProcessEnv {
  const path = process.env.DOTENV_CONFIG_PATH ?? '.env';
  try {
    return { ...parseDotenv(readFileSync(path)), ...process.env };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { ...process.env };
    throw new SettingsError(`${path} cannot be read (${(error as NodeJS.ErrnoException).code}): mend or remove it`);
  }
}

/** Reads the settings. Throws SettingsError, one line that names the variable and what to write instead. */
export function readSettings(env: NodeJS.ProcessEnv = environment()): Settings {
  const offered = variables.filter(({ planned }) => !planned).map(({ name }) => name);
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('TRUSTLY_')) continue;
    const variable = variables.find((known) => known.name === name);
    if (!variable) throw new SettingsError(`${name} is no setting; did you mean ${nearest(name, offered)}?`);
    if (variable.planned) throw new SettingsError(`${name} is not available in this version; remove it`);
    if (!value?.trim()) throw new SettingsError(`${name} is empty; give it a value or remove it`);
  }
  const baseUrl = env.TRUSTLY_BASE_URL === undefined ? undefined : readBaseUrl(env.TRUSTLY_BASE_URL);
  const merchant = readCredentials(env, 'TRUSTLY_');
  const other = readCredentials(env, 'TRUSTLY_OTHER_');
  if (baseUrl && !merchant) throw new SettingsError('TRUSTLY_BASE_URL needs TRUSTLY_ACCESS_ID and TRUSTLY_ACCESS_KEY beside it; set them');
  if (!baseUrl && (merchant || other)) {
    throw new SettingsError('TRUSTLY_BASE_URL is missing beside the credentials; set it, or remove them to test the embedded sandbox');
  }
  if (other && other.accessId === merchant?.accessId) {
    throw new SettingsError('TRUSTLY_OTHER_ACCESS_ID names the same merchant as TRUSTLY_ACCESS_ID; give a second merchant or remove it');
  }
  return {
    ...(baseUrl && { baseUrl }),
    ...(merchant && { merchant }),
    ...(other && { other }),
    targetName: env.TRUSTLY_TARGET_NAME ?? (baseUrl ? new URL(baseUrl).host : 'embedded sandbox'),
    overrides: env.TRUSTLY_CUSTOMER_FILE === undefined ? {} : readOverrides(env.TRUSTLY_CUSTOMER_FILE),
    seed: env.TRUSTLY_SEED === undefined ? undefined : readInteger(env.TRUSTLY_SEED, 'TRUSTLY_SEED', 0, 0xffff_ffff),
    timeout: readInteger(env.TRUSTLY_TIMEOUT_MS ?? '10000', 'TRUSTLY_TIMEOUT_MS', 1, 600_000),
    depth: readDepth(env.TRUSTLY_DEPTH ?? 'standard'),
    limits: {
      concurrency: readInteger(env.TRUSTLY_CONCURRENCY ?? '8', 'TRUSTLY_CONCURRENCY', 1, 64),
      ...(env.TRUSTLY_MAX_RPS && { rps: readInteger(env.TRUSTLY_MAX_RPS, 'TRUSTLY_MAX_RPS', 1, 10_000) }),
      ...(env.TRUSTLY_MAX_REQUESTS && { requests: readInteger(env.TRUSTLY_MAX_REQUESTS, 'TRUSTLY_MAX_REQUESTS', 100, 1_000_000) }),
    },
    ...(env.TRUSTLY_REPLAY && { replay: readReplay(env.TRUSTLY_REPLAY) }),
    strict: readBoolean(env.TRUSTLY_STRICT ?? 'false', 'TRUSTLY_STRICT'),
    ...(env.TRUSTLY_ALLOW_HOST && { allowHost: env.TRUSTLY_ALLOW_HOST.toLowerCase() }),
    out: env.TRUSTLY_OUT ?? 'reports/out',
  };
}

function nearest(name: string, names: string[]): string {
  return names.reduce((best, candidate) => (leven(name, candidate) < leven(name, best) ? candidate : best));
}

function readBaseUrl(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const wrong =
    !url || !/^https?:$/.test(url.protocol)
      ? 'is no http or https URL'
      : url.username || url.password
        ? 'holds user-info'
        : url.search || url.hash || /[?#]/.test(value)
          ? 'holds a query or a fragment'
          : undefined;
  // The value itself is not repeated: it may hold a password.
  if (!url || wrong) throw new SettingsError(`TRUSTLY_BASE_URL ${wrong}; write it like https://sandbox.trustly.one/api/v1`);
  return url.href.replace(/\/+$/, '');
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
  }
  return { accessId, accessKey };
}

function readInteger(value: string, name: string, min: number, max: number): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < min || number > max) {
    throw new SettingsError(`${name} is “${value}”; write an integer from ${min} to ${max}`);
  }
  return number;
}

function readDepth(value: string): Depth {
  const depth = depths.find((known) => known === value);
  if (!depth) throw new SettingsError(`TRUSTLY_DEPTH is “${value}”; write quick, standard or deep`);
  return depth;
}

/** A replay as one word of a shell in quotes. */
export const writeReplay = ({ seed, path, commands = '', title }: Replay) => [seed, path, commands, title].join(';');

function readReplay(value: string): Replay {
  const [, seed, path = '', commands, title = ''] = /^(-?\d{1,10});([\d:]+);([\w:+/=-]*);(.+)$/s.exec(value) ?? [];
  if (seed === undefined) {
    throw new SettingsError("TRUSTLY_REPLAY is none that a failure's report gives; copy it from there, like 1234;7:0:1;;a title");
  }
  return { seed: Number(seed), path, title, ...(commands && { commands }) };
}

function readBoolean(value: string, name: string): boolean {
  if (value !== 'true' && value !== 'false') throw new SettingsError(`${name} is “${value}”; write true or false`);
  return value === 'true';
}

const OWN_BY_THE_RUN = ['customerId', 'externalId', 'phone', 'email', 'taxId', 'merchantId', 'createdAt', 'updatedAt', 'personId'];

function readOverrides(file: string): Partial<Customer> {
  const fail = (wrong: string) => new SettingsError(`TRUSTLY_CUSTOMER_FILE ${file} ${wrong}`);
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw fail(code ? `cannot be read (${code}); name a JSON file` : 'is not JSON; write an object such as {"currency":"USD"}');
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw fail('holds no object; write one such as {"currency":"USD"}');
  }
  for (const [name, value] of Object.entries(content as JsonObject)) {
    if (!(customerProperties as string[]).includes(name)) throw fail(`has ${name}; did you mean ${nearest(name, customerProperties)}?`);
    if (OWN_BY_THE_RUN.includes(name)) throw fail(`sets ${name}, which each customer must have for itself; remove it`);
    if (value === null) throw fail(`sets ${name} to null; give it a value or remove it`);
  }
  if (!validateUpdate(content)) throw fail(`is no part of a customer: ${sentences(validateUpdate.errors)[0]}`);
  return content as Partial<Customer>;
}

const near = new BlockList();
for (const [network, prefix] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
] as const) {
  near.addSubnet(network, prefix);
}
near.addAddress('::1', 'ipv6');
near.addSubnet('fc00::', 7, 'ipv6');
near.addSubnet('fe80::', 10, 'ipv6');

const isNear = (address: string) => near.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
const SANDBOX = 'sandbox.trustly.one';
const PRODUCTION = /(^|\.)(trustly\.one|trustly\.com|paywithmybank\.com)$/;

/**
 * Holds a run to loopback, private addresses, the vendor's sandbox and the one host that TRUSTLY_ALLOW_HOST names. A name is judged by
 * what it resolves to; one that does not resolve cannot be reached either and is left to the first request. Throws SettingsError.
 */
export async function assertHostAllowed({ baseUrl, allowHost }: Pick<Settings, 'baseUrl' | 'allowHost'>): Promise<void> {
  if (!baseUrl) return;
  const { hostname, host } = new URL(baseUrl);
  if (hostname === SANDBOX || allowHost === hostname || allowHost === host) return;
  const address = hostname.replace(/^\[|\]$/g, '');
  const remedy = `set TRUSTLY_ALLOW_HOST=${hostname} if it is really meant: a run leaves customers that nobody can delete`;
  if (PRODUCTION.test(hostname)) throw new SettingsError(`TRUSTLY_BASE_URL names a host of production, ${hostname}; ${remedy}`);
  const addresses = isIP(address)
    ? [address]
    : await lookup(address, { all: true }).then(
        (found) => found.map((entry) => entry.address),
        () => [],
      );
  if (!addresses.every(isNear)) throw new SettingsError(`TRUSTLY_BASE_URL names a public host, ${hostname}; ${remedy}`);
}
