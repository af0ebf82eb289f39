import type { Json } from '../schemas/contract.ts';
import type { Authorization } from './authorization.ts';

/** One request and what came of it, redacted. */
export type Exchange = {
  request: { method: string; url: string; headers: [string, string][]; authorization: Omit<Authorization, 'header'>; body?: string };
  response?: { status: number; statusText: string; headers: [string, string][]; body: string };
  /** Why there is no response, in one line. */
  error?: string;
  /** Milliseconds since the epoch. */
  start: number;
  stop: number;
};

/** The media type of an exchange in Allure's own viewer. */
export const EXCHANGE_TYPE = 'application/vnd.allure.http+json';

/** What a generated check did, of which only a counterexample is shown exchange by exchange. */
export type Tally = {
  requests: number;
  cases: number;
  created: { customerId: string; externalId: string | null }[];
  /** fast-check's seed of the check. */
  seed: number;
  /** fast-check's path to the case that failed. */
  path: string | null;
};

/** The media type of a tally. */
export const TALLY_TYPE = 'application/vnd.conformance.tally+json';

const pairs = (headers: [string, string][]) => headers.map(([name, value]) => ({ name, value }));
const headerOf = (headers: [string, string][], wanted: string) => headers.find(([name]) => name.toLowerCase() === wanted)?.[1];

function allureBody(headers: [string, string][], value: string) {
  return { contentType: headerOf(headers, 'content-type') ?? 'text/plain', encoding: 'utf8', value, size: Buffer.byteLength(value) };
}

/** An exchange in the form that Allure's viewer reads. */
export function toAllure({ request, response, error, start, stop }: Exchange): Json {
  const authorization: [string, string][] = request.authorization.shown ? [['Authorization', request.authorization.shown]] : [];
  return {
    schemaVersion: 1,
    request: {
      method: request.method,
      url: request.url,
      headers: pairs([...authorization, ...request.headers]),
      ...(request.body !== undefined && { body: allureBody(request.headers, request.body) }),
    },
    ...(response && {
      response: {
        status: response.status,
        statusText: response.statusText,
        headers: pairs(response.headers),
        body: allureBody(response.headers, response.body),
      },
    }),
    ...(error !== undefined && { error: { name: 'Network', message: error } }),
    start,
    stop,
  };
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** The request as a curl line for a POSIX shell; credentials come from the variables of the settings. */
export function curl({ request }: Exchange): string {
  const headers = request.headers.map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`);
  const body = request.body === undefined ? [] : [`--data-raw ${quoted(request.body)}`];
  return ['curl -sS', `-X ${request.method}`, quoted(request.url), request.authorization.curl, ...headers, ...body]
    .filter(Boolean)
    .join(' ');
}
