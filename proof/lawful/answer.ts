import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { Behaviour } from '../../sandbox/behaviour.ts';
import { isObject } from '../../sandbox/json.ts';
import { answering, isJson, preceding, showing, writing } from './change.ts';
import type { Latitude } from './latitude.ts';

const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi;

/** Other ways to answer. */
export const answer = [
  {
    name: 'extra-at-top-level',
    why: 'The framework adds its own properties next to the customer.',
    limits: ['ANS-3'],
    steps: (base) => ({
      answer: (content, context) => base.answer({ ...content, requestId: 'f81d4fae', warnings: [], error: null }, context),
    }),
  },
  {
    name: 'extra-in-customer',
    why: 'The platform shows more of a customer than is published.',
    limits: ['ANS-3', 'UPD-4'],
    steps: (base) =>
      showing(base, (shown) => ({ ...shown, status: 'ACTIVE', riskScore: 0.5, tags: [], links: { self: '/customers' }, segment: null })),
  },
  {
    name: 'extra-in-address',
    why: 'Addresses are shown with the result of their validation.',
    limits: ['ANS-3', 'CRE-3'],
    steps: (base) =>
      showing(base, (shown) => (isObject(shown.address) ? { ...shown, address: { ...shown.address, verified: false } } : shown)),
  },
  {
    name: 'extra-in-driver-license',
    why: 'Driver licenses are shown with their country.',
    limits: ['ANS-3', 'CRE-3'],
    steps: (base) =>
      showing(base, (shown) =>
        isObject(shown.driverLicense) ? { ...shown, driverLicense: { ...shown.driverLicense, country: null } } : shown,
      ),
  },
  {
    name: 'extra-in-custom-data',
    why: 'Custom data is shown with the version of its format.',
    limits: ['CRE-3', 'UPD-2'],
    steps: (base) =>
      showing(base, (shown) => (isObject(shown.customData) ? { ...shown, customData: { ...shown.customData, formatVersion: 1 } } : shown)),
  },
  {
    name: 'extra-in-errors',
    why: 'Errors have an id for the support desk.',
    limits: ['REF-7'],
    steps: (base) =>
      writing(base, (content) => {
        const { errors, ...others } = JSON.parse(content);
        return errors ? JSON.stringify({ ...others, traceId: 'f81d4fae', errors: [{ ...errors[0], helpUrl: null }] }) : content;
      }),
  },
  {
    name: 'pretty-printed',
    why: 'JSON is indented for people, with a line break at the end.',
    limits: ['ANS-2'],
    steps: (base) => writing(base, (content) => `${JSON.stringify(JSON.parse(content), null, 4)}\r\n`),
  },
  {
    name: 'escaped-json',
    why: 'The JSON library escapes slashes and all characters beyond ASCII.',
    limits: ['ANS-2', 'VAL-5'],
    steps: (base) =>
      writing(base, (content) =>
        content.replaceAll('/', '\\/').replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
      ),
  },
  {
    name: 'properties-reversed',
    why: 'The properties of a customer come in a different order.',
    limits: ['CRE-3', 'UPD-4'],
    steps: (base) => showing(base, (shown) => Object.fromEntries(Object.entries(shown).reverse())),
  },
  {
    name: 'integers-with-point',
    why: 'The JSON library writes every number with a decimal point.',
    limits: ['ANS-3', 'VAL-6'],
    steps: (base) =>
      writing(base, (content) => content.replace(STRING_OR_NUMBER, (token) => (/^-?\d+$/.test(token) ? `${token}.0` : token))),
  },
  {
    name: 'charset-parameter',
    why: 'A proxy writes the charset in capitals and without a space.',
    limits: ['ANS-2'],
    steps: (base) => typing(base, 'application/json;charset=UTF-8'),
  },
  {
    name: 'no-charset-parameter',
    why: 'The Content-Type of JSON has no parameters, as its registration defines.',
    limits: ['ANS-2'],
    steps: (base) => answering(base, (answer) => ({ ...answer, content: asBytes(Buffer.from(answer.content)) })),
  },
  {
    name: 'content-type-oddly-spaced',
    why: 'A proxy rewrites the Content-Type with capitals, spaces and quotes.',
    limits: ['ANS-2'],
    steps: (base) => typing(base, 'Application/JSON ; Charset="UTF-8"'),
  },
  {
    name: 'gzip',
    why: 'A proxy compresses the answers to clients that accept it.',
    limits: ['ANS-2'],
    steps: (base) => ({
      async upsert(request, context) {
        const answer = await base.upsert(request, context);
        if (!/\bgzip\b(?! *; *q=0)/.test(String(request.headers['accept-encoding']))) return answer;
        const content = asBytes(gzipSync(answer.content));
        return { ...answer, headers: { ...answer.headers, 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' }, content };
      },
    }),
  },
  {
    name: 'connection-close',
    why: 'The server closes the connection after each request.',
    limits: ['REF-3'],
    steps: (base) => sending(base, { Connection: 'close' }),
  },
  {
    name: 'set-cookie',
    why: 'A load balancer sets its cookie with each answer.',
    limits: ['ANS-7'],
    steps: (base) =>
      sending(base, { 'Set-Cookie': 'lb=f81d4fae; Path=/; HttpOnly', 'Cache-Control': 'no-store', 'X-Request-Id': 'f81d4fae' }),
  },
  {
    name: 'slow',
    why: 'Each request goes through three other services.',
    limits: ['REF-3'],
    steps: (base) => preceding(base, () => pause(20)),
  },
  {
    name: 'unevenly-slow',
    why: 'Requests go to two machines, one of them slow, so later requests can overtake earlier ones.',
    limits: ['UPD-11'],
    steps: (base) => {
      let count = 0;
      return preceding(base, () => {
        count += 1;
        return pause(count % 2 ? 15 : 0);
      });
    },
  },
] as const satisfies readonly Latitude[];

/** Content that Fastify sends as it is, with no charset of its own. */
function asBytes(content: Buffer): string {
  return content as unknown as string;
}

/** Adds header fields to every answer. */
function sending(base: Behaviour, headers: Record<string, string>): Partial<Behaviour> {
  return answering(base, (answer) => ({ ...answer, headers: { ...answer.headers, ...headers } }));
}

/** Gives every JSON answer another Content-Type. */
function typing(base: Behaviour, type: string): Partial<Behaviour> {
  return answering(base, (answer) => (isJson(answer) ? { ...answer, headers: { ...answer.headers, 'Content-Type': type } } : answer));
}
