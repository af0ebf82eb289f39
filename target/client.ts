import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { Answer } from './answer.ts';
import type { Authorization } from './authorization.ts';
import type { Exchange, ExtraHeader } from './exchange.ts';
import { guardedLookup, proxyFor } from './hosts.ts';
import { type ExchangeResult, HttpExchange, type RequestHeaders } from './http-exchange.ts';
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
export type ClientOptions = {
  baseUrl: string;
  /** Milliseconds that one request may take. */
  timeout: number;
  redact: Redact;
  /** Whether a text contains a key. */
  leaks: (text: string) => boolean;
  /** Whether the target may be at any address; otherwise only at loopback and private ones. */
  anyAddress?: boolean;
  /** Additional headers of every request. */
  headers?: readonly ExtraHeader[];
  /** The client certificate for a gateway, as PEM. */
  certificate?: { cert: string; key: string };
  /** Waits for permission to send a request. May throw to end it. */
  pass: () => Promise<void>;
  /** Asks to wait this many milliseconds, because a request was answered with this status. May throw to end the request. */
  wait: (milliseconds: number, status: number) => Promise<void>;
  /** Records a request before it is sent. The function that it returns records the answer. */
  record?: (request: Exchange['request']) => (answer: Answer) => void;
};

/** A request as results show it, with the headers and the body that are sent. */
type Composed = { request: Exchange['request']; headers: RequestHeaders; data: Buffer | undefined };

/** How often a request is retried after a 503; any further 503 counts against this request. */
const UNAVAILABLE = 3;
/** Milliseconds between two requests that are answered 429 or 503 and do not say how long to wait: the first, and the most. */
const PAUSE = { first: 250, most: 8_000 };
/** What names the suite to the target and its operators. */
export const USER_AGENT = 'trustly-customers-conformance/1.0.0';

/** A client of the target. It reuses connections and keeps nothing else between requests. */
export class Client {
  readonly #options: ClientOptions;
  #agent: HttpAgent | undefined;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /**
   * Sends a request. It waits and retries after every 429 and up to three 503s. A request is sent once more on a fresh connection if a reused one was
   * closed before the first byte of an answer. Nothing else is repeated. Throws SettingsError if the target's name led to a public address.
   */
  async send(outgoing: Outgoing): Promise<Answer> {
    const message = this.#compose(outgoing);
    let settle: ((answer: Answer) => void) | undefined;
    let uncertain = false;
    for (let repeats = 0; ; repeats += 1) {
      await this.#options.pass();
      settle ??= this.#options.record?.(message.request);
      const answer = await this.#attempt(message, { repeats, uncertain });
      uncertain ||= !answer.refused;
      if (answer.status() !== 429 && (answer.status() !== 503 || repeats === UNAVAILABLE)) {
        settle?.(answer);
        return answer;
      }
      const pause = Math.min(PAUSE.first * 2 ** repeats, PAUSE.most);
      await this.#options.wait(Math.max(pause, retryAfter(answer)), answer.status()).catch((error) => {
        settle?.(answer);
        throw error;
      });
    }
  }

  /** Closes the connections. */
  dispose(): void {
    this.#agent?.destroy();
    this.#agent = undefined;
  }

  /** Composes a request: as results show it, and as it is sent. */
  #compose(outgoing: Outgoing): Composed {
    const { baseUrl, headers: extra = [] } = this.#options;
    const { method = 'POST', path = '/customers', query, authorization, body } = outgoing;
    const mediaType = outgoing.mediaType === undefined && body !== undefined ? 'application/json' : outgoing.mediaType;
    // encodeURIComponent writes %20 and %2B, which every decoder reads alike; URLSearchParams would write a bare plus sign for a space.
    const search = Object.entries(query ?? {}).map((pair) => pair.map(encodeURIComponent).join('='));
    const target = `${path}${search.length ? `?${search.join('&')}` : ''}`;
    const data = body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
    const headers: [string, string][] = [
      ['Accept', 'application/json'],
      ...(mediaType ? [['Content-Type', mediaType] as [string, string]] : []),
    ];
    const request = {
      method,
      url: `${baseUrl}${target}`,
      path: target,
      headers,
      authorization: { shown: authorization.shown, curl: authorization.curl },
      ...(extra.length && { extra: extra.map(({ name, variable }) => ({ name, variable })) }),
      ...(this.#options.certificate && { certificate: true }),
      ...(data && { body: data.toString('utf8') }),
    };
    const sent = {
      'User-Agent': USER_AGENT,
      ...Object.fromEntries(headers),
      'Accept-Encoding': 'gzip, deflate, br',
      ...(authorization.header !== undefined && { Authorization: authorization.header }),
      ...Object.fromEntries(extra.map(({ name, value }) => [name, value])),
      ...((data || method === 'POST') && { 'Content-Length': data?.length ?? 0 }),
    };
    return { request, headers: sent, data };
  }

  async #attempt(message: Composed, { repeats, uncertain }: { repeats: number; uncertain: boolean }): Promise<Answer> {
    const { redact, leaks } = this.#options;
    const start = Date.now();
    let { lost, ...came } = await this.#exchange(message);
    if (lost) came = await this.#exchange(message, true);
    const exchange = { request: message.request, ...came, ...((uncertain || lost) && { uncertain: true }), start, stop: Date.now() };
    return new Answer(exchange, { redact, leaks, repeats });
  }

  #newAgent(keepAlive: boolean): HttpAgent {
    const { baseUrl, certificate, anyAddress = false } = this.#options;
    const secure = baseUrl.startsWith('https:');
    const options = { keepAlive, scheduling: 'lifo' as const, ...certificate };
    const proxy = proxyFor(baseUrl);
    if (proxy) return secure ? (new HttpsProxyAgent(proxy, options) as unknown as HttpAgent) : new HttpProxyAgent(proxy, options);
    const direct = { ...options, lookup: guardedLookup(anyAddress) };
    return secure ? new HttpsAgent(direct) : new HttpAgent(direct);
  }

  #exchange({ request: { method, url }, headers, data }: Composed, fresh = false): Promise<ExchangeResult> {
    this.#agent ??= this.#newAgent(true);
    const { timeout, baseUrl } = this.#options;
    const agent = fresh ? this.#newAgent(false) : this.#agent;
    return new HttpExchange({ method, url, headers, data, agent, fresh, timeout, proxied: proxyFor(baseUrl) !== undefined }).result;
  }
}

/**
 * Milliseconds to wait after a 429 or 503 by its Retry-After, in seconds or as a date (RFC 9110, section 10.2.3): the longest if there are
 * several; 1 s after a 429 without a readable one.
 */
function retryAfter(answer: Answer): number {
  const waits = answer.headerValues('retry-after').map((value) => {
    const wait = /^\s*\d+(\.\d+)?\s*$/.test(value)
      ? Number(value) * 1000
      : /[a-z]{3}/i.test(value)
        ? Date.parse(value) - Date.now()
        : Number.NaN;
    return Number.isFinite(wait) ? Math.max(wait, 0) : undefined;
  });
  const readable = waits.filter((wait) => wait !== undefined);
  return readable.length ? Math.max(...readable) : answer.status() === 429 ? 1000 : 0;
}
