import type { Credentials } from './settings.ts';

/** What stands where a credential stood. */
export const MASK = '‹redacted›';
/** A credential shorter than this stands by chance in other text; it is masked in headers alone. */
export const SHORTEST = 8;

/** Masks secrets in a text. */
export type Redact = (text: string) => string;

/** Every spelling of a secret that could land in a text: clear, Base64, percent-encoded, JSON-escaped. */
function spellings(secret: string): string[] {
  const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '');
  const base64url = Buffer.from(secret).toString('base64url');
  const json = JSON.stringify(secret).slice(1, -1);
  // A header's bytes are read as ISO 8859-1, whatever they were written as.
  const latin1 = Buffer.from(secret).toString('latin1');
  const clear = [secret, base64, base64url, json, latin1];
  return [...clear, ...clear.map(encodeURIComponent), new URLSearchParams({ s: secret }).toString().slice(2)];
}

/** A function that masks these secrets wherever they stand in a text. */
export function redactor(secrets: readonly string[]): Redact {
  const targets = [...new Set(secrets.filter((secret) => secret.length >= SHORTEST).flatMap(spellings))];
  targets.sort((a, b) => b.length - a.length);
  return (text) => targets.reduce((masked, target) => masked.replaceAll(target, MASK), text);
}

/** What gives access away: the key, alone or with its accessId as Basic sends them. */
export function keysOf(merchants: readonly Credentials[]): string[] {
  return merchants.flatMap(({ accessId, accessKey }) => (accessKey.length < SHORTEST ? [] : [`${accessId}:${accessKey}`, accessKey]));
}

/** The variables whose credential is too short to be masked everywhere; `prefix` begins their names. */
export function tooShort({ accessId, accessKey }: Credentials, prefix = 'TRUSTLY_'): string[] {
  const values = [
    [`${prefix}ACCESS_ID`, accessId],
    [`${prefix}ACCESS_KEY`, accessKey],
  ] as const;
  return values.flatMap(([name, value]) => (value.length < SHORTEST ? [name] : []));
}
