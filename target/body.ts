import { isUtf8 } from 'node:buffer';
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, type ZlibOptions } from 'node:zlib';

/** Bytes that a body may have, as it is sent and decoded: a customer has under a thousand. */
export const BODY_LIMIT = 4 * 1024 * 1024;
/** Codings that one body may have. */
const MOST_CODINGS = 3;

/** A body that cannot be read; its message completes "the body of a 200 …". */
export class MalformedBody extends Error {
  override name = 'MalformedBody';
}

/** The body of a response while it arrives. */
export class Body {
  readonly #codings: string[];
  readonly #chunks: Buffer[] = [];
  #length = 0;

  /** `codings`: the Content-Encoding header. */
  constructor(codings: string | undefined) {
    this.#codings = (codings ?? '').split(',').map((coding) => coding.trim().toLowerCase());
  }

  /** Bytes that came so far. */
  get length(): number {
    return this.#length;
  }

  /** The beginning of what came, as text, for reports. */
  get excerpt(): string {
    return Buffer.concat(this.#chunks).subarray(0, 1_000).toString('utf8');
  }

  /** Takes a part. Throws MalformedBody if the body is too large. */
  add(chunk: Buffer): void {
    this.#length += chunk.length;
    if (this.#length > BODY_LIMIT) throw tooLarge();
    this.#chunks.push(chunk);
  }

  /**
   * The whole as text, its content codings undone (RFC 9110, section 8.4), and whether it is UTF-8. Throws MalformedBody if it is not coded
   * as it says.
   */
  decoded(): { body: string; isUtf8: boolean } {
    let content: Buffer = Buffer.concat(this.#chunks);
    const codings = this.#codings.filter((coding) => coding !== '' && coding !== 'identity');
    if (codings.length > MOST_CODINGS) throw new MalformedBody(`has ${codings.length} content codings`);
    for (const coding of content.length ? codings.reverse() : []) content = decode(content, coding);
    return { body: content.toString('utf8'), isUtf8: isUtf8(content) };
  }
}

type Decoder = (content: Buffer, options: ZlibOptions) => Buffer;

// RFC 9110, section 8.4.1.2, notes that some servers send deflate without its wrapper; every browser reads it.
const deflate: Decoder = (content, options) => {
  try {
    return inflateSync(content, options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw error;
    return inflateRawSync(content, options);
  }
};
// An x-gzip is a gzip: RFC 9110, section 8.4.1.3.
const DECODERS: Record<string, Decoder> = { gzip: gunzipSync, 'x-gzip': gunzipSync, deflate, br: brotliDecompressSync };

function decode(content: Buffer, coding: string): Buffer {
  const decoder = DECODERS[coding];
  if (!decoder) throw new MalformedBody(`has the content coding ${JSON.stringify(coding.slice(0, 40))}, which the request did not accept`);
  try {
    return decoder(content, { maxOutputLength: BODY_LIMIT });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    throw new MalformedBody(`is not encoded as its Content-Encoding says (${coding})`);
  }
}

const tooLarge = () => new MalformedBody(`is larger than ${BODY_LIMIT / 1024 / 1024} MiB`);
