import { readFileSync, statSync } from 'node:fs';

/** Thrown when a file cannot be used as text. The message completes “FILE …” and is one line. */
export class TextFileError extends Error {
  override name = 'TextFileError';
  /** The error code of the operating system, such as ENOENT. */
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

/** Bytes that a file of settings may have: 1 MiB. */
export const TEXT_LIMIT = 2 ** 20;

/** Reads a regular file of UTF-8 text and drops a byte order mark. Throws TextFileError for anything else, or over the limit in bytes. */
export function readTextFile(path: string, limitBytes: number): string {
  const bytes = readBytes(path, limitBytes);
  if (/^(fffe|feff)/.test(bytes.toString('hex', 0, 2))) throw new TextFileError('is UTF-16 text; save it as UTF-8');
  if (bytes.includes(0)) throw new TextFileError('contains NUL bytes; save it as UTF-8 text');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new TextFileError('is not valid UTF-8; save it as UTF-8 text');
  }
}

function readBytes(path: string, limitBytes: number): Buffer {
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) throw new TextFileError('is a directory; name a file');
    // To open a FIFO would wait for a writer, and a device may never end.
    if (!stats.isFile()) throw new TextFileError('is not a regular file; name one');
    if (stats.size > limitBytes) throw tooLarge(limitBytes);
    const bytes = readFileSync(path);
    // Some files of the operating system have more content than their size says.
    if (bytes.length > limitBytes) throw tooLarge(limitBytes);
    return bytes;
  } catch (error) {
    if (error instanceof TextFileError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new TextFileError(`cannot be read (${code}); name a readable file`, code);
  }
}

const tooLarge = (limitBytes: number) => new TextFileError(`is larger than ${limitBytes / 1024} KiB; name a smaller file`);
