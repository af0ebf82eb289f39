import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { answering, type Exchange, type Spoil, spoiling, tcp } from './proxy.ts';
import { accepted, oneIn, updates } from './spoils.ts';
import { EVERY_KIND_OF_REQUEST, targets } from './target.ts';
import { bytes, end, head, json } from './wire.ts';

const NO_ANSWER = /does not answer|no answer|closed|reset|hang|hung|ended|disconnect|socket|ECONN|time|within|cut off/i;
const NO_HTTP = /HTTP|parse|invalid|expected|protocol|does not answer|closed|reset|socket/i;

/** A reset after some of the answer, which no client may take for a reset before it. */
const resetInBody: Spoil = async (answer, { socket }) => {
  socket.write(bytes(head(answer), answer.body.subarray(0, 20)));
  // The bytes reach the client first.
  await delay(50);
  socket.resetAndDestroy();
  return undefined;
};

/** Answers the first request of a connection, and does `then` with the connection at the next. */
const onceEach = (then: (socket: Socket) => void, after: (exchange: Exchange) => void = () => undefined) => {
  const used = new WeakSet<Socket>();
  return answering((exchange) => {
    const { socket, forward } = exchange;
    if (used.has(socket)) {
      then(socket);
      return undefined;
    }
    used.add(socket);
    after(exchange);
    return forward();
  });
};

/** Sends interim responses in front of every answer. */
const hinting = (...interim: string[]) =>
  spoiling((answer, { socket }) => {
    for (const line of interim) socket.write(`HTTP/1.1 ${line}\r\n\r\n`);
    return answer;
  });

const canned = json(200, {
  customer: {
    customerId: '1',
    externalId: '1',
    name: 'Joe User',
    phone: '+16505551212',
    email: 'joe@example.com',
    address: { country: 'US' },
  },
});

/** Answers a raw connection as soon as a whole head has come. */
const onHead = (respond: (socket: Socket) => void) =>
  tcp((socket) => {
    let read = '';
    socket.on('data', (chunk) => {
      read += chunk.toString('latin1');
      if (!read.includes('\r\n\r\n')) return;
      read = '';
      respond(socket);
    });
  });

/** Connections that break, hang, or do not speak HTTP/1.1; and odd ones that are lawful. */
export const connections = targets([
  {
    name: 'reset-before-the-first-byte',
    why: 'No request is ever answered, so the target is out of order.',
    exits: [2],
    says: NO_ANSWER,
    requests: 40,
    serve: answering(({ socket }) => void socket.resetAndDestroy()),
  },
  {
    name: 'reset-after-the-head',
    why: 'The status is 200 but its body never comes.',
    exits: [1, 2],
    says: NO_ANSWER,
    serve: spoiling(async (answer, { socket }) => {
      socket.write(bytes(head(answer)));
      await delay(50);
      socket.resetAndDestroy();
      return undefined;
    }),
  },
  { name: 'reset-in-the-body', why: 'Half a body is no answer.', exits: [1, 2], says: NO_ANSWER, serve: spoiling(resetInBody) },
  {
    name: 'reset-in-the-body-one-in-ten',
    why: 'The others are answered, so a drop is no outage; it cannot be repeated either, for some bytes came.',
    projects: EVERY_KIND_OF_REQUEST,
    exits: [1, 2],
    says: NO_ANSWER,
    seconds: 60,
    serve: spoiling(oneIn(10, resetInBody)),
  },
  {
    name: 'reset-on-updates',
    why: 'Creates before and after are answered, so the dropped updates are failures and no outage.',
    projects: EVERY_KIND_OF_REQUEST,
    exits: [1],
    says: NO_ANSWER,
    seconds: 60,
    serve: spoiling(updates((_answer, { socket }) => void socket.resetAndDestroy())),
  },
  {
    name: 'accepts-and-says-nothing',
    why: 'The request is read and never answered.',
    exits: [2],
    says: NO_ANSWER,
    requests: 40,
    serve: tcp((socket) => void socket.resume()),
  },
  {
    name: 'accepts-and-never-reads',
    why: 'The request fills buffers and is never read.',
    exits: [2],
    says: NO_ANSWER,
    requests: 40,
    serve: tcp((socket) => void socket.pause()),
  },
  {
    name: 'half-closed-at-once',
    why: 'The target ends its own direction without a byte and goes on reading.',
    exits: [2],
    says: NO_ANSWER,
    requests: 60,
    serve: tcp((socket) => void socket.resume().end(), { allowHalfOpen: true }),
  },
  {
    name: 'answers-before-the-request',
    why: 'An answer that comes before its request cannot be one to it.',
    exits: [1, 2],
    serve: tcp((socket) => {
      socket.resume().write(bytes([...head(canned).slice(0, -1), 'Connection: keep-alive'], canned.body));
    }),
  },
  {
    name: 'same-answer-to-everything',
    why: 'It never reads what is asked, so every customer is the same one.',
    exits: [1],
    says: /customer|name|externalId/i,
    serve: onHead((socket) => end(socket, head(canned), canned.body)),
  },
  {
    name: 'lawful-close-after-each-answer',
    why: 'A server may close a connection whenever it likes, without having said so.',
    projects: EVERY_KIND_OF_REQUEST,
    exits: [0],
    seconds: 60,
    serve: onceEach(
      (socket) => socket.destroy(),
      ({ response, socket }) => void response.on('finish', () => socket.end()),
    ),
  },
  {
    name: 'lawful-reset-of-reused-connections',
    why: 'A reused connection may be gone; a request that got no byte of an answer is repeated once on a fresh one.',
    projects: EVERY_KIND_OF_REQUEST,
    exits: [0],
    seconds: 60,
    serve: onceEach((socket) => socket.resetAndDestroy()),
  },
  {
    name: 'garbage-instead-of-http',
    why: 'Random bytes are no HTTP.',
    exits: [1, 2],
    says: NO_HTTP,
    requests: 60,
    serve: onHead((socket) => void socket.end(randomBytes(4096))),
  },
  {
    name: 'http-0.9',
    why: 'A body without a head.',
    exits: [1, 2],
    says: NO_HTTP,
    requests: 60,
    serve: onHead((socket) => void socket.end(canned.body)),
  },
  {
    name: 'lawful-http-1.0',
    why: 'A server may answer with its own older version and close the connection.',
    exits: [0],
    seconds: 60,
    serve: spoiling((answer, { socket }) => end(socket, head(answer, `HTTP/1.0 ${answer.status} Fine`), answer.body)),
  },
  {
    name: 'http-2-without-upgrade',
    why: 'A version that nobody agreed on.',
    exits: [1, 2],
    says: NO_HTTP,
    requests: 60,
    // A SETTINGS frame, then GOAWAY.
    serve: onHead((socket) => void socket.end(Buffer.from('000000040000000000' + '00000807000000000000000000000000' + '01', 'hex'))),
  },
  {
    name: 'ssh-banner',
    why: 'The port belongs to another service, which speaks first.',
    exits: [1, 2],
    says: NO_HTTP,
    requests: 60,
    serve: tcp((socket) => void socket.resume().write('SSH-2.0-OpenSSH_9.6\r\n')),
  },
  {
    name: 'tls-on-a-plain-port',
    why: 'The port wants https, and answers plain bytes with a TLS alert.',
    exits: [1, 2],
    says: NO_HTTP,
    requests: 60,
    serve: onHead((socket) => void socket.end(Buffer.from('15030100020246', 'hex'))),
  },
  {
    name: 'lawful-100-not-asked-for',
    why: 'RFC 9110, 15.2: a client parses 1xx responses before the final one even if it does not expect any.',
    exits: [0],
    serve: hinting('100 Continue'),
  },
  { name: 'lawful-102', why: 'An interim response that a client may ignore.', exits: [0], serve: hinting('102 Processing') },
  {
    name: 'lawful-103',
    why: 'An interim response with fields, which a client may ignore.',
    exits: [0],
    serve: hinting('103 Early Hints\r\nLink: </style.css>; rel=preload', '103 Early Hints\r\nContent-Length: 7'),
  },
  {
    name: 'interim-responses-without-end',
    why: 'Each one starts the wait for the final answer anew.',
    exits: [1, 2],
    says: NO_ANSWER,
    serve: answering(async ({ socket }) => {
      while (!socket.destroyed) {
        socket.write('HTTP/1.1 102 Processing\r\n\r\n');
        await delay(200, undefined, { ref: false });
      }
      return undefined;
    }),
  },
  {
    name: 'two-answers-to-one-request',
    why: 'The second must not be taken for the answer to the next request.',
    exits: [0, 1, 2],
    serve: spoiling(
      accepted((answer, { socket }) => {
        const keep = (lines: string[]) => [...lines.slice(0, -1), 'Connection: keep-alive'];
        socket.write(Buffer.concat([bytes(keep(head(answer)), answer.body), bytes(keep(head(canned)), canned.body)]));
        return undefined;
      }),
    ),
  },
  {
    name: 'lawful-cold-start-of-nine-seconds',
    why: 'A sandbox that sleeps takes some seconds to wake, and is in order from then on.',
    projects: EVERY_KIND_OF_REQUEST,
    exits: [0],
    timeout: 12_000,
    seconds: 60,
    serve: answering(async ({ asked, socket, forward }) => {
      if (asked.since < 9000) await delay(9000 - asked.since, undefined, { ref: false });
      return socket.destroyed ? undefined : forward();
    }),
  },
  {
    name: 'lawful-503-for-the-first-four-seconds',
    why: 'A deployment is going on, and Retry-After says how long.',
    projects: EVERY_KIND_OF_REQUEST,
    exits: [0],
    seconds: 60,
    serve: answering(({ asked, forward }) =>
      asked.since < 4000 ? json(503, { errors: [{ code: 100, message: 'Deploying' }] }, ['Retry-After', '2']) : forward(),
    ),
  },
]);
