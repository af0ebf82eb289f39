import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect, test } from '@playwright/test';
import { anonymous, merchant } from '../target/authorization.ts';
import { Client } from '../target/client.ts';
import { curl } from '../target/exchange.ts';
import { keysOf, MASK, redactor, tooShort } from '../target/redaction.ts';

const credentials = { accessId: 'the-access-id', accessKey: 's3cret+key/ÿ"=' };
const authorization = merchant(credentials);

/** A client of a server that handles each request in turn. */
async function withServer(
  handle: (request: IncomingMessage, response: ServerResponse, count: number) => void,
  use: (client: Client, waits: number[]) => Promise<void>,
) {
  let count = 0;
  const server: Server = createServer((incoming, response) => {
    count += 1;
    handle(incoming.resume(), response, count);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const waits: number[] = [];
  const redact = redactor([...keysOf([credentials]), credentials.accessId]);
  const client = new Client({
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    timeout: 500,
    redact,
    leaks: (text) => redact(text) !== text,
    pass: () => Promise.resolve(),
    patience: (milliseconds) => waits.push(milliseconds),
  });
  try {
    await use(client, waits);
  } finally {
    await client.dispose();
    server.closeAllConnections();
    server.close();
  }
}

const ok = (response: ServerResponse) => response.end('{}');

test.describe('redaction', () => {
  const redact = redactor([...keysOf([credentials]), credentials.accessId]);
  const pair = `${credentials.accessId}:${credentials.accessKey}`;
  const spellings = {
    clear: credentials.accessKey,
    Base64: Buffer.from(pair).toString('base64'),
    base64url: Buffer.from(pair).toString('base64url'),
    'the key in Base64': Buffer.from(credentials.accessKey).toString('base64'),
    'percent-encoding': encodeURIComponent(credentials.accessKey),
    'a form': new URLSearchParams({ key: credentials.accessKey }).toString().slice(4),
    JSON: JSON.stringify(credentials.accessKey).slice(1, -1),
    'the accessId': credentials.accessId,
  };
  for (const [what, text] of Object.entries(spellings)) {
    test(`masks ${what}`, () => {
      expect(redact(`a ${text} b`)).not.toContain(text);
      expect(redact(`a ${text} b`)).toContain(MASK);
    });
  }

  test('leaves other text and short credentials', () => {
    expect(redact('nothing here')).toBe('nothing here');
    expect(keysOf([{ accessId: 'x', accessKey: 'short' }])).toEqual([]);
    expect(tooShort({ accessId: 'x', accessKey: 'short' })).toEqual(['TRUSTLY_ACCESS_ID', 'TRUSTLY_ACCESS_KEY']);
  });
});

test.describe('the client', () => {
  test('sends credentials, and shows none of them', async () => {
    let seen: string | undefined;
    await withServer(
      (incoming, response) => {
        seen = incoming.headers.authorization;
        response.setHeader('X-Echo', credentials.accessKey).end(JSON.stringify({ echo: credentials.accessKey }));
      },
      async (client) => {
        const answer = await client.send({ body: { a: "it's" }, authorization });
        expect(seen).toBe(`Basic ${Buffer.from(`${credentials.accessId}:${credentials.accessKey}`).toString('base64')}`);
        expect(answer.leaks).toBe(true);
        expect(redactedText(answer.exchange)).toBe(true);
        expect(curl(answer.exchange)).toContain('-u "$TRUSTLY_ACCESS_ID:$TRUSTLY_ACCESS_KEY"');
        expect(curl(answer.exchange)).toContain(`--data-raw '{"a":"it'\\''s"}'`);
      },
    );
  });

  test('sends no Authorization where there is none, and percent-encodes the query', async () => {
    let seen: IncomingMessage | undefined;
    await withServer(
      (incoming, response) => {
        seen = incoming;
        ok(response);
      },
      async (client) => {
        await client.send({ method: 'GET', query: { externalId: 'a+b c&é' }, authorization: anonymous });
        expect(seen?.headers.authorization).toBeUndefined();
        expect(seen?.url).toBe('/customers?externalId=a%2Bb%20c%26%C3%A9');
      },
    );
  });

  test('reuses connections, and repeats a reset on a reused one once', async () => {
    const ports = new Set<number | undefined>();
    await withServer(
      (incoming, response, count) => {
        ports.add(incoming.socket.remotePort);
        if (count === 3) incoming.socket.destroy();
        else ok(response);
      },
      async (client) => {
        for (let count = 0; count < 10; count += 1) expect((await client.send({ body: {}, authorization })).status).toBe(200);
        // Two in turn: a connection is free again a moment after its answer was read.
        expect(ports.size).toBeLessThanOrEqual(4);
      },
    );
  });

  test('undoes the content coding that it asks for', async () => {
    await withServer(
      (incoming, response) => {
        expect(incoming.headers['accept-encoding']).toContain('gzip');
        response.setHeader('Content-Encoding', 'gzip').end(gzipSync('{"coded":true}'));
      },
      async (client) => expect((await client.send({ body: {}, authorization })).json).toEqual({ coded: true }),
    );
  });

  test('goes through the proxy that Node’s own variables name', async () => {
    const seen: string[] = [];
    const proxy = createServer().on('connect', (incoming, socket) => {
      seen.push(incoming.url ?? '');
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    process.env.HTTP_PROXY = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    try {
      await withServer(
        (_incoming, response) => ok(response),
        async (client) => {
          expect((await client.send({ body: {}, authorization })).unanswered).toBe(true);
          expect(seen).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+$/)]);
        },
      );
    } finally {
      delete process.env.HTTP_PROXY;
      proxy.close();
    }
  });

  test('repeats no reset on a fresh connection', async () => {
    let requests = 0;
    await withServer(
      (incoming, _response, count) => {
        requests = count;
        incoming.socket.destroy();
      },
      async (client) => {
        const answer = await client.send({ body: {}, authorization });
        expect(answer.unanswered).toBe(true);
        expect(requests).toBe(1);
        expect(answer.exchange.error).toMatch(/other side closed|ECONNRESET/);
        expect(redactedText(answer.exchange)).toBe(true);
      },
    );
  });

  test('tells a hang in one line', async () => {
    await withServer(
      () => undefined,
      async (client) => {
        const answer = await client.send({ body: {}, authorization });
        expect(answer.exchange.error).toBe('no answer within 500 ms');
      },
    );
  });

  test('follows no redirect', async () => {
    await withServer(
      (_incoming, response) => response.writeHead(302, { Location: '/elsewhere' }).end(),
      async (client) => {
        expect((await client.send({ body: {}, authorization })).status).toBe(302);
      },
    );
  });

  for (const [what, value, wait] of [
    ['in seconds', '0', 0],
    ['as a date that is over', 'Mon, 01 Jan 2024 00:00:00 GMT', 0],
    ['not at all', undefined, 1000],
  ] as const) {
    test(`obeys a 429 whose Retry-After is given ${what}`, async () => {
      await withServer(
        (_incoming, response, count) => {
          if (count > 1) ok(response);
          else response.writeHead(429, value === undefined ? {} : { 'Retry-After': value }).end();
        },
        async (client, waits) => {
          expect((await client.send({ body: {}, authorization })).status).toBe(200);
          expect(waits).toEqual([wait]);
        },
      );
    });
  }
});

/** Whether no spelling of the credentials stands in what is recorded. */
function redactedText(exchange: object): boolean {
  const text = JSON.stringify(exchange);
  return !text.includes('s3cret') && !text.includes(Buffer.from(credentials.accessId).toString('base64').slice(0, 12));
}
