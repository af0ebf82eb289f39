import { rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** What a run may ask of its target. */
export type Limits = {
  /** Requests in flight in generated checks. */
  concurrency: number;
  /** Requests a second; none: as many as go. */
  rps?: number;
  /** Requests in all; none: as many as it takes. */
  requests?: number;
};

/** The run has made all the requests that it may. */
export class Spent extends Error {
  override name = 'Spent';
}

type Question = { id: number; take: number } | { id: number; pass: true } | { give: number };
type Reply = { id: number; ok: boolean };

/** Where a run's turnstile listens: a socket in its scratch folder, or a pipe of Windows named after it. */
const address = (scratch: string) =>
  process.platform === 'win32' ? `\\\\.\\pipe\\${scratch.replaceAll(/[\\/:]/g, '-')}` : join(scratch, 'turnstile');

const send = (socket: Socket, message: Question | Reply) => socket.writable && socket.write(`${JSON.stringify(message)}\n`);

function receive<Message>(socket: Socket, handle: (message: Message) => void): void {
  createInterface(socket).on('line', (line) => handle(JSON.parse(line)));
}

/** Serves the limits of a run to all of its workers. The result closes it. */
export async function serveTurnstile(scratch: string, limits: Limits): Promise<() => Promise<void>> {
  let free = limits.concurrency;
  let made = 0;
  let next = 0;
  const waiting: { slots: number; go: () => void }[] = [];
  const sockets = new Set<Socket>();

  const admit = () => {
    for (let first = waiting[0]; first && first.slots <= free; first = waiting[0]) {
      free -= first.slots;
      waiting.shift();
      first.go();
    }
  };
  const pass = (id: number, socket: Socket) => {
    made += 1;
    if (made > (limits.requests ?? Number.POSITIVE_INFINITY)) return send(socket, { id, ok: false });
    const now = Date.now();
    next = Math.max(next, now) + (limits.rps ? 1000 / limits.rps : 0);
    return setTimeout(() => send(socket, { id, ok: true }), limits.rps ? next - now - 1000 / limits.rps : 0);
  };
  const server: Server = createServer((socket) => {
    let held = 0;
    sockets.add(socket);
    receive<Question>(socket, (question) => {
      if ('give' in question) {
        held -= question.give;
        free += question.give;
        admit();
      } else if ('pass' in question) {
        pass(question.id, socket);
      } else {
        // A race of more requests than may be in flight is run by as many as may.
        const slots = Math.min(question.take, limits.concurrency);
        const go = () => {
          held += slots;
          send(socket, { id: question.id, ok: true });
        };
        waiting.push({ slots, go });
        admit();
      }
    });
    socket.on('error', () => undefined);
    // A worker that ended gives back what it held.
    socket.on('close', () => {
      sockets.delete(socket);
      free += held;
      held = 0;
      admit();
    });
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(address(scratch), resolve));
  return async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    await rm(address(scratch), { force: true });
  };
}

/** A worker's way through the turnstile of its run. */
export class Turnstile {
  readonly #scratch: string;
  readonly #limits: Limits;
  readonly #replies = new Map<number, (ok: boolean) => void>();
  #socket: Socket | undefined;
  #id = 0;

  constructor(scratch: string, limits: Limits) {
    this.#scratch = scratch;
    this.#limits = limits;
  }

  /** Takes slots for requests that are in flight together, in the order of asking; the result gives them back. */
  async take(slots: number): Promise<() => void> {
    const taken = Math.min(slots, this.#limits.concurrency);
    await this.#ask({ take: taken });
    return () => void send(this.#open(), { give: taken });
  }

  /** Lets one request through. Throws Spent where the run has made all that it may. */
  async pass(): Promise<void> {
    const { rps, requests } = this.#limits;
    if (rps === undefined && requests === undefined) return;
    if (!(await this.#ask({ pass: true }))) throw new Spent(`TRUSTLY_MAX_REQUESTS is ${requests}`);
  }

  /** Leaves. */
  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #ask(question: { take: number } | { pass: true }): Promise<boolean> {
    this.#id += 1;
    const id = this.#id;
    const socket = this.#open();
    return new Promise((resolve) => {
      this.#replies.set(id, resolve);
      send(socket, { id, ...question });
    });
  }

  #open(): Socket {
    if (this.#socket) return this.#socket;
    const socket = connect(address(this.#scratch));
    // The turnstile alone keeps no worker alive.
    socket.unref();
    receive<Reply>(socket, ({ id, ok }) => {
      this.#replies.get(id)?.(ok);
      this.#replies.delete(id);
    });
    this.#socket = socket;
    return socket;
  }
}
