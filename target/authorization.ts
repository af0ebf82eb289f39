import { randomBytes } from 'node:crypto';

/** The user name and password of HTTP Basic: accessId and accessKey. */
export type Credentials = { accessId: string; accessKey: string };

/** How a request is authorized. The header's true value is never written anywhere: `shown` and `curl` stand for it. */
export type Authorization = {
  /** The value of the Authorization header; undefined: none is sent. */
  header: string | undefined;
  /** What results show in its place. */
  shown: string;
  /** What a curl line has in its place. */
  curl: string;
};

/** The value of an Authorization header for these credentials (RFC 7617, UTF-8). */
function basic({ accessId, accessKey }: Credentials): string {
  return `Basic ${Buffer.from(`${accessId}:${accessKey}`).toString('base64')}`;
}

/** Random characters, for credentials that are wrong. */
const random = () => randomBytes(12).toString('hex');

/** The credentials of a merchant; `prefix` begins the names of their variables. */
export function merchant(credentials: Credentials, prefix = 'TRUSTLY_'): Authorization {
  return {
    header: basic(credentials),
    shown: `Basic ‹${prefix}ACCESS_ID:${prefix}ACCESS_KEY›`,
    curl: `-u "$${prefix}ACCESS_ID:$${prefix}ACCESS_KEY"`,
  };
}

/** The merchant's credentials with the scheme's name in another case (RFC 9110, section 11.1). */
export function inOtherCase(credentials: Credentials, scheme: string): Authorization {
  return {
    header: basic(credentials).replace('Basic', scheme),
    shown: `${scheme} ‹TRUSTLY_ACCESS_ID:TRUSTLY_ACCESS_KEY›`,
    curl: `-H "Authorization: ${scheme} $(printf %s "$TRUSTLY_ACCESS_ID:$TRUSTLY_ACCESS_KEY" | base64 -w0)"`,
  };
}

/** No Authorization header. */
export const anonymous: Authorization = { header: undefined, shown: '', curl: '' };

/** An Authorization header with any value that contains no credential. */
export function literal(header: string): Authorization {
  return { header, shown: header, curl: `-H 'Authorization: ${header}'` };
}

/** A user and a key that do not exist. */
export function unknownMerchant(): Authorization {
  const credentials = { accessId: random(), accessKey: random() };
  return { header: basic(credentials), shown: basic(credentials), curl: `-u '${credentials.accessId}:${credentials.accessKey}'` };
}

/** The merchant's accessId with a key that is not its own, random or empty. */
export function wrongKey({ accessId }: Credentials, accessKey = random()): Authorization {
  return {
    header: basic({ accessId, accessKey }),
    shown: `Basic ‹TRUSTLY_ACCESS_ID:${accessKey || 'nothing'}›`,
    curl: `-u "$TRUSTLY_ACCESS_ID:${accessKey}"`,
  };
}

/** A scheme other than Basic with a random token. */
export function otherScheme(scheme: string): Authorization {
  return literal(`${scheme} ${random()}`);
}
