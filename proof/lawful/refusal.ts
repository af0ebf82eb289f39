import type { Behaviour } from '../../sandbox/behaviour.ts';
import { type Refusal, unsupportedMediaType } from '../../sandbox/refusal.ts';
import { dropping, refusing, writing } from './change.ts';
import type { Latitude } from './latitude.ts';

/** Media types, and ways to refuse. */
export const refusal = [
  {
    name: 'text-plain-taken',
    why: 'A body of text/plain is read as JSON.',
    limits: ['REF-4'],
    steps: (base) => taking(base, (type) => /^text\/plain\b/i.test(type ?? '')),
  },
  {
    name: 'json-suffix-taken',
    why: 'A media type that ends in +json is read as JSON.',
    limits: ['REF-4'],
    steps: (base) => taking(base, (type) => /^[^;]+\+json\s*(;|$)/i.test(type ?? '')),
  },
  {
    name: 'any-media-type-taken',
    why: 'The body is read as JSON, whatever its Content-Type.',
    limits: ['REF-4'],
    steps: (base) => taking(base, (type) => type !== undefined),
  },
  {
    name: 'missing-content-type-taken',
    why: 'A body without Content-Type is read as JSON.',
    limits: ['REF-4'],
    steps: (base) => taking(base, (type) => type === undefined),
  },
  {
    name: 'content-type-parameters-refused',
    why: 'The Content-Type is compared as a whole.',
    limits: ['CRE-1'],
    steps: (base) => ({
      parseBody(body, headers) {
        if (headers['content-type']?.includes(';')) throw unsupportedMediaType();
        return base.parseBody(body, headers);
      },
    }),
  },
  {
    name: 'empty-body-taken-as-empty-object',
    why: 'An empty body is treated as an empty object.',
    limits: ['REF-4'],
    steps: (base) => ({ parseBody: (body, headers) => (body.length === 0 ? {} : base.parseBody(body, headers)) }),
  },
  {
    name: 'byte-order-mark-ignored',
    why: 'A byte order mark before the JSON is ignored.',
    limits: ['REF-4'],
    steps: (base) => ({
      parseBody: (body, headers) => base.parseBody(body.subarray(0, 3).equals(Buffer.from('\uFEFF')) ? body.subarray(3) : body, headers),
    }),
  },

  {
    name: 'refusals-without-body',
    why: 'A refusal has a status and no body.',
    limits: ['REF-7'],
    steps: (base) => explaining(base, '', () => ''),
  },
  {
    name: 'refusals-in-plain-text',
    why: 'A refusal is explained in plain text.',
    limits: ['REF-7'],
    steps: (base) => explaining(base, 'text/plain; charset=utf-8', ({ message }) => message),
  },
  {
    name: 'refusals-in-html',
    why: 'A proxy replaces every refusal with its own page.',
    limits: ['REF-7'],
    steps: (base) => explaining(base, 'text/html', () => '<!doctype html><title>Error</title><h1>The request was refused</h1>'),
  },
  {
    name: 'refusals-with-message-alone',
    why: 'A refusal has a message and no list of errors, as in some other operations.',
    limits: ['REF-7'],
    steps: (base) => explaining(base, 'application/json', ({ message }) => JSON.stringify({ message })),
  },
  {
    name: 'refusals-as-json-string',
    why: 'The framework writes the message as a JSON string.',
    limits: ['REF-7'],
    steps: (base) => explaining(base, 'application/json', ({ message }) => JSON.stringify(message)),
  },
  {
    name: 'refusals-as-problem-json',
    why: 'Refusals follow RFC 9457.',
    limits: ['REF-7'],
    steps: (base) =>
      explaining(base, 'application/problem+json', ({ message, details }) =>
        JSON.stringify({ type: 'about:blank', title: 'Refused', status: details.status, detail: message }),
      ),
  },
  {
    name: 'refusals-without-message',
    why: 'Errors have a code, but no message, time or location.',
    limits: ['REF-7'],
    steps: (base) => explaining(base, 'application/json', ({ details }) => JSON.stringify({ errors: [{ code: details.code }] })),
  },
  {
    name: 'refusals-of-live-domain',
    why: 'The domain of an error is the exception that the live platform names.',
    limits: ['REF-7', 'ANS-8'],
    steps: (base) => writing(base, (content) => content.replace('com.trustly.sandbox.v1', 'com.paywithmybank.merchantgateway.v1')),
  },
  {
    name: 'refused-with-404',
    why: 'Every refusal is a 404.',
    limits: ['REF-4', 'REF-5'],
    steps: (base) => refusingWith(base, 404),
  },
  {
    name: 'refused-with-409',
    why: 'Every refusal is a 409.',
    limits: ['REF-4', 'REF-5'],
    steps: (base) => refusingWith(base, 409),
  },
  {
    name: 'refused-with-418',
    why: 'The status of refusals was chosen for fun.',
    limits: ['REF-8'],
    steps: (base) => refusingWith(base, 418),
  },
  {
    name: 'refused-with-422',
    why: 'The framework answers everything that it refuses with 422.',
    limits: ['REF-4', 'REF-5'],
    steps: (base) => refusingWith(base, 422),
  },
  {
    name: 'refused-with-499',
    why: 'Refusals have a status that only this platform uses.',
    limits: ['REF-8'],
    steps: (base) => refusingWith(base, 499),
  },
  {
    name: 'no-allow',
    why: 'A 405 does not say which methods are allowed.',
    limits: ['REF-9'],
    steps: (base) => dropping(base, 'Allow'),
  },
] as const satisfies readonly Latitude[];

/** Answers refusals with another status, but for those that have one of their own to keep. */
function refusingWith(base: Behaviour, status: number): Partial<Behaviour> {
  return refusing(base, (answer) => (answer.status === 401 || answer.status === 429 ? answer : { ...answer, status }));
}

/** Answers refusals with other content; no type for none. */
function explaining(base: Behaviour, type: string, explain: (refusal: Refusal) => string): Partial<Behaviour> {
  return refusing(base, ({ status, headers: { 'Content-Type': _, ...headers } }, refusal) => ({
    status,
    headers: type ? { ...headers, 'Content-Type': type } : headers,
    content: explain(refusal),
  }));
}

/** Takes other media types than application/json as JSON. */
function taking(base: Behaviour, isTaken: (contentType: string | undefined) => boolean): Partial<Behaviour> {
  const asJson = { 'content-type': 'application/json' };
  return {
    parseBody: (body, headers) => base.parseBody(body, isTaken(headers['content-type']) ? { ...headers, ...asJson } : headers),
  };
}
