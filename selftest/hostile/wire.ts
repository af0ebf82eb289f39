import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

/** An answer that node:http can write. */
export type Answer = { status: number; headers: [string, string][]; body: Buffer };

/** Header fields in which one has this value and no other. */
export function withField(headers: readonly [string, string][], name: string, value: string): [string, string][] {
  return [...withoutField(headers, name), [name, value]];
}

/** Header fields without one. */
export function withoutField(headers: readonly [string, string][], name: string): [string, string][] {
  return headers.filter(([other]) => other.toLowerCase() !== name.toLowerCase());
}

/** An answer with another body, and the Content-Length of it. */
export function withBody(answer: Answer, body: string | Buffer): Answer {
  const content = Buffer.from(body as string);
  return { ...answer, body: content, headers: withField(answer.headers, 'Content-Length', String(content.length)) };
}

/** An answer of JSON. */
export function json(status: number, content: unknown, ...headers: [string, string][]): Answer {
  return withBody({ status, headers: [['Content-Type', 'application/json'], ...headers], body: Buffer.alloc(0) }, JSON.stringify(content));
}

/** The lines of an answer's head, with `Connection: close`. */
export function head({ status, headers }: Answer, statusLine = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}`): string[] {
  return [statusLine, ...withField(headers, 'Connection', 'close').map(([name, value]) => `${name}: ${value}`)];
}

/** The bytes of an answer, written as given: node:http would refuse most of what is sent here. */
export function bytes(lines: readonly string[], body: string | Buffer = ''): Buffer {
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(body as string)]);
}

/** Writes an answer byte by byte and ends the connection. */
export function end(socket: Socket, lines: readonly string[], body: string | Buffer = ''): undefined {
  socket.end(bytes(lines, body));
}

/** Writes chunk after chunk, as quickly as they are read, until the client hangs up. */
export function flood(socket: Socket, chunk: Buffer): undefined {
  const write = () => {
    while (!socket.destroyed) if (!socket.write(chunk)) return;
  };
  socket.on('drain', write);
  write();
}
