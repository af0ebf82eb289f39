import { parseJson } from './json.ts';

/** A customer that the run created, or may have: what names it. `email` is given if nothing else does. */
export type Created = { customerId: string | null; externalId: string | null; email?: string };

/** The parts of a request that may create a customer. */
type CustomerRequest = { method: string; path: string; body?: string };

/** What an operation that creates customers names in a request; undefined for any other. */
export function named({ method, path, body = '' }: CustomerRequest): Created | undefined {
  const [root, query] = path.split('?');
  if (method !== 'POST' || root !== '/customers') return undefined;
  // Read as text: a body that is malformed on purpose may be accepted all the same.
  const member = (name: string) => {
    const [, value] = new RegExp(`"${name}"\\s*:\\s*("(?:[^"\\\\]|\\\\.)*")`).exec(body) ?? [];
    return value === undefined ? undefined : String(parseJson(value) ?? value);
  };
  const externalId = member('externalId') ?? new URLSearchParams(query).get('externalId');
  const customerId = member('customerId') ?? null;
  const email = externalId === null && customerId === null ? member('email') : undefined;
  return { customerId, externalId, ...(email !== undefined && { email }) };
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
