import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { Answer } from './answer.ts';
import { type Created, named, unique } from './created.ts';
import type { Exchange } from './exchange.ts';
import { parseJson } from './json.ts';
import type { Redact } from './redaction.ts';

/** A line of the journal: what a request may create, and after its answer what it did; null: nothing. */
type JournalLine = { id: string; created: Created | null };

/**
 * The journal of a run, written before a request is sent and after it is answered, so that no end of the process loses a customer. Each
 * worker appends to the same file. Throws the error of the file system if it cannot be written.
 */
export class Ledger {
  readonly #file: number;
  readonly #redact: Redact;
  #count = 0;

  constructor(path: string, redact: Redact) {
    this.#file = openSync(path, 'a');
    this.#redact = redact;
  }

  /** Records a request before it is sent. The function that it returns records the answer. */
  record({ method, path, body }: Exchange['request']): (answer: Answer) => void {
    // A target may have put a key into a customerId that is sent back to it.
    const created = named({ method, path: this.#redact(path), ...(body !== undefined && { body: this.#redact(body) }) });
    if (!created) return () => undefined;
    this.#count += 1;
    const id = `${process.pid}-${this.#file}-${this.#count}`;
    this.#append({ id, created });
    return (answer) => this.#append({ id, created: answer.created ?? null });
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

/** The customers that a journal names: all that were sent and not refused. A request without an answer may have arrived. */
export function readLedger(path: string): Created[] {
  const last = new Map<string, Created | null>();
  for (const text of readFileSync(path, 'utf8').split('\n')) {
    const line = parseJson(text) as JournalLine | undefined;
    if (line) last.set(line.id, line.created);
  }
  return unique([...last.values()].flatMap((created) => created ?? []));
}
