import { randomUUID } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a run may ask of its target. */
export type Limits = {
  /** Requests in flight in generated checks. */
  concurrency: number;
  /** Requests per second; undefined: no limit. */
  rps?: number;
  /** Requests in total; undefined: no limit. */
  requests?: number;
};

/** The run has made all the requests that it may. */
export class Spent extends Error {
  override name = 'Spent';
}

/** The run ended before its checks: the target is unavailable, or results cannot be written. */
export class Stopped extends Error {
  override name = 'Stopped';
}

/** Where a run's limiter listens on loopback, and the token that its workers send. */
export type Entrance = { port: number; token: string };

/** What workers tell one another: a read lagged behind its write, or waiting for one did not help. */
export type Fact = 'a read lagged' | 'waiting did not help';

/** How the target limited the rate of requests. */
export type Pauses = {
  /** Times that it answered 429 or 503. */ count: number /** Milliseconds that the run waited in all. */;
  waited: number;
};

/** Milliseconds that a run waits in total because its target answers 429 or 503. */
const PATIENCE = 60_000;

type LimiterRequest =
  | { token: string }
  | { id: number; take: number }
  | { id: number; pass: true }
  | { id: number; wait: number; status: number }
  | { give: number }
  | { stop: string }
  | { fact: Fact };
type LimiterMessage =
  | { limits: Limits; shared: unknown; facts: Fact[] }
  | { id: number; ok: boolean }
  | { resumeAt: number }
  | { stopped: string }
  | { fact: Fact };

const send = (socket: Socket, message: LimiterRequest | LimiterMessage) => socket.writable && socket.write(`${JSON.stringify(message)}\n`);

/** Handles each line of a socket. A line that is not a message, or an error, closes the socket. */
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

/** Called in the process that serves the limits: the target makes the run wait longer; a worker ended the run. */
export type Events = { onPause?: (pauses: Pauses, status: number) => void; onStop?: (reason: string) => void };

/** Serves the limits of a run to all of its workers. `share` gives a value, as JSON, to every worker that enters later. */
export async function serveLimiter(
  limits: Limits,
  events: Events = {},
): Promise<{ entrance: Entrance; share: (value: unknown) => void; close: () => Promise<void> }> {
  const limiter = new LimiterServer(limits, events);
  return { entrance: await limiter.listen(), share: (value) => limiter.share(value), close: () => limiter.close() };
}

/** A connected worker and the number of its slots. */
type Connection = { socket: Socket; slots: number };

class LimiterServer {
  readonly #limits: Limits;
  readonly #events: Events;
  readonly #token = randomUUID();
  readonly #server = createServer((socket) => this.#admit(socket));
  readonly #sockets = new Set<Socket>();
  readonly #pauses: Pauses = { count: 0, waited: 0 };
  #waiting: { connection: Connection; slots: number; id: number }[] = [];
  #free: number;
  /** Requests that were passed. */
  #passed = 0;
  /** When the next request may be passed, and when the target's pause is over; milliseconds of Date.now(). */
  #next = 0;
  #resumeAt = 0;
  #stopped: string | undefined;
  readonly #facts = new Set<Fact>();
  #shared: unknown;

  constructor(limits: Limits, events: Events) {
    this.#limits = limits;
    this.#events = events;
    this.#free = limits.concurrency;
  }

  async listen(): Promise<Entrance> {
    await new Promise<void>((resolve, reject) => this.#server.once('error', reject).listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as AddressInfo;
    return { port, token: this.#token };
  }

  share(value: unknown): void {
    this.#shared = value;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Admits a worker that sends the token; closes any other connection. */
  #admit(socket: Socket): void {
    const connection: Connection = { socket, slots: 0 };
    receive<LimiterRequest>(socket, (question) => {
      if ('token' in question && question.token === this.#token) this.#welcome(socket);
      else if (this.#sockets.has(socket)) this.#answer(connection, question);
      else socket.destroy();
    });
    // A worker that ended returns its slots and waits for nothing.
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#waiting = this.#waiting.filter((one) => one.connection !== connection);
      this.#give(connection, connection.slots);
    });
  }

  #welcome(socket: Socket): void {
    this.#sockets.add(socket);
    send(socket, { limits: this.#limits, shared: this.#shared ?? null, facts: [...this.#facts] });
    if (this.#resumeAt > Date.now()) send(socket, { resumeAt: this.#resumeAt });
    if (this.#stopped !== undefined) send(socket, { stopped: this.#stopped });
    send(socket, { id: 0, ok: true });
  }

  #answer(connection: Connection, question: LimiterRequest): void {
    if ('stop' in question) this.#stop(question.stop);
    else if ('fact' in question) this.#note(question.fact);
    else if ('give' in question) this.#give(connection, question.give);
    else if ('wait' in question) this.#pause(connection.socket, question);
    else if ('pass' in question) this.#pass(connection.socket, question.id);
    else if ('take' in question) this.#take(connection, question);
    else connection.socket.destroy();
  }

  #tellAll(message: LimiterMessage): void {
    for (const socket of this.#sockets) send(socket, message);
  }

  #note(fact: Fact): void {
    this.#facts.add(fact);
    this.#tellAll({ fact });
  }

  #stop(reason: string): void {
    if (this.#stopped === undefined) this.#events.onStop?.(reason);
    this.#stopped ??= reason;
    this.#tellAll({ stopped: this.#stopped });
  }

  /** If a race needs more slots than the limit, it gets as many as the limit allows. */
  #take(connection: Connection, { id, take }: { id: number; take: number }): void {
    this.#waiting.push({ connection, id, slots: Math.min(take, this.#limits.concurrency) });
    this.#hand();
  }

  #give(connection: Connection, slots: number): void {
    connection.slots -= slots;
    this.#free += slots;
    this.#hand();
  }

  /** Hands out free slots, in the order in which they were asked for. */
  #hand(): void {
    for (let [first] = this.#waiting; first && first.slots <= this.#free; [first] = this.#waiting) {
      this.#free -= first.slots;
      first.connection.slots += first.slots;
      this.#waiting.shift();
      send(first.connection.socket, { id: first.id, ok: true });
    }
  }

  #pass(socket: Socket, id: number): void {
    const { requests = Number.POSITIVE_INFINITY, rps } = this.#limits;
    this.#passed += 1;
    if (this.#passed > requests) {
      send(socket, { id, ok: false });
      return;
    }
    const now = Date.now();
    const at = Math.max(this.#next, now);
    this.#next = at + (rps ? 1000 / rps : 0);
    setTimeout(() => send(socket, { id, ok: true }), at - now);
  }

  /** Requests that wait at the same time wait once. */
  #pause(socket: Socket, { id, wait, status }: { id: number; wait: number; status: number }): void {
    const now = Date.now();
    const until = Math.max(this.#resumeAt, now + wait);
    const more = until - Math.max(this.#resumeAt, now);
    this.#pauses.count += 1;
    if (this.#pauses.waited + more > PATIENCE) {
      send(socket, { id, ok: false });
      return;
    }
    this.#pauses.waited += more;
    this.#resumeAt = until;
    this.#events.onPause?.(this.#pauses, status);
    this.#tellAll({ resumeAt: until });
    send(socket, { id, ok: true });
  }
}

/** A worker's way through the limiter of its run. */
export class RateLimiter {
  readonly #socket: Socket;
  readonly #replies = new Map<number, { resolve: (ok: boolean) => void; reject: (error: Error) => void }>();
  readonly #facts = new Set<Fact>();
  #limits: Limits = { concurrency: 1 };
  #shared: unknown;
  #id = 0;
  #resumeAt = 0;
  #stopped: string | undefined;

  private constructor({ port }: Entrance) {
    this.#socket = connect(port, '127.0.0.1');
    // The limiter alone keeps no worker alive.
    this.#socket.unref();
    receive<LimiterMessage>(this.#socket, (message) => this.#handle(message));
    this.#socket.on('close', () => {
      this.#stopped ??= 'the run was ended';
      for (const { reject } of this.#replies.values()) reject(new Stopped(this.#stopped));
      this.#replies.clear();
    });
  }

  /** Enters the limiter of a run. Throws Stopped if nobody serves it any more. */
  static async enter(entrance: Entrance): Promise<RateLimiter> {
    const limiter = new RateLimiter(entrance);
    const welcome = limiter.#reply(0);
    send(limiter.#socket, { token: entrance.token });
    await welcome;
    return limiter;
  }

  /** What the server shared before this worker entered; null: nothing. */
  get shared(): unknown {
    return this.#shared;
  }

  /** Whether a worker of the run noted this. */
  knows(fact: Fact): boolean {
    return this.#facts.has(fact);
  }

  /** Tells every worker, this one at once. */
  note(fact: Fact): void {
    if (this.#facts.has(fact)) return;
    this.#facts.add(fact);
    send(this.#socket, { fact });
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

  /** Takes slots for concurrent requests, first come, first served; the returned function releases them. */
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
    const reason = `the target answers ${status} and asks for more than ${PATIENCE / 1000} s of waiting in total; set TRUSTLY_MAX_RPS to stay under its limit`;
    this.stop(reason);
    throw new Stopped(reason);
  }

  /** Closes the connection to the limiter. */
  close(): void {
    this.#socket.destroy();
  }

  #handle(message: LimiterMessage): void {
    if ('limits' in message) {
      this.#limits = message.limits;
      this.#shared = message.shared;
      for (const fact of message.facts) this.#facts.add(fact);
    } else if ('fact' in message) this.#facts.add(message.fact);
    else if ('resumeAt' in message) this.#resumeAt = message.resumeAt;
    else if ('stopped' in message) this.#stopped = message.stopped;
    else {
      this.#replies.get(message.id)?.resolve(message.ok);
      this.#replies.delete(message.id);
    }
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
