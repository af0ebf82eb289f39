import { SettingsError } from './settings-error.ts';
import { HEADER_PREFIX } from './variables.ts';

/** An extra request header, and the variable that sets it. The value may be a secret. */
export type Header = { variable: string; name: string; value: string };

/** Headers that the suite or the HTTP client sets, in lower case. */
const OWN = [
  'authorization',
  'host',
  'content-type',
  'content-length',
  'content-encoding',
  'accept',
  'accept-encoding',
  'connection',
  'transfer-encoding',
  'expect',
  'user-agent',
  'upgrade',
  'te',
  'trailer',
  'keep-alive',
];

/** Reads the headers that `TRUSTLY_HEADER_<NAME>` sets. Throws SettingsError, which does not repeat a value. */
export function readHeaders(env: NodeJS.ProcessEnv): Header[] {
  return Object.entries(env).flatMap(([variable, value]) =>
    variable.startsWith(HEADER_PREFIX) && value !== undefined ? [readHeader(variable, value)] : [],
  );
}

function readHeader(variable: string, value: string): Header {
  const name = variable
    .slice(HEADER_PREFIX.length)
    .split('_')
    .map((word) => `${word.slice(0, 1)}${word.slice(1).toLowerCase()}`)
    .join('-');
  if (OWN.includes(name.toLowerCase()) || name.startsWith('Proxy-')) {
    throw new SettingsError(`${variable} sets ${name}, a header that the suite sets itself; remove it`);
  }
  if (value.length > 4_000) throw new SettingsError(`${variable} is longer than 4,000 characters; check the value`);
  if (/[^\u{20}-\u{7e}\u{a0}-\u{ff}]/u.test(value)) {
    throw new SettingsError(`${variable} contains a character that a header cannot carry; use printable ISO 8859-1`);
  }
  return { variable, name, value };
}
