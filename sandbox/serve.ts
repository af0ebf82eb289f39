import { parseArgs } from 'node:util';
import type { Merchant } from './behaviour.ts';
import { type Mount, type Sandbox, startSandbox } from './server.ts';

// Fixed, so that a pasted .env goes on working after a restart. They open nothing but this sandbox.
const MERCHANTS: [Merchant, Merchant] = [
  { accessId: 'sandbox-merchant', accessKey: 'sandbox-merchant-key-no-secret', merchantId: '1002463580' },
  { accessId: 'sandbox-other-merchant', accessKey: 'sandbox-other-merchant-key-no-secret', merchantId: '1002463581' },
];

function fail(message: string): never {
  console.error(message);
  process.exit(3);
}

function readPort(args: string[], usage: string): number {
  try {
    const { values } = parseArgs({ args, options: { port: { type: 'string', default: '4010' } } });
    if (/^\d{1,5}$/.test(values.port) && Number(values.port) <= 65535) return Number(values.port);
    return fail(`--port must be a number from 0 (any free port) to 65535, not "${values.port}": write ${usage}`);
  } catch (error) {
    const [reason] = String((error as Error).message).split(/\.\s|\n/);
    return fail(`${reason}: write ${usage}`);
  }
}

async function start(port: number, mounts: Mount[] | undefined): Promise<Sandbox> {
  try {
    return await startSandbox({ port, merchants: MERCHANTS, ...(mounts && { mounts }) });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') return fail(`Port ${port} is in use: write another one, or --port 0 for any free one`);
    if (code === 'EACCES') return fail(`Port ${port} may not be opened by this user: write one from 1024 on, or --port 0 for any free one`);
    return fail(`The sandbox cannot listen on port ${port} (${message}): write --port 0 for any free one`);
  }
}

/**
 * Serves a sandbox, or other mounts of it, until a signal comes, and prints the settings that name it. `args` may have `--port`; `usage` is the
 * command that an error suggests. Ends the process with exit code 3 if an argument is wrong or the port cannot be opened.
 */
export async function serve(args: string[], usage: string, mounts?: Mount[]): Promise<void> {
  const { baseUrl, close } = await start(readPort(args, usage), mounts);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => close().then(() => process.exit(0)));
  }
  const [merchant, other] = MERCHANTS;
  console.log(`# The sandbox listens on ${baseUrl}; Ctrl-C stops it. Paste these lines into .env:
TRUSTLY_BASE_URL=${baseUrl}
TRUSTLY_ACCESS_ID=${merchant.accessId}
TRUSTLY_ACCESS_KEY=${merchant.accessKey}
TRUSTLY_OTHER_ACCESS_ID=${other.accessId}
TRUSTLY_OTHER_ACCESS_KEY=${other.accessKey}`);
}
