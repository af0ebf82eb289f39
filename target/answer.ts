import type { Customer, Json, JsonObject } from '../schemas/contract.ts';
import type { Exchange } from './exchange.ts';

/** What came back for one request, redacted. */
export class Answer {
  /** The exchange that it ends. */
  readonly exchange: Exchange;
  /** The body as JSON; undefined where it is none. */
  readonly json: Json | undefined;

  /** Whether it gave a key away, before it was redacted. */
  readonly leaks: boolean;

  constructor(exchange: Exchange, leaks = false) {
    this.exchange = exchange;
    this.leaks = leaks;
    this.json = parse(exchange.response?.body);
  }

  /** The status; 0 where no response came. */
  get status(): number {
    return this.exchange.response?.status ?? 0;
  }

  /** The value of a response header; several of one name joined as RFC 9110, section 5.3, has it. */
  header(name: string): string | undefined {
    const values = this.exchange.response?.headers.filter(([known]) => known.toLowerCase() === name).map(([, value]) => value);
    return values?.length ? values.join(', ') : undefined;
  }

  /** The media type, without parameters and in lower case. */
  get mediaType(): string {
    return (this.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  }

  /** Whether the request was accepted: a 2xx. */
  get accepted(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  /** Whether the request was refused: a 4xx. */
  get refused(): boolean {
    return this.status >= 400 && this.status < 500;
  }

  /** Whether the target seems out of order rather than wrong: nothing came back, or a 502, 503 or 504. */
  get unanswered(): boolean {
    return this.status === 0 || [502, 503, 504].includes(this.status);
  }

  /** The customer of a 200, as far as there is one with a customerId. */
  get customer(): (Partial<Customer> & { customerId: string }) | undefined {
    const customer = isObject(this.json) ? this.json.customer : undefined;
    const named = this.status === 200 && isObject(customer) && typeof customer.customerId === 'string' && customer.customerId !== '';
    return named ? (customer as Partial<Customer> as Partial<Customer> & { customerId: string }) : undefined;
  }

  /** The answer in a few words: its status, or why there is none. */
  toString(): string {
    const { response, error } = this.exchange;
    return response ? `${response.status} ${response.statusText}`.trim() : (error ?? 'no answer');
  }
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(text: string | undefined): Json | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
