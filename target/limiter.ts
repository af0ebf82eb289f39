import { randomUUID } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

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

/** The run is over before its checks are: the target is out of order, or results cannot be written. */
export class Stopped extends Error {
  override name = 'Stopped';
}

/** Where a run's limiter listens on loopback, and the word that its workers show. */
export type Entrance = { port: number; token: string /** Milliseconds since the epoch when the run's time is over. */; deadline?: number };

/** What the target was seen to do about the rate of requests. */
export type Pauses = {
  /** Times that it answered 429 or 503. */ count: number /** Milliseconds that the run waited in all. */;
  waited: number;
};

/** Milliseconds that a run waits in all because its target answers 429 or 503. */
const PATIENCE = 60_000;

type Question =
  | { token: string }
  | { id: number; take: number }
  | { id: number; pass: true }
  | { id: number; wait: number; status: number }
  | { give: number }
  | { stop: string };
type Message = { id: number; ok: boolean } | { resumeAt: number } | { stopped: string };

const send = (socket: Socket, message: Question | Message) => socket.writable && socket.write(`${JSON.stringify(message)}\n`);

/** Hands each line of a socket on. What is no message, or breaks the connection, ends it. */
function receive<Received>(socket: Socket, handle: (message: Received) => void): void {
  // Messages are short and each is waited for.
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  createInterface(socket)
    .on('line', (line) => {
      let message: Received;
      try {
        message = JSON.parse(line);
      } catch {
        socket.destroy();
        return;
      }
      handle(message);
    })
    .on('error', () => socket.destroy());
}

/** What the process that serves a run is told: the target makes the run wait longer; a worker ended the run. */
export type Events = { onPause?: (pauses: Pauses, status: number) => void; onStop?: (reason: string) => void };

/** Serves the limits of a run to all of its workers. */
export async function serveLimiter(
  limits: Limits,
  { onPause, onStop }: Events = {},
): Promise<{ entrance: Entrance; close: () => Promise<void> }> {
  const token = randomUUID();
  let free = limits.concurrency;
  let made = 0;
  let next = 0;
  let resumeAt = 0;
  let stopped: string | undefined;
  const pauses: Pauses = { count: 0, waited: 0 };
  let waiting: { socket: Socket; slots: number; go: () => void }[] = [];
  const sockets = new Set<Socket>();

  const tellAll = (message: Message) => {
    for (const socket of sockets) send(socket, message);
  };
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
  // Requests that wait at the same time wait once.
  const pause = (id: number, socket: Socket, wait: number, status: number) => {
    const now = Date.now();
    const until = Math.max(resumeAt, now + wait);
    const more = until - Math.max(resumeAt, now);
    pauses.count += 1;
    if (pauses.waited + more > PATIENCE) return send(socket, { id, ok: false });
    pauses.waited += more;
    resumeAt = until;
    onPause?.(pauses, status);
    tellAll({ resumeAt });
    return send(socket, { id, ok: true });
  };
  const server = createServer((socket) => {
    let slotsHeld = 0;
    let known = false;
    receive<Question>(socket, (question) => {
      if ('token' in question) {
        known = question.token === token;
        if (!known) return socket.destroy();
        sockets.add(socket);
        if (resumeAt > Date.now()) send(socket, { resumeAt });
        if (stopped !== undefined) send(socket, { stopped });
        return send(socket, { id: 0, ok: true });
      }
      if (!known) return socket.destroy();
      if ('stop' in question) {
        if (stopped === undefined) onStop?.(question.stop);
        stopped ??= question.stop;
        return tellAll({ stopped });
      }
      if ('give' in question) {
        slotsHeld -= question.give;
        free += question.give;
        return admit();
      }
      if ('wait' in question) return pause(question.id, socket, question.wait, question.status);
      if ('pass' in question) return pass(question.id, socket);
      // A race of more requests than may be in flight is run by as many as may.
      const slots = Math.min(question.take, limits.concurrency);
      waiting.push({
        socket,
        slots,
        go: () => {
          slotsHeld += slots;
          send(socket, { id: question.id, ok: true });
        },
      });
      return admit();
    });
    // A worker that ended gives back what it held, and waits for nothing.
    socket.on('close', () => {
      sockets.delete(socket);
      waiting = waiting.filter((one) => one.socket !== socket);
      free += slotsHeld;
      slotsHeld = 0;
      admit();
    });
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    entrance: { port, token },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A worker's way through the limiter of its run. */
export class RateLimiter {
  readonly #limits: Limits;
  readonly #socket: Socket;
  readonly #replies = new Map<number, { resolve: (ok: boolean) => void; reject: (error: Error) => void }>();
  #id = 0;
  #resumeAt = 0;
  #stopped: string | undefined;

  private constructor(entrance: Entrance, limits: Limits) {
    this.#limits = limits;
    this.#socket = connect(entrance.port, '127.0.0.1');
    // The limiter alone keeps no worker alive.
    this.#socket.unref();
    receive<Message>(this.#socket, (message) => {
      if ('resumeAt' in message) this.#resumeAt = message.resumeAt;
      else if ('stopped' in message) this.#stopped = message.stopped;
      else {
        this.#replies.get(message.id)?.resolve(message.ok);
        this.#replies.delete(message.id);
      }
    });
    this.#socket.on('close', () => {
      this.#stopped ??= 'the run was ended';
      for (const { reject } of this.#replies.values()) reject(new Stopped(this.#stopped));
      this.#replies.clear();
    });
  }

  /** Enters the limiter of a run. Throws Stopped if nobody serves it any more. */
  static async enter(entrance: Entrance, limits: Limits): Promise<RateLimiter> {
    const limiter = new RateLimiter(entrance, limits);
    const welcome = limiter.#reply(0);
    send(limiter.#socket, { token: entrance.token });
    await welcome;
    return limiter;
  }

  /** Why the run is over; undefined while it goes on. */
  get stopped(): string | undefined {
    return this.#stopped;
  }

  /** Ends the run for every worker. */
  stop(reason: string): void {
    this.#stopped ??= reason;
    send(this.#socket, { stop: reason });
  }

  /** Takes slots for requests that are in flight together, in the order of asking; the result gives them back. */
  async take(slots: number): Promise<() => void> {
    const taken = Math.min(slots, this.#limits.concurrency);
    await this.#ask({ take: taken });
    return () => void send(this.#socket, { give: taken });
  }

  /**
   * Lets one request through. `extend` is called before a wait that the target asked for, with its milliseconds. Throws Spent if the run
   * has made all that it may, and Stopped if it is over.
   */
  async pass(extend: (milliseconds: number) => void = () => undefined): Promise<void> {
    const { rps, requests } = this.#limits;
    for (let rest = this.#rest(); rest > 0; rest = this.#rest()) {
      extend(rest);
      await sleep(rest);
    }
    if (this.#stopped !== undefined) throw new Stopped(this.#stopped);
    if (rps === undefined && requests === undefined) return;
    if (!(await this.#ask({ pass: true }))) throw new Spent(`TRUSTLY_MAX_REQUESTS is ${requests}`);
  }

  /** Makes every request of the run wait these milliseconds. Throws Stopped if that is more than a run waits in all. */
  async wait(milliseconds: number, status: number): Promise<void> {
    if (await this.#ask({ wait: milliseconds, status })) return;
    const reason = `the target answers ${status} and asks for more than ${PATIENCE / 1000} s of waiting in all; set TRUSTLY_MAX_RPS to stay under its limit`;
    this.stop(reason);
    throw new Stopped(reason);
  }

  /** Leaves. */
  close(): void {
    this.#socket.destroy();
  }

  #rest(): number {
    return this.#stopped === undefined ? this.#resumeAt - Date.now() : 0;
  }

  #ask(question: { take: number } | { pass: true } | { wait: number; status: number }): Promise<boolean> {
    this.#id += 1;
    const reply = this.#reply(this.#id);
    send(this.#socket, { id: this.#id, ...question });
    return reply;
  }

  #reply(id: number): Promise<boolean> {
    if (this.#socket.destroyed) return Promise.reject(new Stopped(this.#stopped ?? 'the run was ended'));
    return new Promise((resolve, reject) => this.#replies.set(id, { resolve, reject }));
  }
}
