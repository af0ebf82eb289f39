import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { Answer } from './answer.ts';
import type { Outgoing } from './client.ts';

/** A customer that the run created, or may have: what names it. `email` is given if nothing else does. */
export type Created = { customerId: string | null; externalId: string | null; email?: string };

/** A line of the journal: what was sent, or what came of it. A request without the second line may have arrived all the same. */
type Line = { id: string } & ({ sent: Created } | { status: number; customerId: string | null });

/** What an operation that creates customers names in a request; undefined for any other. */
export function named({ method = 'POST', path = '/customers', query, body }: Omit<Outgoing, 'authorization'>): Created | undefined {
  if (method !== 'POST' || path !== '/customers') return undefined;
  const text = body === undefined ? '' : Buffer.isBuffer(body) ? body.toString('utf8') : JSON.stringify(body);
  // Read as text: a body that is malformed on purpose may be accepted all the same.
  const member = (name: string) => {
    const [, value] = new RegExp(`"${name}"\\s*:\\s*("(?:[^"\\\\]|\\\\.)*")`).exec(text) ?? [];
    return value === undefined ? undefined : String(parse(value) ?? value);
  };
  const externalId = member('externalId') ?? query?.externalId ?? null;
  const customerId = member('customerId') ?? null;
  const email = externalId === null && customerId === null ? member('email') : undefined;
  return { customerId, externalId, ...(email !== undefined && { email }) };
}

/** The customer that a request created, or may have, by what came of it: a 4xx creates nobody. */
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

/**
 * The journal of a run, written before a request is sent and after it is answered, so that no end of the process loses a customer. Each
 * worker appends to the same file. Throws the error of the file system if it cannot be written.
 */
export class Ledger {
  readonly #file: number;
  #count = 0;

  constructor(path: string) {
    this.#file = openSync(path, 'a');
  }

  /** Notes a request before it is sent; the result notes what came of it. */
  record(outgoing: Outgoing): (answer: Answer) => void {
    const sent = named(outgoing);
    if (!sent) return () => undefined;
    this.#count += 1;
    const id = `${process.pid}-${this.#file}-${this.#count}`;
    this.#append({ id, sent });
    return (answer) => {
      const customerId = answer.customer?.customerId;
      this.#append({ id, status: answer.status(), customerId: customerId === undefined ? null : answer.redact(customerId) });
    };
  }

  /** Closes the file. */
  close(): void {
    closeSync(this.#file);
  }

  #append(line: Line): void {
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}

/** The customers that a journal names: all that were sent and not refused. */
export function readLedger(path: string): Created[] {
  const sent = new Map<string, Created>();
  for (const text of readFileSync(path, 'utf8').split('\n')) {
    const line = parse(text) as Line | undefined;
    if (!line) continue;
    if ('sent' in line) sent.set(line.id, line.sent);
    else if (line.status >= 400 && line.status < 500) sent.delete(line.id);
    else if (line.customerId !== null) sent.set(line.id, { externalId: null, ...sent.get(line.id), customerId: line.customerId });
  }
  return unique([...sent.values()]);
}

/** A JSON text; undefined if it is none, as the last line of a process that was ended while it wrote. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
