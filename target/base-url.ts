import { SettingsError } from './settings-error.ts';

/** Checks the API's root as it is written, and returns it without a slash at its end. Throws SettingsError, which does not repeat it. */
export function readBaseUrl(value: string): string {
  const wrong = fault(value);
  // The value may hold a password.
  if (wrong) throw new SettingsError(`TRUSTLY_BASE_URL ${wrong}; write it like https://sandbox.trustly.one/api/v1`);
  return new URL(value).href.replace(/\/+$/, '');
}

/** Says what is wrong with the text. The URL parser repairs silently most of what is refused here. */
function fault(value: string): string | undefined {
  if (value.length > 2_000) return 'is longer than 2,000 characters';
  if (/[\p{Cc}\p{Cf}\s]/u.test(value)) return 'contains white space, a control character or an invisible character';
  if (value.includes('\\')) return 'contains a backslash';
  const [, authority = '', path = ''] = /^https?:\/\/([^/?#]+)([^?#]*)/i.exec(value) ?? [];
  if (!authority) return 'is no http or https URL';
  if (authority.includes('@')) return 'contains user-info, which belongs in TRUSTLY_ACCESS_ID and TRUSTLY_ACCESS_KEY';
  if (/[?#]/.test(value)) return 'contains a query or a fragment';
  if (!URL.canParse(value)) return 'is no http or https URL';
  if (path.split('/').some((segment) => /^(\.|%2e){1,2}$/i.test(segment))) return 'contains a path segment “.” or “..”';
  if (/\/customers\/*$/i.test(path)) return 'ends in /customers, which the suite adds itself: leave it out';
  return undefined;
}
