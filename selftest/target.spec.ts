import { mkdtempSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { expect, test } from '@playwright/test';
import { anonymous, merchant } from '../target/authorization.ts';
import { Client, type ClientOptions } from '../target/client.ts';
import { curl } from '../target/exchange.ts';
import { Ledger, readLedger } from '../target/ledger.ts';
import { detector, MASK, redactor, secretsOf } from '../target/redaction.ts';

const credentials = { accessId: 'the-access-id', accessKey: 's3cret+key/ÿ"=' };
const authorization = merchant(credentials);

/** A client of a server at this port, and what it was made to wait. */
async function withClient(
  port: number,
  use: (client: Client, waits: string[]) => Promise<void>,
  more: Partial<ClientOptions> = {},
): Promise<void> {
  const waits: string[] = [];
  const { keys, all } = secretsOf([credentials]);
  const client = new Client({
    baseUrl: `http://127.0.0.1:${port}`,
    timeout: 500,
    redact: redactor(all),
    leaks: detector(keys),
    pass: () => Promise.resolve(),
    wait: (milliseconds, status) => {
      waits.push(`${status} ${milliseconds}`);
      return Promise.resolve();
    },
    ...more,
  });
  try {
    await use(client, waits);
  } finally {
    client.dispose();
  }
}

/** A client of a server that handles each request in turn. */
async function withServer(
  handle: (request: IncomingMessage, response: ServerResponse, count: number) => void,
  use: (client: Client, waits: string[]) => Promise<void>,
  more: Partial<ClientOptions> = {},
) {
  let count = 0;
  const server: Server = createServer((incoming, response) => {
    count += 1;
    handle(incoming.resume(), response, count);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await withClient((server.address() as AddressInfo).port, use, more);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** A client of a server that answers the head of every request with these bytes, and then ends the connection or not. */
async function withBytes(
  bytes: string | Buffer,
  use: (client: Client, connections: () => number) => Promise<void>,
  { ends = true }: { ends?: boolean } = {},
): Promise<void> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createTcpServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined).on('data', () => (ends ? socket.end(bytes) : socket.write(bytes)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await withClient((server.address() as AddressInfo).port, (client) => use(client, () => connections));
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

const ok = (response: ServerResponse) => response.end('{}');

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
        for (let count = 0; count < 10; count += 1) expect((await client.send({ body: {}, authorization })).status()).toBe(200);
        // Two in turn: a connection is free again a moment after its answer was read.
        expect(ports.size).toBeLessThanOrEqual(4);
      },
    );
  });

  for (const [coding, content] of [
    ['gzip', gzipSync('{"coded":true}')],
    ['x-gzip', gzipSync('{"coded":true}')],
    ['GZIP', gzipSync('{"coded":true}')],
    ['br', brotliCompressSync('{"coded":true}')],
    ['deflate', deflateSync('{"coded":true}')],
    ['deflate', deflateRawSync('{"coded":true}')],
    ['identity', Buffer.from('{"coded":true}')],
    ['gzip, br', brotliCompressSync(gzipSync('{"coded":true}'))],
  ] as const) {
    test(`undoes the content coding ${coding} (${content.length} bytes)`, async () => {
      await withServer(
        (incoming, response) => {
          expect(incoming.headers['accept-encoding']).toBe('gzip, deflate, br');
          response.setHeader('Content-Encoding', coding).end(content);
        },
        async (client) => expect((await client.send({ body: {}, authorization })).json()).toEqual({ coded: true }),
      );
    });
  }

  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  for (const [what, coding, content, error] of [
    ['a bomb', 'gzip', bomb, 'the body of a 200 is larger than 4 MiB'],
    ['a bomb in a bomb', 'gzip, gzip', gzipSync(bomb), 'the body of a 200 is larger than 4 MiB'],
    ['plain text as gzip', 'gzip', Buffer.from('{}'), 'the body of a 200 is not encoded as its Content-Encoding says (gzip)'],
    ['half a gzip', 'gzip', gzipSync('{"a":1}').subarray(0, 12), 'the body of a 200 is not encoded as its Content-Encoding says (gzip)'],
    [
      'a coding that was not asked for',
      'zstd',
      Buffer.from('x'),
      'the body of a 200 has the content coding "zstd", which the request did not accept',
    ],
    ['ten codings', Array(10).fill('gzip').join(), Buffer.from('x'), 'the body of a 200 has 10 content codings'],
    ['5 MB', 'identity', Buffer.alloc(5_000_000, 'x'), 'the body of a 200 is larger than 4 MiB'],
  ] as const) {
    test(`calls a body malformed that is ${what}`, async () => {
      await withServer(
        (_incoming, response) => response.setHeader('Content-Encoding', coding).end(content),
        async (client) => {
          const answer = await client.send({ body: {}, authorization });
          expect(String(answer)).toBe(error);
          expect(answer).toMatchObject({ malformed: true, noResponse: false });
          expect([answer.ok(), answer.status()]).toEqual([false, 0]);
        },
      );
    });
  }

  const head = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';
  for (const [what, bytes, error] of [
    ['breaks off in its body', `${head}Content-Length: 50\r\n\r\n{"a":`, 'the body of a 200 was cut off after 5 bytes'],
    ['breaks off in a chunk', `${head}Transfer-Encoding: chunked\r\n\r\n32\r\n{"a":`, 'the body of a 200 was cut off after 5 bytes'],
    ['breaks off in its head', 'HTTP/1.1 200 OK\r\nCont', 'the answer was cut off after 21 bytes, in its header section'],
    ['has the status 099', 'HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n', '99 is not a valid response status'],
    ['is no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n', /^the answer is not valid HTTP\/1\.1/],
    ['has two lengths', `${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`, /^the answer is not valid HTTP\/1\.1/],
    ['has a head of 1 MB', `${head}X: ${'x'.repeat(1_000_000)}\r\n\r\n`, 'the header section of the answer is larger than 512 kB'],
  ] as const) {
    test(`calls an answer malformed that ${what}, and sends the request once`, async () => {
      await withBytes(bytes, async (client, connections) => {
        const answer = await client.send({ body: {}, authorization });
        if (typeof error === 'string') expect(String(answer)).toBe(error);
        else expect(String(answer)).toMatch(error);
        expect(answer).toMatchObject({ malformed: true, noResponse: false });
        expect(connections()).toBe(1);
      });
    });
  }

  test('calls a body malformed that has no end', async () => {
    await withBytes(
      `${head}Content-Length: 50\r\n\r\n{"a":`,
      async (client) => expect(String(await client.send({ body: {}, authorization }))).toBe('the body of a 200 did not end within 500 ms'),
      { ends: false },
    );
  });

  for (const informational of ['100 Continue', '102 Processing', '103 Early Hints']) {
    test(`takes an unasked ${informational} for no answer`, async () => {
      await withBytes(`HTTP/1.1 ${informational}\r\n\r\n${head}Content-Length: 2\r\n\r\n{}`, async (client) => {
        expect((await client.send({ body: {}, authorization })).status()).toBe(200);
      });
    });
  }

  test('asks loopback itself, whatever proxy the environment names', async () => {
    process.env.HTTP_PROXY = 'http://127.0.0.1:9';
    try {
      await withServer(
        (_incoming, response) => ok(response),
        async (client) => expect((await client.send({ body: {}, authorization })).status()).toBe(200),
      );
    } finally {
      delete process.env.HTTP_PROXY;
    }
  });

  test('goes through the proxy that the environment names, for a host elsewhere', async () => {
    const seen: string[] = [];
    const proxy = createServer((incoming, response) => {
      seen.push(`${incoming.url} ${incoming.headers['proxy-authorization']}`);
      response.end('{}');
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    process.env.HTTP_PROXY = `http://user:secret@127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    try {
      await withClient(9, async (client) => expect((await client.send({ body: {}, authorization })).status()).toBe(200), {
        baseUrl: 'http://10.1.2.3/api',
      });
      expect(seen).toEqual([`http://10.1.2.3/api/customers Basic ${Buffer.from('user:secret').toString('base64')}`]);
    } finally {
      delete process.env.HTTP_PROXY;
      proxy.closeAllConnections();
      proxy.close();
    }
  });

  for (const scheme of ['http', 'https']) {
    test(`takes the refusal of a proxy for none of the target's, by ${scheme}`, async () => {
      const proxy = createServer((_incoming, response) => response.writeHead(407).end());
      proxy.on('connect', (_incoming, socket) => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n'));
      await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
      const variable = `${scheme.toUpperCase()}_PROXY`;
      process.env[variable] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
      try {
        const send = async (client: Client) => {
          const answer = await client.send({ body: {}, authorization });
          expect(answer.noResponse).toBe(true);
          expect(String(answer)).toMatch(/^the proxy answers 407 Proxy Authentication Required instead of the target/);
        };
        await withClient(9, send, { baseUrl: `${scheme}://10.1.2.3/api` });
      } finally {
        delete process.env[variable];
        proxy.closeAllConnections();
        proxy.close();
      }
    });
  }

  test('names itself, and sends the extra headers that curl takes from their variables', async () => {
    let seen: IncomingMessage | undefined;
    await withServer(
      (incoming, response) => {
        seen = incoming;
        ok(response);
      },
      async (client) => {
        const answer = await client.send({ body: {}, authorization });
        expect(seen?.headers).toMatchObject({ 'user-agent': 'trustly-customers-conformance/1.0.0', 'x-api-key': 'gateway-key' });
        expect(curl(answer.exchange)).toContain('-H "X-Api-Key: $TRUSTLY_HEADER_X_API_KEY"');
        expect(JSON.stringify(answer.exchange)).not.toContain('gateway-key');
      },
      { headers: [{ variable: 'TRUSTLY_HEADER_X_API_KEY', name: 'X-Api-Key', value: 'gateway-key' }] },
    );
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
        expect(answer.noResponse).toBe(true);
        expect(requests).toBe(1);
        expect(answer.exchange.error).toBe('the connection was closed before an answer came');
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
        expect((await client.send({ body: {}, authorization })).status()).toBe(302);
      },
    );
  });

  const past = 'Mon, 01 Jan 2024 00:00:00 GMT';
  for (const [what, status, value, waits] of [
    ['of no seconds', 429, '0', ['429 250', '429 500', '429 1000']],
    ['of a thousandth', 429, '0.001', ['429 250', '429 500', '429 1000']],
    ['below zero', 429, '-5', ['429 1000', '429 1000', '429 1000']],
    ['in the past', 429, past, ['429 250', '429 500', '429 1000']],
    ['of two seconds', 429, '2', ['429 2000', '429 2000', '429 2000']],
    ['given twice', 429, ['0', '3'], ['429 3000', '429 3000', '429 3000']],
    ['not given', 429, undefined, ['429 1000', '429 1000', '429 1000']],
    ['not given, of a 503', 503, undefined, ['503 250', '503 500', '503 1000']],
    ['of two seconds, of a 503', 503, '2', ['503 2000', '503 2000', '503 2000']],
  ] as const) {
    test(`waits longer each time after a Retry-After ${what}`, async () => {
      await withServer(
        (_incoming, response, count) => {
          if (count > 3) ok(response);
          else response.writeHead(status, value === undefined ? {} : { 'Retry-After': value as string | string[] }).end();
        },
        async (client, seen) => {
          expect((await client.send({ body: {}, authorization })).status()).toBe(200);
          expect(seen).toEqual(waits);
        },
      );
    });
  }

  for (const [what, statuses, isCreated] of [
    ['created, by a 200', [200], true],
    ['perhaps created, by a 500', [500], true],
    ['not created, by a 400', [400], false],
    ['not created, by a 400 after a 429', [429, 400], false],
    ['perhaps created, by a 400 after a 503', [503, 400], true],
    // A 0 closes the connection, which was used before.
    ['perhaps created, by a 400 after the connection was lost', [0, 400], true],
  ] as const) {
    test(`tells that a customer was ${what}`, async () => {
      const path = join(mkdtempSync(join(tmpdir(), 'ledger-')), 'ledger.jsonl');
      const ledger = new Ledger(path, String);
      await withServer(
        (incoming, response, count) => {
          const status = count === 1 ? 200 : (statuses[count - 2] ?? 200);
          if (status === 0) incoming.socket.destroy();
          else response.writeHead(status).end('{}');
        },
        async (client) => {
          await client.send({ method: 'GET', authorization });
          const { created } = await client.send({ body: { externalId: '7' }, authorization });
          const customer = { customerId: null, externalId: '7' };
          expect(created).toEqual(isCreated ? customer : undefined);
          expect(readLedger(path)).toEqual(isCreated ? [customer] : []);
        },
        { record: (request) => ledger.record(request) },
      );
      ledger.close();
    });
  }

  test('records no credentials that a target gave for an identifier', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'ledger-')), 'ledger.jsonl');
    const ledger = new Ledger(path, redactor(secretsOf([credentials]).all));
    await withServer(
      (_incoming, response) => response.end(JSON.stringify({ customer: { customerId: credentials.accessKey } })),
      async (client) => {
        await client.send({ body: { customerId: credentials.accessKey, externalId: credentials.accessId }, authorization });
        await client.send({ body: {}, query: { externalId: credentials.accessKey }, authorization });
      },
      { record: (request) => ledger.record(request) },
    );
    ledger.close();
    expect(redactedText({ journal: readFileSync(path, 'utf8') })).toBe(true);
    expect(readLedger(path)).toEqual([{ customerId: MASK, externalId: MASK }]);
  });

  test('takes a fourth 503 for the answer', async () => {
    await withServer(
      (_incoming, response) => response.writeHead(503).end(),
      async (client, waits) => {
        const answer = await client.send({ body: {}, authorization });
        expect([answer.status(), answer.repeats]).toEqual([503, 3]);
        expect(waits).toHaveLength(3);
      },
    );
  });
});

/** Whether no spelling of the credentials stands in what is recorded. */
function redactedText(exchange: object): boolean {
  const text = JSON.stringify(exchange);
  return !text.includes('s3cret') && !text.includes(Buffer.from(credentials.accessId).toString('base64').slice(0, 12));
}
