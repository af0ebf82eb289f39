import * as v from 'valibot';

/** The API's root as it is written; parsed, it has no slash at its end. Messages do not repeat it, because it may contain a password. */
export const baseUrl = v.pipe(
  v.string(),
  v.check(
    (text) => fault(text) === undefined,
    ({ input }) => `${fault(input)}; write it like https://sandbox.trustly.one/api/v1`,
  ),
  v.transform((text) => new URL(text).href.replace(/\/+$/, '')),
);

/** Says what is wrong with the text. The URL parser repairs silently most of what is refused here. */
function fault(value: string): string | undefined {
  if (value.length > 2_000) return 'is longer than 2,000 characters';
  if (/[\p{Cc}\p{Cf}\s]/u.test(value)) return 'contains white space, a control character or an invisible character';
  if (value.includes('\\')) return 'contains a backslash';
  const [, authority = '', path = ''] = /^https?:\/\/([^/?#]+)([^?#]*)/i.exec(value) ?? [];
  if (!authority) return 'is not an http or https URL';
  if (authority.includes('@')) return 'contains user-info, which belongs in TRUSTLY_ACCESS_ID and TRUSTLY_ACCESS_KEY';
  if (/[?#]/.test(value)) return 'contains a query or a fragment';
  if (!URL.canParse(value)) return 'is not an http or https URL';
  if (path.split('/').some((segment) => /^(\.|%2e){1,2}$/i.test(segment))) return 'contains a path segment “.” or “..”';
  if (/\/customers\/*$/i.test(path)) return 'ends in /customers, which the suite adds itself: leave it out';
  return undefined;
}
