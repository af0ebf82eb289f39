import { STATUS_CODES } from 'node:http';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { Answer } from './answer.ts';
import type { Authorization } from './authorization.ts';
import type { Redact } from './redaction.ts';

/** A request to the target. */
export type Outgoing = {
  method?: string;
  /** Below the API's root; `/customers` by default. */
  path?: string;
  query?: Record<string, string>;
  /** JSON, or bytes that are sent as they are. */
  body?: object | Buffer;
  /** The Content-Type; null: none. */
  mediaType?: string | null;
  authorization: Authorization;
};

/** How a client reaches a target. */
export type Reach = {
  baseUrl: string;
  /** Milliseconds that one request may take. */
  timeout: number;
  redact: Redact;
  /** Whether a text gives a key away. */
  leaks: (text: string) => boolean;
  /** Asks for leave to make a request; resolves when it may be made. May throw to end it. */
  pass: () => Promise<void>;
  /** Asks for leave to wait these milliseconds, as a 429 told. May throw to end the request. */
  patience: (milliseconds: number) => void;
};

/** A client of the target: connections are reused, as many as requests are in flight; nothing is kept between requests but they. */
export class Client {
  readonly #reach: Reach;
  #agent: Dispatcher | undefined;
  #reused = false;

  constructor(reach: Reach) {
    this.#reach = reach;
  }

  /** Sends a request. A 429 is waited out; a reset on a reused connection is repeated once on a fresh one; nothing else is repeated. */
  async send(outgoing: Outgoing): Promise<Answer> {
    const wasReused = this.#reused;
    let answer = await this.#exchange(outgoing);
    if (wasReused && /\b(ECONNRESET|EPIPE|ECONNABORTED|other side closed)\b/.test(answer.exchange.error ?? '')) {
      // Others may still be in flight on the old connections.
      void this.#agent?.close();
      this.#agent = undefined;
      answer = await this.#exchange(outgoing);
    }
    while (answer.status === 429) {
      const wait = retryAfter(answer);
      this.#reach.patience(wait);
      await new Promise((resolve) => setTimeout(resolve, wait));
      answer = await this.#exchange(outgoing);
    }
    return answer;
  }

  /** Closes the connections. */
  async dispose(): Promise<void> {
    await this.#agent?.destroy();
    this.#agent = undefined;
    this.#reused = false;
  }

  async #exchange(outgoing: Outgoing): Promise<Answer> {
    const { baseUrl, timeout, redact, leaks } = this.#reach;
    const { method = 'POST', path = '/customers', query, authorization, body } = outgoing;
    const mediaType = outgoing.mediaType === undefined && body !== undefined ? 'application/json' : outgoing.mediaType;
    // encodeURIComponent writes %20 and %2B, which every decoder reads alike; URLSearchParams would write a bare plus sign for a space.
    const search = Object.entries(query ?? {}).map((pair) => pair.map(encodeURIComponent).join('='));
    const url = `${baseUrl}${path}${search.length ? `?${search.join('&')}` : ''}`;
    const headers: [string, string][] = [['Accept', 'application/json']];
    if (mediaType) headers.push(['Content-Type', mediaType]);
    const data = body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
    const request = {
      method,
      url: redact(url),
      headers,
      authorization: { shown: authorization.shown, curl: authorization.curl },
      ...(data && { body: redact(data.toString('utf8')) }),
    };
    await this.#reach.pass();
    const start = Date.now();
    try {
      this.#agent ??= new EnvHttpProxyAgent({ headersTimeout: 0, bodyTimeout: 0 });
      const signal = AbortSignal.timeout(timeout);
      const { origin, pathname, search: query } = new URL(url);
      const response = await this.#agent.request({
        method: method as Dispatcher.HttpMethod,
        origin,
        path: `${pathname}${query}`,
        headers: [
          ...headers,
          ['Accept-Encoding', 'gzip, deflate, br'],
          ...(authorization.header === undefined ? [] : [['Authorization', authorization.header]]),
        ].flat(),
        body: data ?? null,
        signal,
        responseHeaders: 'raw',
      });
      const received = pairs(response.headers as unknown as string[]);
      const text = decode(Buffer.from(await response.body.arrayBuffer()), received);
      this.#reused = true;
      const exchange = {
        request,
        response: {
          status: response.statusCode,
          statusText: STATUS_CODES[response.statusCode] ?? '',
          headers: received.map(([name, value]): [string, string] => [name, redact(value)]),
          body: redact(text),
        },
        start,
        stop: Date.now(),
      };
      return new Answer(exchange, leaks(text) || received.some(([, value]) => leaks(value)));
    } catch (error) {
      return new Answer({ request, error: redact(networkError(error, timeout)), start, stop: Date.now() });
    }
  }
}

/** Raw header fields, name and value in turn, as pairs. */
const pairs = (raw: readonly string[]) =>
  raw.flatMap((name, index): [string, string][] => (index % 2 ? [] : [[name, raw[index + 1] ?? '']]));

const DECODERS: Record<string, (content: Buffer) => Buffer> = { gzip: gunzipSync, deflate: inflateSync, br: brotliDecompressSync };

/** The content as text, its content coding undone (RFC 9110, section 8.4). Throws where it is not coded as it says. */
function decode(content: Buffer, headers: readonly [string, string][]): string {
  const coding = headers.find(([name]) => name.toLowerCase() === 'content-encoding')?.[1].toLowerCase();
  const decoder = coding === undefined || content.length === 0 ? undefined : DECODERS[coding];
  return (decoder ? decoder(content) : content).toString('utf8');
}

/** One line about a request that got no response. */
function networkError(error: unknown, timeout: number): string {
  const { name, code, message } = error as NodeJS.ErrnoException;
  if (name === 'TimeoutError') return `no answer within ${timeout} ms`;
  return [code, message.split('\n')[0]].filter((part) => part && part !== code).join(': ') || String(code ?? name);
}

/** Milliseconds to wait after a 429, by its Retry-After in seconds or as a date (RFC 9110, section 10.2.3); 1 s without a readable one. */
function retryAfter(answer: Answer): number {
  const value = answer.header('retry-after') ?? '';
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(wait) ? Math.max(wait, 0) : 1000;
}
