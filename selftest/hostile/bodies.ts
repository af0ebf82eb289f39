import { setTimeout as delay } from 'node:timers/promises';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { BOMBS, takes, zstd } from './compression.ts';
import { type Spoil, spoiling } from './proxy.ts';
import { accepted, edited, from, inserted, oneIn, reads, updates } from './spoils.ts';
import { EVERY_KIND_OF_REQUEST, type Serve, targets } from './target.ts';
import { type Answer, bytes, end, flood, head, withBody, withField, withoutField } from './wire.ts';

const TOO_MUCH = /large|long|big|bytes|\b[kM]i?B\b|limit|within|time|ends?\b/i;
const UNREADABLE = /gzip|deflate|\bbr\b|zstd|coding|compress|decode|inflate|header check|\bJSON\b/i;
const NOT_JSON = /\bJSON\b/;
const CUT = /JSON|closed|cut|ended|end of|incomplete|terminated|aborted|length|socket|premature|reset/i;

const spoil = (change: Spoil) => spoiling(accepted(change));
const encoded = (answer: Answer, coding: string, body: Buffer) => {
  const { headers, ...rest } = withBody(answer, body);
  return { ...rest, headers: withField(headers, 'Content-Encoding', coding) };
};
/** A bomb is built before its server listens: no request waits for it. */
const bombing =
  (coding: keyof typeof BOMBS, within = (spoil: Spoil): Spoil => spoil): Serve =>
  async (upstream) => {
    const content = await BOMBS[coding]();
    return spoiling(within(accepted((answer) => encoded(answer, coding, content))))(upstream);
  };
const chunked = (answer: Answer) => withField(withoutField(answer.headers, 'Content-Length'), 'Transfer-Encoding', 'chunked');
const chunk = (content: Buffer) => Buffer.concat([Buffer.from(`${content.length.toString(16)}\r\n`), content, Buffer.from('\r\n')]);
const half = ({ body }: Answer) => body.subarray(0, Math.floor(body.length / 2));
const member =
  (text: string | Buffer): Spoil =>
  (answer) =>
    inserted(answer, text);

/** Sends the head and the first bytes, then one byte a second. */
const trickle: Spoil = async (answer, { socket }) => {
  socket.write(bytes(head(answer)));
  for (let sent = 0; sent < answer.body.length && !socket.destroyed; sent += 1) {
    socket.write(answer.body.subarray(sent, sent + 1));
    await delay(1000, undefined, { ref: false });
  }
  return undefined;
};

const endless: Spoil = (answer, { socket }) => {
  socket.write(bytes(head({ ...answer, headers: chunked(answer) })));
  socket.write(chunk(Buffer.from('{"customer":{"name":"')));
  return flood(socket, chunk(Buffer.alloc(64 * 1024, 'a')));
};

const endlessBlank: Spoil = (answer, { socket }) => {
  socket.write(bytes(head({ ...answer, headers: withoutField(answer.headers, 'Content-Length') })));
  return flood(socket, Buffer.alloc(64 * 1024, ' '));
};

let blank: Buffer | undefined;
const huge: Spoil = (answer, { response }) => {
  blank ??= Buffer.alloc(200 * 1024 * 1024, ' ');
  response.writeHead(200, withField(answer.headers, 'Content-Length', String(blank.length + answer.body.length)).flat());
  response.write(blank);
  response.end(answer.body);
  return undefined;
};

const RESERVED =
  '"__proto__":{"polluted":true,"name":1},"constructor":{"prototype":{"polluted":true}},"toJSON":"x","then":"x","toString":1,"hasOwnProperty":1,"valueOf":null,"length":-1';

/** Bodies that are too much, cut off, coded in an odd way, or no JSON. */
export const bodies = targets([
  {
    name: 'endless-body',
    why: 'A client that reads to the end never comes back.',
    projects: EVERY_KIND_OF_REQUEST,
    exits: [1, 2],
    says: TOO_MUCH,
    serve: spoil(endless),
  },
  {
    name: 'endless-blanks-on-reads',
    why: 'White space is JSON formatting, so a parser waits for more; only GET, which a target need not have, does it.',
    exits: [0, 1, 2],
    says: TOO_MUCH,
    seconds: 60,
    serve: spoiling(reads(endlessBlank)),
  },
  {
    name: 'body-of-200-megabytes',
    why: 'One answer must not take the memory of the run.',
    projects: EVERY_KIND_OF_REQUEST,
    exits: [1, 2],
    says: TOO_MUCH,
    serve: spoil(huge),
  },
  {
    name: 'one-byte-a-second-from-the-50th',
    why: 'A time limit between bytes never ends such an answer; one for the whole answer does.',
    projects: EVERY_KIND_OF_REQUEST,
    exits: [1, 2],
    says: TOO_MUCH,
    serve: spoiling(from(50, trickle)),
  },
  {
    name: 'one-byte-a-second-on-updates',
    why: 'Creates are answered, so the target is not out of order: its updates hang.',
    projects: EVERY_KIND_OF_REQUEST,
    exits: [1, 2],
    says: TOO_MUCH,
    seconds: 60,
    serve: spoiling(updates(trickle)),
  },
  ...(['gzip', 'deflate', 'br', 'gzip, gzip'] as const).map((coding) => ({
    name: `bomb-of-${coding.replace(', ', '-in-')}`,
    why: 'A few bytes on the wire become a gigabyte in memory.',
    exits: [1, 2] as const,
    says: /large|long|big|bytes|\b[kM]i?B\b|limit|within|time|coding|JSON/i,
    serve: bombing(coding),
  })),
  {
    name: 'bomb-of-br-one-in-ten',
    why: 'The bomb goes off in the middle of a run, beside other requests.',
    projects: EVERY_KIND_OF_REQUEST,
    exits: [1, 2],
    says: /large|long|big|bytes|\b[kM]i?B\b|limit|within|time|coding|JSON/i,
    serve: bombing('br', (spoil) => oneIn(10, spoil)),
  },
  {
    name: 'cut-off-with-matching-length',
    why: 'HTTP is content with the body; JSON is not.',
    exits: [1],
    says: NOT_JSON,
    serve: spoil((answer) => withBody(answer, half(answer))),
  },
  {
    name: 'cut-off-with-full-length',
    why: 'The connection ends before the bytes that Content-Length promises.',
    exits: [1, 2],
    says: CUT,
    serve: spoil((answer, { socket }) => end(socket, head(answer), half(answer))),
  },
  {
    name: 'cut-off-between-chunks',
    why: 'The last chunk never comes, so the body is incomplete even if its JSON is whole.',
    exits: [1, 2],
    says: CUT,
    serve: spoil((answer, { socket }) => end(socket, head({ ...answer, headers: chunked(answer) }), chunk(answer.body))),
  },
  {
    name: 'longer-than-its-length',
    why: 'The body by its length is no JSON; the rest would be read as the next answer.',
    exits: [1, 2],
    says: /JSON|length|parse|invalid|unexpected|expected|closed|socket/i,
    serve: spoil((answer, { socket }) => {
      const length = String(answer.body.length - 10);
      socket.write(
        bytes(
          [...head({ ...answer, headers: withField(answer.headers, 'Content-Length', length) }).slice(0, -1), 'Connection: keep-alive'],
          answer.body,
        ),
      );
      return undefined;
    }),
  },
  {
    name: 'plain-text-labelled-gzip',
    why: 'Decompression fails, which is the fault of the target and not of the suite.',
    exits: [1, 2],
    says: UNREADABLE,
    serve: spoil((answer) => encoded(answer, 'gzip', answer.body)),
  },
  {
    name: 'gzip-without-label',
    why: 'Without Content-Encoding the bytes are the body, and these are no JSON.',
    exits: [1],
    says: /JSON|UTF-8|gzip/,
    serve: spoil((answer) => withBody(answer, gzipSync(answer.body))),
  },
  {
    name: 'gzip-cut-off',
    why: 'The compressed data ends before its own end.',
    exits: [1, 2],
    says: /gzip|coding|compress|decode|inflate|end of|JSON/i,
    serve: spoil((answer) => encoded(answer, 'gzip', gzipSync(answer.body).subarray(0, 40))),
  },
  {
    name: 'gzip-with-wrong-checksum',
    why: 'The data can be read but does not match its checksum.',
    exits: [0, 1, 2],
    says: /gzip|coding|compress|decode|inflate|check|JSON/i,
    serve: spoil((answer) => encoded(answer, 'gzip', Buffer.concat([gzipSync(answer.body).subarray(0, -8), Buffer.alloc(8, 7)]))),
  },
  {
    name: 'raw-deflate-labelled-deflate',
    why: 'RFC 9110 means zlib by deflate; RFC 9110 itself warns of servers that send it without, and many clients read both.',
    exits: [0, 1, 2],
    says: UNREADABLE,
    serve: spoil((answer) => encoded(answer, 'deflate', deflateRawSync(answer.body))),
  },
  {
    name: 'lawful-gzip',
    why: 'Compression is a latitude of the target.',
    projects: EVERY_KIND_OF_REQUEST,
    exits: [0],
    serve: spoil((answer, { asked }) => (takes(asked, 'gzip', '*') ? encoded(answer, 'gzip', gzipSync(answer.body)) : answer)),
  },
  {
    name: 'lawful-x-gzip',
    why: 'RFC 9110, 8.4.1.3: a recipient treats x-gzip as gzip.',
    projects: EVERY_KIND_OF_REQUEST,
    exits: [0],
    serve: spoil((answer, { asked }) => (takes(asked, 'gzip', 'x-gzip', '*') ? encoded(answer, 'x-gzip', gzipSync(answer.body)) : answer)),
  },
  {
    name: 'zstd-not-asked-for',
    why: 'Node 20 cannot decode it, and an undecoded body must not be taken for broken JSON without saying why.',
    exits: [0, 1, 2],
    says: UNREADABLE,
    serve: spoil((answer) => encoded(answer, 'zstd', zstd(answer.body))),
  },
  {
    name: 'coding-that-does-not-exist',
    why: 'A content coding that nobody knows makes the body unreadable.',
    exits: [1, 2],
    says: UNREADABLE,
    serve: spoil((answer) => encoded(answer, 'snakeoil', answer.body)),
  },
  {
    name: 'body-in-invalid-utf-8',
    why: 'JSON is UTF-8 (RFC 8259, 8.1); these bytes are not.',
    exits: [1],
    says: /UTF-8|JSON|decode|encod/i,
    serve: spoil(member(Buffer.from([...Buffer.from('"note":"'), 0xff, 0xfe, 0xc0, 0xaf, ...Buffer.from('"')]))),
  },
  {
    name: 'body-in-utf-16',
    why: 'JSON is UTF-8 (RFC 8259, 8.1), whatever the charset parameter says.',
    exits: [1],
    says: /UTF-?8|UTF-?16|JSON/i,
    serve: spoil((answer) => {
      const wide = withBody(answer, Buffer.from(answer.body.toString(), 'utf16le'));
      return { ...wide, headers: withField(wide.headers, 'Content-Type', 'application/json; charset=utf-16') };
    }),
  },
  {
    name: 'byte-order-mark',
    why: 'RFC 8259, 8.1: a sender must not add one, a parser may ignore it.',
    exits: [0, 1],
    says: /byte order mark|BOM|JSON/,
    serve: spoil((answer) => withBody(answer, `\u{FEFF}${answer.body}`)),
  },
  {
    name: 'nested-100000-deep',
    why: 'JSON.parse reads it, what walks or prints it overflows the stack.',
    projects: EVERY_KIND_OF_REQUEST,
    exits: [0, 1, 2],
    says: /deep|depth|nest/i,
    serve: spoil(member(`"note":${'['.repeat(100_000)}${']'.repeat(100_000)}`)),
  },
  {
    name: 'two-hundred-thousand-properties',
    why: 'Extra properties are a latitude of the target, but reports must not show them all.',
    exits: [0, 1, 2],
    says: /large|long|big|bytes|\b[kM]i?B\b|limit|propert|within|time/i,
    seconds: 90,
    serve: spoil(member(Array.from({ length: 200_000 }, (_, index) => `"note${index}":${index}`).join(','))),
  },
  {
    name: 'string-of-5-megabytes',
    why: 'One value must not fill the reports.',
    exits: [0, 1, 2],
    says: TOO_MUCH,
    seconds: 60,
    serve: spoil(member(`"note":"${'long '.repeat(1024 * 1024)}"`)),
  },
  {
    name: 'name-of-1-megabyte',
    why: 'The difference of two values is shown in every report of a failure.',
    exits: [1],
    says: /name/i,
    seconds: 60,
    projects: ['create'],
    serve: spoil((answer) => edited(answer, (customer) => (customer.name = 'Joe '.repeat(256 * 1024)))),
  },
  {
    name: 'keys-that-stand-twice',
    why: 'RFC 8259 says that names should be unique; most parsers take the last.',
    exits: [0, 1],
    says: /twice|duplicate|repeated|unique|name/i,
    serve: spoil(member('"name":"Somebody Else","customerId":7')),
  },
  {
    name: 'nan-literal',
    why: 'NaN is no JSON, though some encoders write it.',
    exits: [1],
    says: NOT_JSON,
    serve: spoil(member('"note":NaN')),
  },
  {
    name: 'infinity-literal',
    why: 'Infinity is no JSON, though some encoders write it.',
    exits: [1],
    says: NOT_JSON,
    serve: spoil(member('"note":-Infinity')),
  },
  {
    name: 'number-beyond-doubles',
    why: '1e999 is JSON and parses to Infinity, which JSON.stringify prints as null.',
    exits: [0],
    serve: spoil(member('"note":1e999,"other":-1e999,"third":123456789012345678901234567890')),
  },
  {
    name: 'empty-200',
    why: 'No bytes are no JSON.',
    exits: [1],
    says: /JSON|empty|no body|no content/i,
    serve: spoil((answer) => withBody(answer, '')),
  },
  {
    name: 'html-with-200',
    why: 'A portal between the suite and the target answers for it.',
    exits: [1, 2],
    says: /HTML|JSON|Content-Type/i,
    serve: spoil((answer) => {
      const page = withBody(answer, '<!doctype html><title>Welcome</title><script>alert(1)</script><p>Please log in');
      return { ...page, headers: withField(page.headers, 'Content-Type', 'text/html') };
    }),
  },
  ...['null', '[]', '"customer"', '{"customer":null}', '{"customer":[]}', '{"customer":"__proto__"}'].map((text, index) => ({
    name: `json-of-another-shape-${index + 1}`,
    why: `The body is ${text}, and reading a property of it may throw.`,
    exits: [1] as const,
    says: /customer|object|schema|body/i,
    serve: spoil((answer) => withBody(answer, text)),
  })),
  {
    name: 'two-json-texts',
    why: 'A second JSON text follows the first, as from a stream of lines.',
    exits: [1],
    says: NOT_JSON,
    serve: spoil((answer) => withBody(answer, Buffer.concat([answer.body, Buffer.from('\n'), answer.body]))),
  },
  {
    name: 'garbage-after-the-last-chunk',
    why: 'The answer is whole; what follows belongs to no answer and spoils the connection alone.',
    exits: [0, 1, 2],
    says: /parse|invalid|unexpected|expected|closed|socket|garbage|HTTP/i,
    serve: spoil((answer, { socket }) => {
      const lines = head({ ...answer, headers: chunked(answer) }).slice(0, -1);
      socket.write(bytes(lines, Buffer.concat([chunk(answer.body), Buffer.from('0\r\n\r\n\x00garbage\r\n\r\n')])));
      return undefined;
    }),
  },
  {
    name: 'chunk-sizes-that-are-no-numbers',
    why: 'The body cannot be delimited.',
    exits: [1, 2],
    says: /parse|invalid|chunk|closed|socket|HTTP|expected/i,
    serve: spoil((answer, { socket }) => end(socket, head({ ...answer, headers: chunked(answer) }), `zz\r\n${answer.body}\r\n0\r\n\r\n`)),
  },
  {
    name: 'reserved-names-in-customer',
    why: 'Extra properties are a latitude of the target, and these have a meaning to JavaScript.',
    projects: EVERY_KIND_OF_REQUEST,
    exits: [0],
    serve: spoil(member(RESERVED)),
  },
]);
