import { Agent, createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import type { Serve } from './target.ts';
import { type Answer, bytes, head, withField } from './wire.ts';

/** A request as it came. */
export type Asked = {
  /** Its number, from 1. */
  count: number;
  /** Milliseconds since the first request. */
  since: number;
  method: string;
  /** Path and query, as in the request line. */
  path: string;
  headers: IncomingHttpHeaders;
  /** Names and values in turn, as they came. */
  rawHeaders: readonly string[];
  body: Buffer;
};

/** A request, the server behind, and the way back to the client. */
export type Exchange = {
  asked: Asked;
  /** Sends the request, or the one given in its place, to the server behind. */
  forward: (asked?: Pick<Asked, 'path' | 'body'>) => Promise<Answer>;
  /** The client's connection: for whoever writes an answer byte by byte. */
  socket: Socket;
  /** The answer of node:http, for whoever streams one. */
  response: ServerResponse;
  /** What this server remembers from one exchange to the next; empty at first. */
  memory: Set<string>;
  /** Notes a request that a careful client never sends. */
  accuse: (offence: string) => void;
};

/** Answers one request; `undefined` if it wrote to the connection itself. */
export type Respond = (exchange: Exchange) => Answer | undefined | Promise<Answer | undefined>;

/** Changes an answer of the server behind; `undefined` if it wrote to the connection itself. */
export type Spoil = (answer: Answer, exchange: Exchange) => Answer | undefined | Promise<Answer | undefined>;

const HOST = '127.0.0.1';
const BASE_PATH = '/api/v1';
// The proxy frames the forwarded request itself.
const HOP_BY_HOP = ['connection', 'keep-alive', 'content-length', 'transfer-encoding', 'expect'];

/** Answers every request the way `respond` does. */
export const answering =
  (respond: Respond): Serve =>
  async (upstream) => {
    const memory = new Set<string>();
    const agent = new Agent({ keepAlive: true });
    const offences: string[] = [];
    let count = 0;
    let first = 0;
    const server = createServer({ maxHeaderSize: 1024 * 1024 }, async (incoming, response) => {
      count += 1;
      first ||= Date.now();
      const asked = { count, since: Date.now() - first };
      try {
        await reply({ ...asked, ...(await read(incoming)) }, incoming.socket, response);
      } catch (error) {
        // A client that hangs up early is no fault of the proxy.
        if (!incoming.socket.destroyed) offences.push(`the proxy itself failed: ${error}`);
        incoming.socket.destroy();
      }
    });
    const reply = async (asked: Asked, socket: Socket, response: ServerResponse) => {
      const forward: Exchange['forward'] = (changed) => send(upstream, agent, { ...asked, ...changed });
      const answer = await respond({ asked, forward, socket, response, memory, accuse: (offence) => offences.push(offence) });
      if (!answer || socket.destroyed) return;
      const content = asked.method === 'HEAD' ? Buffer.alloc(0) : answer.body;
      // An earlier answer on this connection was written byte by byte: node:http still waits for its end.
      if (response.socket === null) socket.end(bytes(head(answer), content));
      else response.writeHead(answer.status, answer.headers.flat()).end(content);
    };
    const { port, close } = await listen(server);
    return {
      baseUrl: `http://${HOST}:${port}${BASE_PATH}`,
      requests: () => count,
      offences: () => offences,
      close: async () => {
        server.closeAllConnections();
        await close();
        agent.destroy();
      },
    };
  };

/** Hands every request on and spoils the answers. */
export const spoiling = (spoil: Spoil): Serve => answering(async (exchange) => spoil(await exchange.forward(), exchange));

/** Serves TCP connections, which need not speak HTTP. */
export const tcp =
  (serve: (socket: Socket) => void, { allowHalfOpen = false } = {}): Serve =>
  async () => {
    let count = 0;
    const { port, close } = await listen(
      createTcpServer({ allowHalfOpen }, (socket) => {
        count += 1;
        serve(socket);
      }),
    );
    return { baseUrl: `http://${HOST}:${port}${BASE_PATH}`, requests: () => count, close };
  };

async function listen(server: Server): Promise<{ port: number; close: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    // Clients hang up in the middle of most of these answers.
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => resolve());
    });
  return { port: (server.address() as AddressInfo).port, close };
}

async function read(incoming: IncomingMessage): Promise<Omit<Asked, 'count' | 'since'>> {
  const { method = 'GET', url: path = '/', headers, rawHeaders } = incoming;
  return { method, path, headers, rawHeaders, body: await collect(incoming) };
}

async function collect(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function send(upstream: string, agent: Agent, { method, path, rawHeaders, body }: Asked): Promise<Answer> {
  const fields = pairs(rawHeaders).filter(([name]) => !HOP_BY_HOP.includes(name.toLowerCase()));
  if (method === 'POST' || body.length > 0) fields.push(['Content-Length', String(body.length)]);
  const { port } = new URL(upstream);
  return new Promise((resolve, reject) => {
    // As a flat list, repeated fields stay as they came.
    request({ host: HOST, port, method, path, agent, headers: fields.flat() }, async (message) => {
      try {
        const headers = pairs(message.rawHeaders).filter(([name]) => !HOP_BY_HOP.includes(name.toLowerCase()));
        const content = await collect(message);
        resolve({ status: message.statusCode ?? 0, headers: withField(headers, 'Content-Length', String(content.length)), body: content });
      } catch (error) {
        reject(error);
      }
    })
      .on('error', reject)
      .end(body);
  });
}

function pairs(list: readonly string[]): [string, string][] {
  return list.flatMap((name, index) => (index % 2 === 0 ? [[name, list[index + 1] ?? ''] as [string, string]] : []));
}
