import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { Answer } from './answer.ts';
import type { Outgoing } from './client.ts';
import { type Created, named, unique } from './created.ts';
import { parseJson } from './json.ts';

/** A line of the journal: a request, or its answer. A request without an answer may have arrived nevertheless. */
type JournalLine = { id: string } & ({ sent: Created } | { status: number; customerId: string | null });

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

  /** Records a request before it is sent. The function that it returns records the answer. */
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

  #append(line: JournalLine): void {
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    // A disk that is nearly full takes a part and throws at the next.
    for (let written = 0; written < bytes.length; ) written += writeSync(this.#file, bytes, written);
  }
}

/** The customers that a journal names: all that were sent and not refused. */
export function readLedger(path: string): Created[] {
  const sent = new Map<string, Created>();
  for (const text of readFileSync(path, 'utf8').split('\n')) {
    const line = parseJson(text) as JournalLine | undefined;
    if (!line) continue;
    if ('sent' in line) sent.set(line.id, line.sent);
    else if (line.status >= 400 && line.status < 500) sent.delete(line.id);
    else if (line.customerId !== null) sent.set(line.id, { externalId: null, ...sent.get(line.id), customerId: line.customerId });
  }
  return unique([...sent.values()]);
}
