import type { Customer, Json, JsonObject } from '../schemas/contract.ts';
import { type Created, named } from './created.ts';
import type { Exchange } from './exchange.ts';
import type { Redact } from './redaction.ts';

/** Levels of nesting that a body may have. The suite itself sends a thousand; many more would overflow the stack of whoever reads them. */
const DEPTH = 2_000;
/** Characters that a customerId may have: it has to fit into a URL. */
const ID_LENGTH = 1_000;

/** Characters at either end of a body that are searched for a key: no answer of a sound target is longer, and the search takes its time. */
const EDGE = 65_536;

/**
 * What came back for one request. It reads like Playwright's APIResponse, but its body is there already. What is judged is as it came; what
 * is shown is redacted.
 */
export class Answer {
  /** How often the request was sent again, because it was answered 429 or 503. */
  readonly repeats: number;
  readonly #raw: Exchange;
  readonly #redact: Redact;
  readonly #leaks: (text: string) => boolean;
  readonly #json: Json | undefined;
  #shown: Exchange | undefined;

  constructor(exchange: Exchange, { redact, leaks, repeats = 0 }: { redact: Redact; leaks: (text: string) => boolean; repeats?: number }) {
    this.#raw = exchange;
    this.#redact = redact;
    this.#leaks = leaks;
    this.repeats = repeats;
    this.#json = this.isUtf8 ? parse(this.text()) : undefined;
  }

  /** The exchange, redacted, for reports. */
  get exchange(): Exchange {
    this.#shown ??= shown(this.#raw, this.#redact);
    return this.#shown;
  }

  /** Returns the body, decoded but not redacted; empty if there is no body. */
  text(): string {
    return this.#raw.response?.body ?? '';
  }

  /** Returns the body as JSON; undefined if it is not JSON or is nested too deep to read. */
  json(): Json | undefined {
    return this.#json;
  }

  /** Whether the bytes of the body are UTF-8, which JSON has to be (RFC 8259, section 8.1). */
  get isUtf8(): boolean {
    return this.#raw.response?.isUtf8 !== false;
  }

  /** The body that the request was sent with. */
  get sent(): string {
    return this.#raw.request.body ?? '';
  }

  /** The customer that the request created, or may have, redacted; undefined after a 4xx, which creates no customer. */
  get created(): Created | undefined {
    if (this.refused && !this.#raw.uncertain) return undefined;
    const sent = named(this.exchange.request);
    const id = this.customer?.customerId;
    return sent && id !== undefined ? { ...sent, customerId: this.redact(id) } : sent;
  }

  /** Redacts a text that was made of this answer, and shortens it to a limit. */
  redact(text: string, limit?: number): string {
    return this.#redact(text, limit);
  }

  /** Whether the answer contains a key. */
  get leaks(): boolean {
    const { body = '', headers = [] } = this.#raw.response ?? {};
    return (
      this.#leaks(body.length > 2 * EDGE ? `${body.slice(0, EDGE)}\n${body.slice(-EDGE)}` : body) ||
      headers.some(([, value]) => this.#leaks(value))
    );
  }

  /** The status; 0 if no response came, or one that cannot be read. */
  status(): number {
    return this.#raw.error === undefined ? (this.#raw.response?.status ?? 0) : 0;
  }

  /** Every value of a response header, in the order in which they came. */
  headerValues(name: string): string[] {
    return (this.#raw.response?.headers ?? []).filter(([known]) => known.toLowerCase() === name).map(([, value]) => value);
  }

  /** The response headers by name, in lower case; several of one name are joined (RFC 9110, section 5.3). */
  headers(): Record<string, string | undefined> {
    const names = new Set((this.#raw.response?.headers ?? []).map(([name]) => name.toLowerCase()));
    return Object.fromEntries([...names].map((name) => [name, this.headerValues(name).join(', ')]));
  }

  /** The media type, without parameters and in lower case. */
  get mediaType(): string {
    return (this.headers()['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  }

  /** Whether the request was accepted: a 2xx. */
  ok(): boolean {
    return this.status() >= 200 && this.status() < 300;
  }

  /** Whether the request was refused: a 4xx. */
  get refused(): boolean {
    return this.status() >= 400 && this.status() < 500;
  }

  /** Whether the target seems unavailable rather than wrong: no response, or a 502, 503 or 504. */
  get noResponse(): boolean {
    return (this.status() === 0 && !this.malformed) || [502, 503, 504].includes(this.status());
  }

  /** Whether the response is unreadable for any client: cut off, not HTTP, not encoded as its headers say, or endless. */
  get malformed(): boolean {
    return this.#raw.malformed === true;
  }

  /** The customer of a 200, if there is one with a customerId that a request can name. */
  get customer(): (Partial<Customer> & { customerId: string }) | undefined {
    const customer = isObject(this.#json) ? this.#json.customer : undefined;
    const named = this.status() === 200 && isObject(customer) && isId(customer.customerId);
    return named ? (customer as Partial<Customer> as Partial<Customer> & { customerId: string }) : undefined;
  }

  /** Returns the answer in a few words: its status, or why there is no answer. */
  toString(): string {
    const { response, error } = this.exchange;
    return error ?? (response ? `${response.status} ${response.statusText}`.trim() : 'no answer');
  }
}

/** Whether a value can name a customer in a URL and in JSON: text of valid Unicode, not empty, and not too long. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= ID_LENGTH && value.isWellFormed();
}

/** Characters of a body that results hold; the whole of it was judged. */
const SHOWN_BODY = 16_384;
/** Characters of a header's value, and headers, that results hold. */
const SHOWN_HEADER = 1_000;
const SHOWN_HEADERS = 100;

function shown({ request, response, error, ...rest }: Exchange, redact: Redact): Exchange {
  return {
    ...rest,
    request: {
      ...request,
      url: redact(request.url),
      path: redact(request.path),
      ...(request.body !== undefined && { body: redact(request.body) }),
    },
    ...(response && {
      response: {
        ...response,
        headers: response.headers
          .slice(0, SHOWN_HEADERS)
          .map(([name, value]): [string, string] => [redact(name, SHOWN_HEADER), redact(value, SHOWN_HEADER)]),
        body: redact(response.body, SHOWN_BODY),
      },
    }),
    ...(error !== undefined && { error: redact(error) }),
  };
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(text: string): Json | undefined {
  try {
    return isTooDeep(text) ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a JSON text is nested deeper than it can be read. */
export function isTooDeep(text: string): boolean {
  if (text.length < 2 * DEPTH) return false;
  let depth = 0;
  // Strings are matched only to be skipped.
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/gs)) {
    if (token === '[' || token === '{') depth += 1;
    else if (token === ']' || token === '}') depth -= 1;
    if (depth > DEPTH) return true;
  }
  return false;
}
