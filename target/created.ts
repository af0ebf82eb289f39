import { parseJson } from './json.ts';

/** A customer that the run created, or may have: what names it. `email` is given if nothing else does. */
export type Created = { customerId: string | null; externalId: string | null; email?: string };

/** The parts of a request that may create a customer. */
type CustomerRequest = { method?: string; path?: string; query?: Record<string, string>; body?: object | Buffer };

/** What an operation that creates customers names in a request; undefined for any other. */
export function named({ method = 'POST', path = '/customers', query, body }: CustomerRequest): Created | undefined {
  if (method !== 'POST' || path !== '/customers') return undefined;
  const text = body === undefined ? '' : Buffer.isBuffer(body) ? body.toString('utf8') : JSON.stringify(body);
  // Read as text: a body that is malformed on purpose may be accepted all the same.
  const member = (name: string) => {
    const [, value] = new RegExp(`"${name}"\\s*:\\s*("(?:[^"\\\\]|\\\\.)*")`).exec(text) ?? [];
    return value === undefined ? undefined : String(parseJson(value) ?? value);
  };
  const externalId = member('externalId') ?? query?.externalId ?? null;
  const customerId = member('customerId') ?? null;
  const email = externalId === null && customerId === null ? member('email') : undefined;
  return { customerId, externalId, ...(email !== undefined && { email }) };
}

/** Returns the customer that a request created or may have created; undefined for a 4xx, which creates no customer. */
export function createdBy(
  { method, url, body }: { method: string; url: string; body?: string },
  { status, customerId }: { status: number; customerId: string | undefined },
): Created | undefined {
  if (status >= 400 && status < 500) return undefined;
  const { pathname, searchParams } = new URL(url);
  const path = pathname.endsWith('/customers') ? '/customers' : pathname;
  const sent = named({ method, path, query: Object.fromEntries(searchParams), body: Buffer.from(body ?? '') });
  return sent && (customerId === undefined ? sent : { ...sent, customerId });
}

/** Every customer once: by the externalId that was sent, or by its customerId or e-mail if none was. */
export function unique(entries: readonly Created[]): Created[] {
  const seen = new Set<string>();
  return entries.filter(({ customerId, externalId, email }) => {
    const name = externalId === null ? (customerId ?? email) : `externalId ${externalId}`;
    const isNew = name !== undefined && !seen.has(name);
    if (name !== undefined) seen.add(name);
    // An update by customerId names nobody new.
    if (customerId !== null) seen.add(customerId);
    return isNew;
  });
}
