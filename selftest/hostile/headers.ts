import { setTimeout as delay } from 'node:timers/promises';
import { type Spoil, spoiling } from './proxy.ts';
import { accepted } from './spoils.ts';
import { targets } from './target.ts';
import { type Answer, bytes, end, head, withField, withoutField } from './wire.ts';

const HEAD = /header|field|HTTP|parse|invalid|overflow|large|long|bytes|limit/i;
const LENGTH = /length|header|HTTP|parse|invalid|closed|reset|socket|ended|within|time|large|bytes/i;

/** Adds lines to the head of what was accepted. */
const adding = (...lines: string[]): Spoil => accepted((answer, { socket }) => end(socket, [...head(answer), ...lines], answer.body));
/** Gives what was accepted another field in the place of one of this name. */
const setting = (name: string, value: string): Spoil =>
  accepted((answer) => ({ ...answer, headers: withField(answer.headers, name, value) }));
const without = (answer: Answer, name: string) => ({ ...answer, headers: withoutField(answer.headers, name) });
/** Replaces Content-Length by these lines and leaves the connection open. */
const framing = (...lines: string[]): Spoil =>
  accepted((answer, { socket }) => {
    socket.write(bytes([...head(without(answer, 'Content-Length')), ...lines], answer.body));
    return undefined;
  });

const endless: Spoil = accepted(async (answer, { socket }) => {
  socket.write(`${head(answer).join('\r\n')}\r\n`);
  for (let count = 0; !socket.destroyed; count += 1) {
    socket.write(`X-${count}: and so on\r\n`);
    await delay(100, undefined, { ref: false });
  }
  return undefined;
});

const many = (count: number, line: (index: number) => string) => Array.from({ length: count }, (_, index) => line(index));

/** Header fields that are many, long, doubled, malformed or missing; and odd ones that are lawful. */
export const headers = targets([
  {
    name: 'lawful-900-short-fields',
    why: 'Fields that nobody asked for are the target’s own affair; all are shorter than 16 kB, which any client reads.',
    exits: [0],
    serve: spoiling(adding(...many(900, (index) => `X-${index}: value`))),
  },
  {
    name: 'fields-of-60-kilobytes',
    why: 'More than most clients read: the run says so and goes on or ends.',
    exits: [0, 1, 2],
    says: HEAD,
    serve: spoiling(adding(...many(900, (index) => `X-Field-${index}: ${'v'.repeat(50)}`))),
  },
  {
    name: 'field-of-100-kilobytes',
    why: 'One field is longer than most clients read.',
    exits: [0, 1, 2],
    says: HEAD,
    serve: spoiling(adding(`X-Long: ${'v'.repeat(100_000)}`)),
  },
  {
    name: 'field-of-1-megabyte',
    why: 'One field is longer than any client should read.',
    exits: [0, 1, 2],
    says: HEAD,
    serve: spoiling(adding(`X-Long: ${'v'.repeat(1_000_000)}`)),
  },
  {
    name: 'head-without-end',
    why: 'A time limit between bytes never ends such an answer.',
    exits: [1, 2],
    says: /does not answer|no answer|within|time|header/i,
    serve: spoiling(endless),
  },
  {
    name: 'content-type-twice',
    why: 'The field allows one value; joined by a comma it is none.',
    exits: [0, 1],
    says: /Content-Type/i,
    serve: spoiling(adding('Content-Type: application/json')),
  },
  {
    name: 'content-type-twice-with-html',
    why: 'One says JSON, one says HTML, and clients take either.',
    exits: [0, 1],
    says: /Content-Type/i,
    serve: spoiling(adding('Content-Type: text/html')),
  },
  {
    name: 'lawful-content-type-with-odd-parameters',
    why: 'Type names have no case, parameters may be quoted, and unknown ones are ignored.',
    exits: [0],
    serve: spoiling(setting('Content-Type', 'Application/JSON ;charset="UTF-8" ; profile="a;b=\\"c\\", text/html";v=1')),
  },
  {
    name: 'content-type-that-is-none',
    why: 'A value that no parser takes must not throw.',
    exits: [1],
    says: /Content-Type/i,
    serve: spoiling(setting('Content-Type', ';;=;"application/json')),
  },
  {
    name: 'content-type-of-a-look-alike',
    why: 'It begins like the right one and is another.',
    exits: [1],
    says: /Content-Type/i,
    serve: spoiling(setting('Content-Type', 'application/jsonp; charset=utf-8')),
  },
  {
    name: 'no-content-type',
    why: 'The page promises application/json.',
    exits: [1],
    says: /Content-Type/i,
    serve: spoiling(accepted((answer) => without(answer, 'Content-Type'))),
  },
  {
    name: 'control-characters-in-a-field',
    why: 'RFC 9110, 5.5: they make the answer invalid, and a terminal obeys them.',
    exits: [0, 1, 2],
    says: HEAD,
    serve: spoiling(adding('X-Odd: \x1b[31mred\x07\x08', 'X-Nul: a\x00b')),
  },
  {
    name: 'lawful-latin-1-in-a-field',
    why: 'RFC 9110, 5.5: bytes beyond ASCII are opaque data.',
    exits: [0],
    serve: spoiling(adding('X-Odd: caf\xe9 \xa0\xff', 'Server: \xc3\x28')),
  },
  {
    name: 'lawful-odd-names',
    why: 'All of these are tokens, and some are names of JavaScript.',
    exits: [0],
    serve: spoiling(adding("!#$%&'*+-.^_`|~: 1", '__proto__: 1', 'constructor: 2', 'toString: 3', 'hasOwnProperty: 4', 'X-Empty:')),
  },
  {
    name: 'names-that-are-no-tokens',
    why: 'A space before the colon and brackets in a name are the stuff of request smuggling.',
    exits: [0, 1, 2],
    says: HEAD,
    serve: spoiling(adding('X (odd)[]: 1', 'X-Space : 2', ': 3', 'no colon at all')),
  },
  {
    name: 'lawful-set-cookie-by-the-hundred',
    why: 'Cookies are the target’s own affair; none is needed.',
    exits: [0],
    serve: spoiling(adding(...many(200, (index) => `Set-Cookie: c${index}=value-${index}; Path=/`))),
  },
  {
    name: 'two-content-lengths',
    why: 'RFC 9112, 6.3: an error that cannot be recovered from.',
    exits: [1, 2],
    says: LENGTH,
    serve: spoiling(accepted((answer, { socket }) => end(socket, [...head(answer), 'Content-Length: 7'], answer.body))),
  },
  {
    name: 'negative-content-length',
    why: 'No length at all.',
    exits: [1, 2],
    says: LENGTH,
    serve: spoiling(framing('Content-Length: -1')),
  },
  {
    name: 'huge-content-length',
    why: 'Whoever allocates what is announced has no memory left; the bytes never come.',
    exits: [1, 2],
    says: LENGTH,
    serve: spoiling(framing('Content-Length: 9007199254740991')),
  },
  {
    name: 'content-length-beyond-64-bits',
    why: 'A length that overflows must not become a small one.',
    exits: [1, 2],
    says: LENGTH,
    serve: spoiling(framing('Content-Length: 18446744073709551617')),
  },
  {
    name: 'transfer-encoding-beside-content-length',
    why: 'RFC 9112, 6.3: it may be response smuggling; a client may read the chunks or refuse.',
    exits: [0, 1, 2],
    says: LENGTH,
    serve: spoiling(
      accepted((answer, { socket }) => {
        const chunked = `${answer.body.length.toString(16)}\r\n${answer.body.toString('latin1')}\r\n0\r\n\r\n`;
        return end(socket, [...head(answer), 'Transfer-Encoding: chunked'], Buffer.from(chunked, 'latin1'));
      }),
    ),
  },
  {
    name: 'folded-field',
    why: 'RFC 9112, 5.2: a client replaces the line break by a space, or refuses.',
    exits: [0, 1, 2],
    says: HEAD,
    serve: spoiling(adding('X-Folded: one', ' two', '\t::error::three')),
  },
]);
