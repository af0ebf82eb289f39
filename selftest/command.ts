import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Result } from '../reports/verdict.ts';
import type { Created } from '../target/created.ts';

/** Credentials that no output may hold. */
export const canary = { accessId: 'canary-id-4b1d77', accessKey: 'canary-key-9e02c5fa' };
/** The merchants of a sandbox that takes them. */
export const merchants = [
  { ...canary, merchantId: '1' },
  { accessId: 'canary-other-8d3', accessKey: 'canary-other-key-77ab', merchantId: '2' },
];

/** What came of one of the project's commands. */
export type Ran = {
  code: number | null;
  signal: NodeJS.Signals | null;
  output: string;
  seconds: number;
  out: string;
  result: () => Result;
  ledger: () => Created[];
};

/** A command that runs: `output` is what it printed so far. */
export type Running = { child: ChildProcess; output: () => string; ended: Promise<Ran> };

/** A fresh folder for results. */
export const newOut = () => mkdtempSync(join(tmpdir(), 'out-'));

/** Starts one of the project's commands as a user would, in a folder of results of its own. */
export function start(script: string, env: NodeJS.ProcessEnv, args: string[] = [], more: SpawnOptions & { out?: string } = {}): Running {
  const begin = Date.now();
  const { out = env.TRUSTLY_OUT ?? newOut(), ...options } = more;
  const loader = script.endsWith('.ts') ? ['--import', 'tsx'] : [];
  const child = spawn(process.execPath, [...loader, script, ...args], { env: { ...process.env, TRUSTLY_OUT: out, ...env }, ...options });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
  const ended = new Promise<Ran>((resolve) =>
    child.on('close', (code, signal) => {
      const read = (name: string) => JSON.parse(readFileSync(join(out, name), 'utf8'));
      const seconds = (Date.now() - begin) / 1000;
      resolve({ code, signal, output, seconds, out, result: () => read('conformance.json'), ledger: () => read('ledger.json') });
    }),
  );
  return { child, output: () => output, ended };
}

/** Runs one of the project's commands to its end. */
export const run = (script: string, env: NodeJS.ProcessEnv, args: string[] = [], out?: string) =>
  start(script, env, args, out === undefined ? {} : { out }).ended;

/** Runs `npm run conformance`. */
export const conformance = (env: NodeJS.ProcessEnv, ...args: string[]) => run('reports/start.mjs', env, args);

/** The settings that name a target. */
export function target(baseUrl: string): NodeJS.ProcessEnv {
  return {
    TRUSTLY_BASE_URL: baseUrl,
    TRUSTLY_ACCESS_ID: canary.accessId,
    TRUSTLY_ACCESS_KEY: canary.accessKey,
    TRUSTLY_OTHER_ACCESS_ID: merchants[1]?.accessId,
    TRUSTLY_OTHER_ACCESS_KEY: merchants[1]?.accessKey,
  };
}

/** Runs against an HTTP server of our own. */
export async function against<T>(listener: RequestListener, use: (baseUrl: string) => Promise<T>): Promise<T> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** What a proxy makes of an answer of the server behind it. */
export type Spoil = (
  answer: { status: number; headers: Record<string, string | string[]>; body: string },
  count: number,
) => {
  status: number;
  headers: Record<string, string | string[]>;
  body: string | Buffer;
};

/** A server that hands requests on to another one and spoils the answers; `counts` is how many came so far. */
export function spoiling(origin: string, spoil: Spoil, counts: { requests: number } = { requests: 0 }): RequestListener {
  return async (request, response) => {
    counts.requests += 1;
    const count = counts.requests;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { authorization = '', 'content-type': type = 'application/json' } = request.headers;
    const answer = await fetch(`${origin}${request.url}`, {
      method: request.method ?? 'GET',
      headers: { authorization, 'content-type': type },
      ...(request.method === 'POST' && { body: new Uint8Array(Buffer.concat(chunks)) }),
    });
    const spoilt = spoil({ status: answer.status, headers: { 'content-type': 'application/json' }, body: await answer.text() }, count);
    if (spoilt.status === 0) response.destroy();
    else response.writeHead(spoilt.status, spoilt.headers).end(spoilt.body);
  };
}

/** Every file below a folder. */
export function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}

/** Every place below a folder where a credential stands, Base64 decoded too. */
export function leaks(folder: string, secrets = merchants.flatMap(({ accessId, accessKey }) => [accessId, accessKey])): string[] {
  const stands = (text: string) => secrets.some((secret) => text.includes(secret));
  return filesIn(folder).filter((path) => {
    const text = readFileSync(path, 'latin1');
    const encoded = text.match(/[\w+/-]{16,}/g) ?? [];
    return (
      stands(text) ||
      encoded.some((word) => [0, 1, 2, 3].some((shift) => stands(Buffer.from(word.slice(shift), 'base64').toString('latin1'))))
    );
  });
}
