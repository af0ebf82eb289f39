import { type Agent, type ClientRequest, type IncomingMessage, request as requestHttp, STATUS_CODES } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Body, MalformedBody } from './body.ts';
import type { Exchange } from './exchange.ts';
import { SettingsError } from './settings.ts';

/** Bytes that the head of a response may have. */
const HEAD = 512 * 1024;

/** Headers as they are sent. */
export type RequestHeaders = Record<string, string | number>;

/** The result of a request. `lost`: a reused connection was closed before anything came back. */
export type ExchangeResult = Pick<Exchange, 'response' | 'error' | 'malformed'> & { lost?: boolean };

/** A request on one connection. */
type ExchangeOptions = {
  method: string;
  url: string;
  headers: RequestHeaders;
  data: Buffer | undefined;
  agent: Agent;
  /** The connection is new: its loss is not that of a reused one. */
  fresh: boolean;
  /** Milliseconds that the whole exchange may take. */
  timeout: number;
  /** A proxy may answer in the target's place. */
  proxied: boolean;
};

/** Sends one request and reports the result: a response, no response, or a response that no client can read. */
export class HttpExchange {
  /** Rejects with SettingsError if the host is not allowed. */
  readonly result: Promise<ExchangeResult>;
  readonly #options: ExchangeOptions;
  readonly #request: ClientRequest;
  readonly #timer: NodeJS.Timeout;
  #resolve: (result: ExchangeResult) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #response: IncomingMessage | undefined;
  #body: Body | undefined;
  /** Bytes that the connection had received before this request. */
  #received = 0;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#request = open(options);
    this.#timer = setTimeout(() => this.#timeOut(), options.timeout);
    this.#request.once('socket', (socket) => {
      this.#received = socket.bytesRead;
    });
    this.#request.on('error', (error) => this.#fail(error));
    // HttpProxyAgent has this event too, without a status: it connects to no target.
    this.#request.on('proxyConnect', ({ statusCode = 200 }: { statusCode?: number }) => {
      if (statusCode !== 200) this.#refuseByProxy(statusCode);
    });
    // A switch of protocols was not asked for.
    this.#request.on('upgrade', (response, socket) => {
      socket.destroy();
      this.#finish({ response: { ...headOf(response), body: '' } });
    });
    this.#request.on('response', (response) => this.#read(response));
    this.#request.end(options.data);
  }

  #finish(result: ExchangeResult): void {
    clearTimeout(this.#timer);
    this.#resolve(result);
    // What is left of a message that was given up is of no use to the next request on the connection.
    if (result.error !== undefined || this.#response?.complete === false) this.#request.destroy();
  }

  #malformed(error: string): void {
    const response = this.#response && { ...headOf(this.#response), body: this.#body?.excerpt ?? '' };
    this.#finish({ error, malformed: true, ...(response && { response }) });
  }

  #timeOut(): void {
    const { timeout } = this.#options;
    if (this.#response) this.#malformed(`the body of a ${this.#response.statusCode} did not end within ${timeout} ms`);
    else this.#finish({ error: `no answer within ${timeout} ms` });
  }

  /** What a proxy answers in the target's place is not the target's. */
  #refuseByProxy(status: number): void {
    const answer = `${status} ${STATUS_CODES[status] ?? ''}`;
    this.#finish({ error: `the proxy answers ${answer} instead of the target; see HTTP_PROXY, HTTPS_PROXY and NO_PROXY` });
  }

  #fail(error: NodeJS.ErrnoException): void {
    const bytes = (this.#request.socket?.bytesRead ?? 0) - this.#received;
    const isReset = /ECONNRESET|EPIPE|ECONNABORTED/.test(error.code ?? '');
    if (error.code === 'EHOSTNOTALLOWED') this.#reject(new SettingsError(error.message));
    else if (this.#response)
      this.#malformed(`the body of a ${this.#response.statusCode} was cut off after ${this.#body?.length ?? 0} bytes`);
    else if (error.code?.startsWith('HPE_')) this.#malformed(parseError(error));
    else if (bytes > 0) this.#malformed(`the answer was cut off after ${bytes} bytes, in its header section`);
    else this.#finish({ error: networkError(error), lost: !this.#options.fresh && this.#request.reusedSocket && isReset });
  }

  #read(response: IncomingMessage): void {
    this.#response = response;
    const { statusCode = 0 } = response;
    if (this.#options.proxied && statusCode === 407) this.#refuseByProxy(statusCode);
    // RFC 9110, section 15: nothing else has a meaning.
    else if (statusCode < 200 || statusCode > 599) this.#malformed(`${statusCode} is not a valid response status`);
    else this.#readBody(response);
  }

  #readBody(response: IncomingMessage): void {
    const body = new Body(response.headers['content-encoding']);
    this.#body = body;
    response.on('data', (chunk: Buffer) => this.#attempt(() => body.add(chunk)));
    response.on('error', (error) => this.#fail(error));
    response.on('end', () => {
      if (!response.complete) this.#fail(new Error('aborted'));
      else this.#attempt(() => this.#finish({ response: { ...headOf(response), ...body.decoded() } }));
    });
  }

  /** Does something with the body, which may be malformed. */
  #attempt(part: () => void): void {
    try {
      part();
    } catch (error) {
      if (!(error instanceof MalformedBody)) this.#reject(error);
      else this.#malformed(`the body of a ${this.#response?.statusCode} ${error.message}`);
    }
  }
}

function open({ method, url, headers, agent }: ExchangeOptions): ClientRequest {
  const { protocol, hostname, port, origin } = new URL(url);
  const send = protocol === 'https:' ? requestHttps : requestHttp;
  return send({
    agent,
    method,
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port,
    // As it is: a URL object would resolve a customerId of dots.
    path: url.slice(origin.length) || '/',
    headers,
    maxHeaderSize: HEAD,
  });
}

function headOf({ statusCode = 0, rawHeaders }: IncomingMessage) {
  const headers = rawHeaders.flatMap((name, index): [string, string][] => (index % 2 ? [] : [[name, rawHeaders[index + 1] ?? '']]));
  return { status: statusCode, statusText: STATUS_CODES[statusCode] ?? '', headers };
}

/** One line about an answer that is no HTTP. */
function parseError({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'HPE_HEADER_OVERFLOW') return `the header section of the answer is larger than ${HEAD / 1024} kB`;
  return `the answer is not valid HTTP/1.1 (${message.replace(/^Parse Error: /, '') || code})`;
}

/** One line about a request that got no response. */
function networkError({ name, code, message }: NodeJS.ErrnoException): string {
  if (message === 'socket hang up') return 'the connection was closed before an answer came';
  const [first = ''] = message.split('\n');
  return first && first !== code ? (code && !first.includes(code) ? `${code}: ${first}` : first) : String(code ?? name);
}
