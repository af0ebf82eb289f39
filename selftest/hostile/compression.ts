import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createBrotliCompress, createDeflate, createGzip, gzipSync } from 'node:zlib';
import type { Asked } from './proxy.ts';

const MEGABYTE = 1024 * 1024;

function* zeros(megabytes: number): Generator<Buffer> {
  const chunk = Buffer.alloc(MEGABYTE);
  for (let count = 0; count < megabytes; count += 1) yield chunk;
}

async function compressed(compressor: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await pipeline(zeros(1024), compressor, async (content) => {
    for await (const chunk of content) chunks.push(chunk);
  });
  return Buffer.concat(chunks);
}

/** Makes something at its first use and keeps it: most runs of the tests need none of these. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

const gzip = once(() => compressed(createGzip({ level: 9 })));

/** A gigabyte of zeros in each content coding. */
export const BOMBS = {
  gzip,
  deflate: once(() => compressed(createDeflate({ level: 9 }))),
  br: once(() => compressed(createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }))),
  'gzip, gzip': once(async () => gzipSync(await gzip(), { level: 9 })),
};

/** Content as a Zstandard frame of one block that is not compressed (RFC 8878): zlib here may know no zstd. Up to 128 kB. */
export function zstd(content: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(content.length);
  const block = Buffer.alloc(3);
  block.writeUIntLE(content.length * 8 + 1, 0, 3);
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0]), size, block, content]);
}

/** Whether the client takes a content coding: a request without `Accept-Encoding` takes any. */
export function takes({ headers }: Asked, ...codings: string[]): boolean {
  const accepted = headers['accept-encoding'];
  return (
    accepted === undefined ||
    String(accepted)
      .split(/[\s,;]+/)
      .some((coding) => codings.includes(coding.toLowerCase()))
  );
}
