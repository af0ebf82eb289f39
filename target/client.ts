import type { APIRequest, APIRequestContext, APIResponse } from '@playwright/test';
import { getProxyForUrl } from 'proxy-from-env';
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
  /** Asks for leave to wait these milliseconds, as a 429 told. May throw to end the request. */
  patience: (milliseconds: number) => void;
};

/** A client of the target over Playwright's APIRequestContext: connections are reused, cookies kept apart from those of other clients. */
export class Client {
  readonly #request: APIRequest;
  readonly #reach: Reach;
  #context: APIRequestContext | undefined;
  #reused = false;

  constructor(request: APIRequest, reach: Reach) {
    this.#request = request;
    this.#reach = reach;
  }

  /** Sends a request. A 429 is waited out; a reset on a reused connection is repeated once on a fresh one; nothing else is repeated. */
  async send(outgoing: Outgoing): Promise<Answer> {
    const wasReused = this.#reused;
    let answer = await this.#exchange(outgoing);
    if (wasReused && /\b(ECONNRESET|EPIPE|ECONNABORTED|socket hang up)\b/.test(answer.exchange.error ?? '')) {
      await this.dispose();
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
    await this.#context?.dispose();
    this.#context = undefined;
    this.#reused = false;
  }

  async #open(): Promise<APIRequestContext> {
    const server = getProxyForUrl(this.#reach.baseUrl);
    this.#context ??= await this.#request.newContext(server ? { proxy: { server } } : {});
    return this.#context;
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
    const context = await this.#open();
    const start = Date.now();
    let response: APIResponse | undefined;
    try {
      response = await context.fetch(url, {
        method,
        headers: Object.fromEntries(authorization.header === undefined ? headers : [...headers, ['Authorization', authorization.header]]),
        ...(data && { data }),
        timeout,
        maxRedirects: 0,
        maxRetries: 0,
      });
      const text = (await response.body()).toString('utf8');
      this.#reused = true;
      const received = response.headersArray();
      const exchange = {
        request,
        response: {
          status: response.status(),
          statusText: response.statusText(),
          headers: received.map(({ name, value }): [string, string] => [name, redact(value)]),
          body: redact(text),
        },
        start,
        stop: Date.now(),
      };
      return new Answer(exchange, leaks(text) || received.some(({ value }) => leaks(value)));
    } catch (error) {
      return new Answer({ request, error: redact(networkError(error, timeout)), start, stop: Date.now() });
    } finally {
      await response?.dispose();
    }
  }
}

/** One line about a request that got no response. Playwright's own message would show every header, the Authorization among them. */
function networkError(error: unknown, timeout: number): string {
  const [first = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  if (/timeout/i.test(first)) return `no answer within ${timeout} ms`;
  return first.replace(/^apiRequestContext\.fetch: /, '');
}

/** Milliseconds to wait after a 429, by its Retry-After in seconds or as a date (RFC 9110, section 10.2.3); 1 s without a readable one. */
function retryAfter(answer: Answer): number {
  const value = answer.header('retry-after') ?? '';
  const wait = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(wait) ? Math.max(wait, 0) : 1000;
}
