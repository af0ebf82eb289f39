import { randomBytes } from 'node:crypto';
import type { AddressInfo, Socket } from 'node:net';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { type Answer, type Behaviour, type Context, conforming, type Merchant, type Request } from './behaviour.ts';
import { contentTooLarge, invalid, methodNotAllowed, notFound, Refusal, unsupportedMediaType } from './refusal.ts';
import { Store } from './store.ts';

/** A behaviour and where it is served. Each mount has a store of its own. */
export interface Mount {
  /** The path before `/customers`, such as `/broken-17/api/v1`. */
  basePath: string;
  behaviour: Behaviour;
}

/** What a sandbox serves. */
export interface SandboxOptions {
  merchants: readonly Merchant[];
  /** The conforming behaviour under `/api/v1` by default. */
  mounts?: readonly Mount[];
  /** The time source, in milliseconds since 1970. */
  now?: () => number;
}

/** A sandbox that listens. */
export interface Sandbox {
  /** The base URL of the first mount. */
  baseUrl: string;
  /** Scheme, host and port, before any mount's base path. */
  origin: string;
  merchants: readonly Merchant[];
  /** Stops listening and closes every connection. */
  close(): Promise<void>;
}

const HOST = '127.0.0.1';
const CONTENT_LIMIT = 1024 * 1024;
const DEFAULT_MOUNTS: readonly Mount[] = [{ basePath: '/api/v1', behaviour: conforming }];

/** Makes a Fastify instance that serves the mounts; it does not listen yet. */
export function createSandbox({ merchants, mounts = DEFAULT_MOUNTS, now = Date.now }: SandboxOptions): FastifyInstance {
  const app = fastify({
    forceCloseConnections: true,
    return503OnClosing: false,
    // No path is too long for a parameter: node:http bounds it.
    routerOptions: { maxParamLength: 1024 * 1024 },
    clientErrorHandler: (error, socket) => refuseMalformed(error, socket, now),
    // A path that cannot be decoded has no route and thus no hooks: its mount is found here.
    frameworkErrors: (_error, request, reply) => {
      const mount = mounts.find(({ basePath }) => request.url.startsWith(`${basePath}/`));
      const { authenticate, refuse } = mount?.behaviour ?? conforming;
      let refusal = invalid('Invalid path: must be percent-encoded UTF-8');
      try {
        if (mount) authenticate(request.headers.authorization, merchants);
      } catch (error) {
        refusal = toRefusal(error);
      }
      send(reply, refuse(refusal, now));
    },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', readContent);
  app.setErrorHandler((error, _request, reply) => send(reply, conforming.refuse(toRefusal(error), now)));
  app.setNotFoundHandler(() => {
    throw notFound();
  });
  for (const { basePath, behaviour } of mounts) {
    app.register(
      (scope, _options, done) => {
        serve(scope, behaviour, merchants, now);
        done();
      },
      { prefix: basePath },
    );
  }
  return app;
}

/** Starts a sandbox on 127.0.0.1: on a free port and with two merchants of its own, unless told otherwise. */
export async function startSandbox({ port = 0, ...options }: Partial<SandboxOptions> & { port?: number } = {}): Promise<Sandbox> {
  const { merchants = [newMerchant('1002463580'), newMerchant('1002463581')], mounts = DEFAULT_MOUNTS } = options;
  const app = createSandbox({ ...options, merchants, mounts });
  await app.listen({ host: HOST, port });
  const origin = `http://${HOST}:${(app.server.address() as AddressInfo).port}`;
  return { baseUrl: `${origin}${mounts[0]?.basePath ?? ''}`, origin, merchants, close: () => app.close() };
}

function newMerchant(merchantId: string): Merchant {
  const random = () => randomBytes(18).toString('base64url');
  return { accessId: `sandbox-${random()}`, accessKey: `sandbox-${random()}`, merchantId };
}

/** The routes of one mount. */
function serve(scope: FastifyInstance, behaviour: Behaviour, merchants: readonly Merchant[], now: () => number): void {
  const store = new Store();
  const authenticated = new WeakMap<FastifyRequest, Merchant>();

  const contextOf = (request: FastifyRequest): Context => {
    const merchant = authenticated.get(request);
    if (!merchant) throw new Error('A request reached its operation before it was authenticated');
    return { behaviour, store, merchant, now };
  };

  // Before the content is read, and where there is no such route too.
  scope.addHook('onRequest', (request, _reply, done) => {
    authenticated.set(request, behaviour.authenticate(request.headers.authorization, merchants));
    if (request.is404) throw unrouted(request.url.slice(scope.prefix.length));
    done();
  });
  scope.setErrorHandler((error, _request, reply) => send(reply, behaviour.refuse(toRefusal(error), now)));
  // Its hook refuses first; it makes unknown paths run the hooks of this mount.
  scope.setNotFoundHandler(() => {
    throw notFound();
  });

  scope.post('/customers', async (request, reply) => send(reply, await behaviour.upsert(toRequest(request), contextOf(request))));
  scope.get('/customers', async (request, reply) => send(reply, await behaviour.readList(toRequest(request), contextOf(request))));
  scope.get<{ Params: { customerId: string } }>('/customers/:customerId', async (request, reply) =>
    send(reply, await behaviour.readOne(request.params.customerId, contextOf(request))),
  );
}

function toRequest({ url, headers, body }: FastifyRequest): Request {
  const [, query = ''] = /\?(.*)/s.exec(url) ?? [];
  return { query, headers, body: Buffer.isBuffer(body) ? body : Buffer.alloc(0) };
}

/** Why no route takes the request: its path, or only its method. */
function unrouted(url: string): Refusal {
  if (/^\/customers(\?|$)/.test(url)) return methodNotAllowed('GET, HEAD, POST');
  if (/^\/customers\/[^/?]+(\?|$)/.test(url)) return methodNotAllowed('GET, HEAD');
  return notFound();
}

/** Reads the content to its end, even where it is too large: a client still writing would not read an early answer. */
function readContent(_request: FastifyRequest, content: NodeJS.ReadableStream, done: (error: Error | null, body?: Buffer) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  content.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length <= CONTENT_LIMIT) chunks.push(chunk);
  });
  content.on('error', done);
  content.on('end', () => (length > CONTENT_LIMIT ? done(contentTooLarge(CONTENT_LIMIT)) : done(null, Buffer.concat(chunks))));
}

/** The refusal for whatever was thrown: by a step, by Fastify, or by a mistake in this server. */
function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const status = (error as { statusCode?: number }).statusCode ?? 500;
  if (status === 415) return unsupportedMediaType();
  if (status >= 400 && status < 500) return invalid('Invalid request');
  console.error(error);
  return new Refusal({ status: 500, exception: 'InternalException', code: 100, message: 'Internal error' });
}

function send(reply: FastifyReply, { status, headers, content }: Answer): FastifyReply {
  if (status === 0) {
    reply.hijack().raw.destroy();
    return reply;
  }
  return reply.code(status).headers(headers).send(content);
}

/** Answers what node:http could not parse as a request. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket, now: () => number): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = { ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout', HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large' };
  const line = status[error.code as keyof typeof status] ?? '400 Bad Request';
  const { headers, content } = conforming.refuse(invalid('Invalid request: must be HTTP/1.1'), now);
  const fields = Object.entries({ ...headers, 'Content-Length': Buffer.byteLength(content), Connection: 'close' });
  const head = [`HTTP/1.1 ${line}`, ...fields.map(([name, value]) => `${name}: ${value}`)];
  socket.end(`${head.join('\r\n')}\r\n\r\n${content}`);
}
