import { readdirSync, readFileSync } from 'node:fs';
import { METHODS, STATUS_CODES } from 'node:http';
import { decodeHTMLStrict } from 'entities';
import type { Credentials } from './authorization.ts';
import { leftOut, middleOf, shorten } from './printable.ts';

/** Stands in a text for a secret. */
export const MASK = '‹redacted›';

/**
 * Masks secrets in a text, and shortens it to about `limit` UTF-16 units if there is a limit. A text without secrets that is not longer
 * comes back as it is. What is shortened first and masked afterwards may show a secret in two parts.
 */
export type Redact = (text: string, limit?: number) => string;

/** Characters that a spelling has at least: a shorter one occurs by chance in other text. */
const SHORTEST = 8;
/** Layers of escapes that are undone, such as a JSON string inside a query inside a JSON string. */
const LAYERS = 6;
/** Times that UTF-8 was read as ISO 8859-1, in each layer. */
const MISREADINGS = 2;
/** Layers of Base64 or hexadecimal that are undone. */
const BINARY_LAYERS = 2;
/** Divides what does not belong together; no text means anything by this noncharacter. */
const DIVIDER = 0xffff;

/**
 * Returns a function that masks the secrets in a text, in every spelling that selftest/redaction.spec.ts lists. A part of a secret is masked
 * too if it has half of its characters and eight at least, unless it is a word of the suite's own texts.
 */
export function redactor(secrets: readonly string[]): Redact {
  const search = new Search(secrets, true);
  // Of a spelling that is cut, at least half is to be seen. The longest are about this much longer than the secret.
  const margin = 1_000 + 16 * Math.max(0, ...secrets.map(({ length }) => length));
  return (text, limit = Number.POSITIVE_INFINITY) => {
    if (text.length <= limit) return mask(text, search.find(text));
    const [head, tail] = middleOf(text, limit);
    const near = text.slice(0, head + margin);
    const far = text.slice(Math.max(0, tail - margin));
    const offset = text.length - far.length;
    const first = search.find(near).filter(([from]) => from < head);
    const last = search.find(far).filter(([, to]) => to + offset > tail);
    const from = Math.max(head, ...first.map(([, to]) => to));
    const to = Math.min(tail, ...last.map(([start]) => start + offset));
    if (from >= to) return shorten(mask(text, search.find(text)), limit);
    return mask(near.slice(0, from), first) + leftOut(text.slice(from, to)) + mask(far, last, to - offset);
  };
}

/** Returns a text from `begin` on with the mask for each span; those that overlap or touch get one. */
function mask(text: string, spans: readonly [number, number][], begin = 0): string {
  let masked = '';
  let end = begin;
  for (const [from, to] of [...spans].sort(([a], [b]) => a - b)) {
    if (from > end || masked === '') masked += text.slice(end, from) + MASK;
    end = Math.max(end, to);
  }
  return masked + text.slice(end);
}

/** Returns a function that reports whether a text contains a whole secret, in any spelling that a redactor masks. */
export function detector(secrets: readonly string[]): (text: string) => boolean {
  const search = new Search(secrets, false);
  return (text) => search.find(text).length > 0;
}

/**
 * Returns what results must not hold: `keys` for a detector, which are the accessKeys and the pairs `accessId:accessKey`, and `all` for a
 * redactor, which has the accessIds and `others` besides. A guessable value is left out; a pair is not.
 */
export function secretsOf(
  merchants: readonly Credentials[],
  others: readonly string[] = [],
  baseUrl = '',
): { keys: string[]; all: string[] } {
  const secret = (value: string) => whyGuessable(value, baseUrl) === undefined;
  const keys = merchants.flatMap(({ accessId, accessKey }) => [`${accessId}:${accessKey}`, ...[accessKey].filter(secret)]);
  return { keys, all: [...keys, ...[...merchants.map(({ accessId }) => accessId), ...others].filter(secret)] };
}

/**
 * Returns why a value alone is not redacted: it would be found in places that do not give it away. The reason is a predicate, such as "is
 * shorter than eight characters"; undefined for any other value.
 */
export function whyGuessable(value: string, baseUrl = ''): string | undefined {
  if ([...value].length < SHORTEST) return 'is shorter than eight characters';
  if (ownTexts().text.includes(value.toLowerCase())) return "occurs in the suite's own texts";
  return detector([value])(baseUrl) ? 'is part of TRUSTLY_BASE_URL' : undefined;
}

/** Words of HTTP that the published documents lack. */
const HTTP_WORDS = `application/json application/problem+json application/x-www-form-urlencoded text/html text/plain charset=utf-8 utf-8
  accept-encoding authorization www-authenticate proxy-authenticate proxy-authorization basic bearer cache-control no-cache no-store
  connection keep-alive transfer-encoding chunked content-encoding content-length content-type content-security-policy etag last-modified
  location retry-after set-cookie strict-transport-security max-age includesubdomains x-content-type-options nosniff x-request-id user-agent
  x-forwarded-for localhost undefined exception redacted`;

let texts: { text: string; folded: string } | undefined;

/** Reads the suite's own texts, in lower case and folded: the published documents, the requirements, what results look like, HTTP's words. */
function ownTexts(): { text: string; folded: string } {
  if (texts) return texts;
  const folder = new URL('../schemas/', import.meta.url);
  const files = readdirSync(folder).filter((name) => /\.(yaml|json)$/.test(name));
  const read = files.map((name) => readFileSync(new URL(name, folder), 'utf8'));
  const text = [...read, HTTP_WORDS, ...METHODS, ...Object.values(STATUS_CODES)].join('\n').toLowerCase();
  texts = { text, folded: foldedText(text, LOOSE) };
  return texts;
}

/** Where each character of a reading begins and ends in the first text. */
type Places = { from: Int32Array; to: Int32Array };

/** A text, or what decoding made of one. */
type Reading = {
  text: string;
  /** Without them the reading shows only whether there is anything to mask. */
  places?: Places | undefined;
  /** The indices, ascending, of characters that were escaped in the reading before; without them all are new. */
  fresh?: readonly number[];
};

const placesFor = (length: number): Places => ({ from: new Int32Array(length), to: new Int32Array(length) });

/** Yields a text and everything that undoing its spellings makes of it. `least` is the number of bytes that a secret has at least. */
function* readingsOf(first: Reading, least: number): Generator<Reading> {
  const kinds = new Set<Spelling>();
  for (const reading of layersOf(first, ESCAPED, least, BINARY_LAYERS)) {
    for (const kind of KINDS) if (kind.begin.test(reading.text)) kinds.add(kind);
    yield reading;
  }
  // What stands beside a secret may be an escape of one kind together with the secret's first letter, and of the other kinds none: \r%65.
  for (const kind of kinds.size > 1 ? kinds : []) {
    const next = undo(first, kind);
    if (next) yield* layersOf(next, kind, least, 0);
  }
}

/** Yields a text and what undoing one kind of escapes makes of it, layer by layer; so too of the bytes that digits in it spell. */
function* layersOf(first: Reading, kind: Spelling, least: number, binaryLayers: number): Generator<Reading> {
  let reading: Reading | undefined = first;
  for (let layer = 0; reading && layer < LAYERS; layer += 1) {
    // Before escapes: one beside a secret may be undone together with the secret's first or last letter.
    let next: Reading | undefined = reading;
    for (let misreading = 0; next && misreading <= MISREADINGS; misreading += 1) {
      reading = next;
      yield reading;
      for (const alphabet of binaryLayers ? [HEXADECIMAL, BASE64] : []) {
        const bytes = decodeBytes(reading, alphabet, least);
        if (bytes) yield* layersOf(bytes, kind, least, binaryLayers - 1);
      }
      next = undo(reading, MISREAD);
    }
    reading = undo(reading, kind);
  }
}

/** A kind of spelling, a character at a time. */
type Spelling = {
  /** A character that begins it. Most texts have none, which is seen sooner than that they have no sequence. */
  begin: RegExp;
  sequence: RegExp;
};

/** Characters beyond ASCII whose UTF-8 was read as ISO 8859-1, which is also how decoded bytes are read. */
const MISREAD: Spelling = {
  begin: /[\xc2-\xf4]/,
  sequence: /[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}/g,
};

/** The kinds of escapes: percent-encoding and JavaScript's escape(); JSON, JavaScript and octal; HTML and XML. */
const KINDS: readonly Spelling[] = [
  { begin: /%/, sequence: /%(?:u[\da-fA-F]{4}|[\da-fA-F]{2})/g },
  { begin: /\\/, sequence: /\\(?:u[\da-fA-F]{4}|U[\da-fA-F]{8}|u\{0*[\da-fA-F]{1,6}\}|x[\da-fA-F]{2}|[0-3][0-7]{2}|["'`/\\bfnrtv])/g },
  { begin: /&/, sequence: /&(?:#0*\d{1,7}|#[xX]0*[\da-fA-F]{1,6}|quot|QUOT|apos|amp|AMP|lt|LT|gt|GT);?|&[a-zA-Z][a-zA-Z\d]{1,31};/g },
];

/** Escapes of any kind. */
const ESCAPED: Spelling = { begin: /[%\\&]/, sequence: new RegExp(KINDS.map(({ sequence }) => sequence.source).join('|'), 'g') };

const NAMED: Record<string, string> = {
  quot: '"',
  apos: "'",
  amp: '&',
  lt: '<',
  gt: '>',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** Returns the character that a sequence represents; undefined if Unicode has no character with that number. */
function characterOf(sequence: string): string | undefined {
  const first = sequence.charCodeAt(0);
  if (first > 0x7f) {
    let code = first & (0xff >> (sequence.length + 1));
    for (let index = 1; index < sequence.length; index += 1) code = code * 64 + (sequence.charCodeAt(index) & 0x3f);
    return fromCode(code);
  }
  const body = sequence.slice(1).replace(';', '');
  if (sequence[0] === '&') return body[0] === '#' ? fromCode(Number(body.slice(1).replace(/^[xX]/, '0x'))) : characterNamed(body);
  if (sequence[0] === '\\' && body >= '0' && body < '4') return fromCode(Number.parseInt(body, 8));
  return body.length > 1 ? fromCode(Number.parseInt(body.replace(/^[uUx]\{?/, ''), 16)) : (NAMED[body] ?? body);
}

/** Returns the character that HTML's `&name;` represents; undefined if HTML has no such name. */
function characterNamed(name: string): string | undefined {
  const reference = `&${name};`;
  const decoded = decodeHTMLStrict(reference);
  return decoded === reference ? NAMED[name.toLowerCase()] : decoded;
}

const fromCode = (code: number) => (code <= 0x10ffff ? String.fromCodePoint(code) : undefined);

/** Undoes one layer of a spelling; returns undefined if there is none. */
function undo({ text, places }: Reading, { begin, sequence }: Spelling): Reading | undefined {
  if (!begin.test(text)) return undefined;
  const moved = places && placesFor(text.length);
  const fresh: number[] = [];
  let length = 0;
  let done = 0;
  const keep = (end: number) => {
    moved?.from.set((places as Places).from.subarray(done, end), length);
    moved?.to.set((places as Places).to.subarray(done, end), length);
    length += end - done;
  };
  const undone = text.replace(sequence, (found, index: number) => {
    const character = characterOf(found);
    if (character === undefined) return found;
    keep(index);
    done = index + found.length;
    moved?.from.fill((places as Places).from[index] as number, length, length + character.length);
    moved?.to.fill((places as Places).to[done - 1] as number, length, length + character.length);
    fresh.push(length);
    length += character.length;
    return character;
  });
  keep(text.length);
  return fresh.length ? { text: undone, places: moved, fresh } : undefined;
}

/** Digits that spell bytes: `kinds` has for each code of ASCII the value of a digit or one of the kinds below. */
type Alphabet = { bits: number; kinds: Int8Array };
const OTHER = -1;
/** May stand between digits. */
const GAP = -2;
/** May stand between digits at the beginning of a line, and between groups of four. */
const INDENT = -3;
/** May stand between bytes after 0, which is no digit then, or after a backslash. */
const PREFIX = -4;

function alphabet(bits: number, digits: string[], others: [string, number][]): Alphabet {
  const kinds = new Int8Array(128).fill(OTHER);
  for (const order of digits) for (const [value, digit] of [...order].entries()) kinds[digit.charCodeAt(0)] = value;
  for (const [characters, kind] of others) for (const character of characters) kinds[character.charCodeAt(0)] = kind;
  return { bits, kinds };
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const HEXADECIMAL = alphabet(
  4,
  ['0123456789abcdef', '0123456789ABCDEF'],
  [
    ['\t\n\r :,-%=\\', GAP],
    ['xX', PREFIX],
  ],
);
const BASE64 = alphabet(
  6,
  [`${LETTERS}+/`, `${LETTERS}-_`],
  [
    ['\n\r', GAP],
    ['\t ', INDENT],
  ],
);

/** Digits in a text, `count` of them, with nothing between them but gaps. */
type Digits = { start: number; end: number; count: number };

/** Returns the runs of at least so many digits, of which one at least is new. */
function runsOf({ text, fresh }: Reading, { kinds }: Alphabet, least: number): Digits[] {
  const runs: Digits[] = [];
  let start = 0;
  let count = 0;
  let sincePrefix = 0;
  let isIndent = false;
  let sinceGap = 0;
  let next = 0;
  for (let index = 0; index <= text.length; index += 1) {
    // A run that begins here or before the place ahead has a digit or a gap there.
    if (count === 0 && index + least <= text.length && kindOf(text, index + least - 1, kinds) === OTHER) {
      index += least - 1;
      continue;
    }
    const kind = kindOf(text, index, kinds);
    if (kind >= 0) {
      if (count === 0) {
        start = index;
        sincePrefix = 0;
        sinceGap = 0;
      }
      count += 1;
      sincePrefix += 1;
      sinceGap += 1;
      isIndent = false;
    } else if (count && kind === GAP) {
      isIndent = true;
    } else if (count && kind === PREFIX && text[index - 1] === '\\') {
      sincePrefix = 0;
    } else if (count && kind === PREFIX && text[index - 1] === '0' && sincePrefix === 3) {
      count -= 1;
      sincePrefix = 0;
    } else if (count && kind === INDENT && !isIndent && sinceGap % 4 === 0) {
      // A blank between groups of four digits; words are seldom of four letters one after the other.
      sinceGap = 0;
    } else if (count && !(kind === INDENT && isIndent)) {
      while (fresh && (fresh[next] as number) < start) next += 1;
      if (count >= least && (!fresh || (fresh[next] as number) < index)) runs.push({ start, end: index, count });
      count = 0;
    }
  }
  return runs;
}

function kindOf(text: string, index: number, kinds: Int8Array): number {
  // Beyond the end it is not a number, which is not below either.
  const code = text.charCodeAt(index);
  return code < 128 ? (kinds[code] as number) : OTHER;
}

/**
 * Decodes every run of digits that is long enough for `least` bytes, beginning with each digit that may be the first of a byte. Returns
 * undefined if there is no such run.
 */
function decodeBytes(reading: Reading, { bits, kinds }: Alphabet, least: number): Reading | undefined {
  const { text, places } = reading;
  const runs = runsOf(reading, { bits, kinds }, Math.ceil((least * 8) / bits));
  if (runs.length === 0) return undefined;
  // Digits after which a byte begins with a digit again.
  const period = bits === 4 ? 2 : 4;
  const size = runs.reduce((sum, { count }) => sum + period * (Math.ceil((count * bits) / 8) + 1), 0);
  const codes = new Uint16Array(size);
  const moved = places && placesFor(size);
  let length = 0;
  for (const { start, end, count } of runs) {
    const values = new Uint8Array(count + 1);
    const indices = new Int32Array(count + 1);
    let digits = 0;
    for (let index = start; index < end; index += 1) {
      const kind = kindOf(text, index, kinds);
      values[digits] = kind;
      indices[digits] = index;
      if (kind >= 0) digits += 1;
      else if (kind === PREFIX && text[index - 1] === '0') digits -= 1;
    }
    for (let offset = 0; offset < period; offset += 1) {
      let buffer = 0;
      let held = 0;
      for (let digit = offset; digit < count; digit += 1) {
        buffer = ((buffer << bits) | (values[digit] as number)) & 0xffff;
        held += bits;
        if (held < 8) continue;
        held -= 8;
        codes[length] = (buffer >> held) & 0xff;
        if (moved) {
          moved.from[length] = (places as Places).from[indices[digit - 1] as number] as number;
          moved.to[length] = (places as Places).to[indices[digit] as number] as number;
        }
        length += 1;
      }
      codes[length] = DIVIDER;
      length += 1;
    }
  }
  return { text: textOf(codes, 0, length), places: moved };
}

/** How characters are made alike: `units` has what becomes of each UTF-16 unit, or one of the kinds below; `fold` has it for any. */
type Folding = { units: Int32Array; fold: (character: string) => string };
const DROPPED = -1;
const SEVERAL = -2;
const UNKNOWN = -3;

function folding(compute: (character: string) => string): Folding {
  const results = new Map<string, string>();
  const fold = (character: string) => {
    const result = results.get(character) ?? compute(character);
    if (results.size > 10_000) results.clear();
    results.set(character, result);
    return result;
  };
  // Half of a pair is not known by itself.
  return { units: new Int32Array(0x10000).fill(UNKNOWN).fill(SEVERAL, 0xd800, 0xe000), fold };
}

/** Makes letters in any case and width alike: the compatibility decomposition of Ａ is A; capitals, then small letters join ß with SS. */
function alike(character: string): string {
  const folded = character.normalize('NFKD').toUpperCase().toLowerCase();
  // A few characters stand for whole phrases.
  return folded.length > 4 ? character : folded;
}

/** Without case, width, accents, white space, the plus signs of a form and what cannot be seen. */
const LOOSE = folding((character) =>
  alike(character).replace(/[\p{White_Space}\p{Cc}\p{Cf}\p{Mn}\p{Default_Ignorable_Code_Point}+]/gu, ''),
);
/** Without case and width: for secrets of which too little would be left otherwise. */
const STRICT = folding((character) => (character === '+' ? ' ' : alike(character)));

/** A text whose characters were made alike, as UTF-16. */
type Folded = { codes: Uint16Array; length: number; places: Places | undefined };

function fold({ text, places }: Reading, { units, fold }: Folding): Folded {
  let codes = new Uint16Array(text.length + SPARE);
  let moved = places && placesFor(codes.length);
  let length = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    let folded = units[code] as number;
    if (folded === UNKNOWN) {
      const result = fold(text[index] as string);
      folded = result.length > 1 ? SEVERAL : result ? result.charCodeAt(0) : DROPPED;
      units[code] = folded;
    }
    const begin = index;
    let several = '';
    if (folded === SEVERAL) {
      const character = String.fromCodePoint(text.codePointAt(index) as number);
      several = fold(character);
      index += character.length - 1;
    }
    if (moved && places) {
      const from = places.from[begin] as number;
      const to = places.to[index] as number;
      // What is dropped belongs to the character before it, such as an accent.
      if (folded < 0 && several === '' && code > 127 && length && moved.to[length - 1] === from) moved.to[length - 1] = to;
      for (let unit = length; unit < length + (several.length || 1); unit += 1) {
        moved.from[unit] = from;
        moved.to[unit] = to;
      }
    }
    if (folded !== SEVERAL) {
      // What is dropped is overwritten by the next: a branch for it would be mispredicted often.
      codes[length] = folded;
      length += folded === DROPPED ? 0 : 1;
      continue;
    }
    for (let unit = 0; unit < several.length; unit += 1) codes[length + unit] = several.charCodeAt(unit);
    length += several.length;
    if (codes.length - length < text.length - index + SPARE / 2) {
      codes = grown(codes, new Uint16Array(codes.length * 2));
      moved &&= { from: grown(moved.from, new Int32Array(codes.length)), to: grown(moved.to, new Int32Array(codes.length)) };
    }
  }
  return { codes, length, places: moved };
}

/** Room beyond the length of a text for characters that become several. */
const SPARE = 16;

function grown<Codes extends Uint16Array | Int32Array>(old: Codes, larger: Codes): Codes {
  larger.set(old);
  return larger;
}

function foldedText(text: string, folding: Folding): string {
  const { codes, length } = fold({ text }, folding);
  return textOf(codes, 0, length);
}

const textOf = (codes: Uint16Array, start: number, end: number) =>
  Buffer.from(codes.buffer, codes.byteOffset + start * 2, (end - start) * 2).toString('utf16le');

/** A folded text that is looked for, and the length of the shortest part of it that counts. */
type Needle = { text: string; shortest: number };

/** Windows of one length, known by two hashes: one pass finds all of them, whatever the text. */
class Windows {
  readonly #length: number;
  readonly #firsts = new Set<number>();
  readonly #seconds = new Set<number>();
  /** Which upper halves the first hashes have. */
  readonly #halves = new Uint8Array(0x10000);
  #firstPower = 1;
  #secondPower = 1;

  constructor(length: number, needles: readonly Needle[]) {
    this.#length = length;
    for (let count = 0; count < length; count += 1) {
      this.#firstPower = Math.imul(this.#firstPower, FIRST);
      this.#secondPower = Math.imul(this.#secondPower, SECOND);
    }
    for (const { text } of needles) for (let start = 0; start + length <= text.length; start += 1) this.#add(text, start);
  }

  #add(text: string, start: number): void {
    let first = 0;
    let second = 0;
    for (let index = start; index < start + this.#length; index += 1) {
      first = (Math.imul(first, FIRST) + text.charCodeAt(index)) | 0;
      second = (Math.imul(second, SECOND) + text.charCodeAt(index)) | 0;
    }
    this.#halves[first >>> 16] = 1;
    this.#firsts.add(first);
    this.#seconds.add(second);
  }

  /** Returns where windows lie in a part of a text; those that overlap are joined. */
  find(codes: Uint16Array, start: number, end: number): [number, number][] {
    const found: [number, number][] = [];
    const length = this.#length;
    let first = 0;
    let second = 0;
    for (let index = start; index < end; index += 1) {
      const code = codes[index] as number;
      const gone = index - start < length ? 0 : (codes[index - length] as number);
      first = (Math.imul(first, FIRST) + code - Math.imul(gone, this.#firstPower)) | 0;
      second = (Math.imul(second, SECOND) + code - Math.imul(gone, this.#secondPower)) | 0;
      const begin = index + 1 - length;
      if (begin < start || this.#halves[first >>> 16] === 0 || !this.#firsts.has(first) || !this.#seconds.has(second)) continue;
      const last = found.at(-1);
      if (last && last[1] > begin) last[1] = index + 1;
      else found.push([begin, index + 1]);
    }
    return found;
  }
}

/** The odd multipliers of the two hashes, with bits set everywhere. */
const FIRST = 0x9e3779b1;
const SECOND = 0x85ebca6b;

/**
 * Returns a pattern for each order of magnitude of needles: around a part of a long one a wide area is searched, which a part of a short one
 * must not cause.
 */
function patternsOf(needles: readonly Needle[]): Pattern[] {
  const sizeOf = ({ shortest }: Needle) => Math.floor(Math.log2(shortest));
  return [...new Set(needles.map(sizeOf))].map((size) => new Pattern(needles.filter((needle) => sizeOf(needle) === size)));
}

/** Needles of about the same size, looked for in texts of one folding. */
class Pattern {
  readonly #windows: readonly Windows[];
  readonly #longest: number;
  /** Units of a gram. Every part that counts has a gram that begins at a multiple of `#stride`: no others are looked at. */
  readonly #gram: number;
  readonly #stride: number;
  /** Which hashes the needles' grams have, a bit for each. */
  readonly #hashes = new Uint32Array(0x2000);

  constructor(needles: readonly Needle[]) {
    const lengths = new Set(needles.map(({ shortest }) => shortest));
    this.#longest = Math.max(...lengths);
    this.#gram = Math.min(4, ...lengths);
    this.#stride = Math.min(...lengths) - this.#gram + 1;
    this.#windows = [...lengths].map((length) => {
      const alike = needles.filter(({ shortest }) => shortest === length);
      return new Windows(length, alike);
    });
    for (const { text } of needles) {
      const codes = Uint16Array.from({ length: text.length }, (_, index) => text.charCodeAt(index));
      for (let start = 0; start + this.#gram <= text.length; start += 1) {
        const hash = this.#hash(codes, start);
        this.#hashes[hash >>> 5] = (this.#hashes[hash >>> 5] as number) | (1 << (hash & 31));
      }
    }
  }

  /** Returns where needles, and parts of them that count, lie in a text. */
  find({ codes, length }: Folded): [number, number][] {
    return this.#areas(codes, length).flatMap(([start, end]) => this.#windows.flatMap((windows) => windows.find(codes, start, end)));
  }

  /** Returns the areas of a text that have a gram of the needles, with all that may belong to it. */
  #areas(codes: Uint16Array, length: number): [number, number][] {
    const areas: [number, number][] = [];
    for (let start = 0; start + this.#gram <= length; start += this.#stride) {
      const hash = this.#hash(codes, start);
      if (((this.#hashes[hash >>> 5] as number) & (1 << (hash & 31))) === 0) continue;
      const last = areas.at(-1);
      const from = Math.max(0, start + this.#gram - this.#longest);
      const to = Math.min(length, start + this.#longest);
      if (last && last[1] >= from) last[1] = to;
      else areas.push([from, to]);
    }
    return areas;
  }

  /** A number of 18 bits. */
  #hash(codes: Uint16Array, start: number): number {
    let sum = 0;
    for (let index = start; index < start + this.#gram; index += 1) sum = (sum << 7) ^ (codes[index] as number);
    return Math.imul(sum, FIRST) >>> 14;
  }
}

/** Secrets that are looked for. */
class Search {
  readonly #loose: readonly Pattern[];
  readonly #strict: readonly Pattern[];
  readonly #wholes: readonly string[];
  /** Units of the longest of them. */
  readonly #longest: number;
  /** Units of the shortest text that is looked for. */
  readonly #least: number;
  readonly #own = new Map<string, boolean>();

  /** Looks for whole secrets, and for parts of them too if `parts`. */
  constructor(secrets: readonly string[], parts: boolean) {
    const loose: Needle[] = [];
    const strict: Needle[] = [];
    const add = (text: string, parts: boolean) => {
      const [folded, kept] = [foldedText(text, LOOSE), foldedText(text, STRICT)];
      if (folded.length >= SHORTEST) loose.push({ text: folded, shortest: parts ? shortestPart(text) : folded.length });
      else if (kept) strict.push({ text: kept, shortest: kept.length });
    };
    for (const secret of new Set(secrets)) {
      for (const order of new Set([secret, [...secret].reverse().join('')])) {
        // A secret may look like an escape itself: it is undone with those around it.
        for (const { text } of layersOf({ text: order }, ESCAPED, 0, 0)) add(text, parts);
      }
      // Letters beyond ASCII, in bytes that are not UTF-8 or in a character set that lacks them.
      for (const lost of isAscii(secret) ? [] : ['\ufffd', '?']) add(secret.replace(/[^\0-\x7f]/gu, lost), parts);
      for (const digits of digitsOf(secret)) add([...digits].reverse().join(''), parts);
      if ([...secret].length >= SHORTEST) continue;
      // Its Base64 may be too short to be looked for by itself.
      for (const coding of ['base64', 'base64url'] as const) add(`Basic ${Buffer.from(secret).toString(coding).replace(/=+$/, '')}`, false);
    }
    this.#loose = patternsOf(loose);
    this.#strict = patternsOf(strict);
    this.#wholes = loose.map(({ text }) => text);
    this.#longest = Math.max(0, ...this.#wholes.map(({ length }) => length));
    this.#least = Math.min(...[...loose, ...strict].map(({ shortest }) => shortest));
  }

  /** Returns where secrets lie in a text, in no order. */
  find(text: string): [number, number][] {
    // Nearly all texts hold none, which is found sooner without places.
    if (this.#spans({ text }).next().done) return [];
    const places = placesFor(text.length);
    for (let index = 0; index < text.length; index += 1) {
      places.from[index] = index;
      places.to[index] = index + 1;
    }
    return [...this.#spans({ text, places })];
  }

  *#spans(first: Reading): Generator<[number, number]> {
    for (const reading of readingsOf(first, this.#least)) {
      for (const folding of [LOOSE, STRICT]) {
        const patterns = folding === LOOSE ? this.#loose : this.#strict;
        if (patterns.length === 0) continue;
        const folded = fold(reading, folding);
        for (const [start, end] of patterns.flatMap((pattern) => pattern.find(folded))) {
          if (folding === LOOSE && this.#isOwn(textOf(folded.codes, start, end))) continue;
          const { from, to } = folded.places ?? {};
          const span: [number, number] = from && to ? [from[start] as number, to[end - 1] as number] : [0, SHORTEST];
          if (folding === LOOSE || span[1] - span[0] >= SHORTEST) yield span;
        }
      }
    }
  }

  /** Whether a part of a secret is a word of the suite's own texts. */
  #isOwn(part: string): boolean {
    if (part.length > this.#longest) return false;
    let own = this.#own.get(part);
    if (own === undefined) {
      const word = part.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '');
      own = !this.#wholes.some((whole) => part.includes(whole)) && ownTexts().folded.includes(word);
      if (this.#own.size > 1_000) this.#own.clear();
      this.#own.set(part, own);
    }
    return own;
  }
}

const isAscii = (text: string) => !/[^\0-\x7f]/.test(text);

/** Returns the digits that spell a secret in any place of a longer text: hexadecimal, and Base64 at each offset without its first and last. */
function digitsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].flatMap((offset) => {
    const spelled = Buffer.concat([Buffer.alloc(offset), bytes]);
    const first = Math.ceil((offset * 8) / 6);
    return (['base64', 'base64url'] as const).map((coding) => spelled.toString(coding).slice(first, Math.floor((spelled.length * 8) / 6)));
  });
  return [bytes.toString('hex'), ...base64].filter(({ length }) => length >= SHORTEST);
}

/** Returns the length, folded, of the shortest part that has half of a secret's characters and eight at least. */
function shortestPart(secret: string): number {
  const widths = [...secret].map((character) => foldedText(character, LOOSE).length);
  const half = Math.max(SHORTEST, Math.ceil(widths.length / 2));
  let width = widths.slice(0, half).reduce((sum, each) => sum + each, 0);
  let least = width;
  for (let end = half; end < widths.length; end += 1) {
    width += (widths[end] as number) - (widths[end - half] as number);
    least = Math.min(least, width);
  }
  return Math.max(SHORTEST, least);
}
