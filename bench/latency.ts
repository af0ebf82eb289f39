import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a server that takes longer. */
export type Latency = {
  /** The origin to use instead of the server's own. */
  origin: string;
  close(): Promise<void>;
};

/** Passes connections on to a port of this machine, each byte of an answer `milliseconds` later: what a round trip over a network costs. */
export async function addLatency(port: number, milliseconds: number): Promise<Latency> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const target = connect(port, '127.0.0.1');
    client.setNoDelay(true);
    target.setNoDelay(true);
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    }
    client.on('data', (chunk) => target.write(chunk)).on('close', () => target.destroy());
    target.on('data', (chunk) => setTimeout(() => client.writable && client.write(chunk), milliseconds));
    target.on('close', () => setTimeout(() => client.destroy(), milliseconds));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
