import type { JsonObject } from '../schemas/contract.ts';
import type { Authorization } from './authorization.ts';
import type { Created } from './created.ts';
import { shorten } from './printable.ts';

/** An extra header of every request, and the variable that has its value. */
export type ExtraHeader = { variable: string; name: string; value: string };

/** One request and its result. */
export type Exchange = {
  request: {
    method: string;
    url: string;
    /** What follows the base URL, with the query. */
    path: string;
    headers: [string, string][];
    authorization: Omit<Authorization, 'header'>;
    extra?: Omit<ExtraHeader, 'value'>[];
    /** The client showed a certificate. */
    certificate?: boolean;
    body?: string;
  };
  response?: {
    status: number;
    statusText: string;
    headers: [string, string][];
    body: string;
    /** The bytes of the body are UTF-8. */
    isUtf8?: boolean;
  };
  /** Why there is no response that can be read, in one line. */
  error?: string;
  /** The target sent something that is not a valid response; `response` has the readable part. */
  malformed?: boolean;
  /** The request was sent before, and the target may have carried it out then. */
  uncertain?: boolean;
  /** Milliseconds since the epoch. */
  start: number;
  stop: number;
};

/** The media type of an exchange in Allure's own viewer. */
export const EXCHANGE_TYPE = 'application/vnd.allure.http+json';

/** What a generated check did. Reports show the exchanges of a counterexample only. */
export type CaseLog = {
  requests: number;
  cases: number;
  created: Created[];
  /** fast-check's seed of the check. */
  seed: number;
  /** fast-check's path to the case that failed. */
  path: string | null;
};

/** The media type of a case log. */
export const CASE_LOG_TYPE = 'application/vnd.conformance.cases+json';

/** Maximum characters of a request's body in a report. */
const SHOWN = 16_384;

const pairs = (headers: [string, string][]) => headers.map(([name, value]) => ({ name, value }));
const headerOf = (headers: [string, string][], wanted: string) => headers.find(([name]) => name.toLowerCase() === wanted)?.[1];

function allureBody(headers: [string, string][], value: string) {
  return { contentType: headerOf(headers, 'content-type') ?? 'text/plain', encoding: 'utf8', value, size: Buffer.byteLength(value) };
}

/** An exchange in the form that Allure's viewer reads. */
export function toAllure({ request, response, error, start, stop }: Exchange): JsonObject {
  const authorization: [string, string][] = request.authorization.shown ? [['Authorization', request.authorization.shown]] : [];
  const extra = (request.extra ?? []).map(({ name, variable }): [string, string] => [name, `‹${variable}›`]);
  return {
    schemaVersion: 1,
    request: {
      method: request.method,
      url: request.url,
      headers: pairs([...authorization, ...extra, ...request.headers]),
      ...(request.body !== undefined && { body: allureBody(request.headers, shorten(request.body, SHOWN)) }),
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
  const extra = (request.extra ?? []).map(({ name, variable }) => `-H "${name}: $${variable}"`);
  const certificate = request.certificate ? ['--cert "$TRUSTLY_CLIENT_CERT" --key "$TRUSTLY_CLIENT_KEY"'] : [];
  const headers = request.headers.map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`);
  const body = request.body === undefined ? [] : [`--data-raw ${quoted(request.body)}`];
  return [
    'curl -sS',
    `-X ${request.method}`,
    quoted(request.url),
    request.authorization.curl,
    ...extra,
    ...certificate,
    ...headers,
    ...body,
  ]
    .filter(Boolean)
    .join(' ');
}
