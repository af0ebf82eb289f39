import { createHash } from 'node:crypto';
import { expect, test } from '@playwright/test';
import { encodeHTML } from 'entities';
import fc from 'fast-check';
import { shorten } from '../target/printable.ts';
import { detector, MASK, redactor, secretsOf, whyGuessable } from '../target/redaction.ts';

const RUNS = { seed: 1795, numRuns: 100 };
/** Has what some spelling treats in its own way: quotes, a backslash, a space, signs of other spellings, letters beyond ASCII and the BMP. */
const SECRET = 's3cret+Key/Äß"\\\'&<>%:7 =😀x.*z';
const PLAIN = 'kT9vQx2LmZr8Wp4JsYd0';

const characters = (text: string) => [...text];
const bytes = (text: string) => [...Buffer.from(text)];
const hexadecimal = (text: string, join: string) =>
  bytes(text)
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join(join);
const each = (text: string, write: (character: string, index: number) => string) => characters(text).map(write).join('');
const units = (text: string, write: (code: number) => string) =>
  text
    .split('')
    .map((unit) => write(unit.charCodeAt(0)))
    .join('');
const hex = (code: number, digits = 4) => code.toString(16).padStart(digits, '0');
const percent = (text: string) =>
  bytes(text)
    .map((byte) => `%${hex(byte, 2)}`)
    .join('');
const json = (text: string) => JSON.stringify(text).slice(1, -1);
const base64 = (text: string) => Buffer.from(text).toString('base64');
const bare = (text: string) => text.replace(/=+$/, '');
const lines = (text: string, length: number, feed: string) => (text.match(new RegExp(`.{1,${length}}`, 'g')) ?? []).join(feed);
const NAMES: Record<string, string> = { '"': 'quot', '&': 'amp', '<': 'lt', '>': 'gt', "'": 'apos' };
const named = (text: string) => text.replace(/["&<>']/g, (sign) => `&${NAMES[sign]};`);
const fullWidth = (text: string) => text.replace(/[!-~]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) + 0xfee0));
const inTurn = (text: string, ...write: ((character: string) => string)[]) =>
  each(text, (character, index) => write[index % write.length]?.(character) ?? character);
const clear = (character: string) => character;

/** Every spelling of a secret, as a whole. */
const spellings: Record<string, (secret: string) => string> = {
  clear,
  capitals: (secret) => secret.toUpperCase(),
  'small letters': (secret) => secret.toLowerCase(),
  'mixed case': (secret) =>
    inTurn(
      secret,
      (character) => character.toUpperCase(),
      (character) => character.toLowerCase(),
    ),
  reversed: (secret) => characters(secret).reverse().join(''),
  'reversed, in JSON': (secret) => json(characters(secret).reverse().join('')),
  'hexadecimal, reversed': (secret) => characters(hexadecimal(secret, '')).reverse().join(''),
  // The last digit may spell the first bits of what follows, so it gives nothing away.
  'Base64, reversed': (secret) =>
    characters(base64(secret).slice(0, Math.floor((bytes(secret).length * 8) / 6)))
      .reverse()
      .join(''),
  'Base64 in groups of four': (secret) => lines(bare(base64(secret)), 4, ' '),
  'quoted-printable': (secret) =>
    bytes(secret)
      .map((byte) => `=${hex(byte, 2).toUpperCase()}`)
      .join('')
      .slice(1),
  'HTML, named': (secret) => encodeHTML(secret),
  'ISO 8859-1 read as UTF-8': (secret) => (/[^\0-\xff]/.test(secret) ? secret : Buffer.from(Buffer.from(secret, 'latin1')).toString()),
  'question marks for letters beyond ASCII': (secret) => secret.replace(/[^\0-\x7f]/gu, '?'),
  'Python, \\U': (secret) => each(secret, (character) => `\\U${hex(character.codePointAt(0) ?? 0, 8)}`),
  hexadecimal: (secret) => hexadecimal(secret, ''),
  'hexadecimal in capitals': (secret) => hexadecimal(secret, '').toUpperCase(),
  'hexadecimal with colons': (secret) => hexadecimal(secret, ':'),
  'hexadecimal with spaces': (secret) => hexadecimal(secret, ' '),
  'hexadecimal with hyphens': (secret) => hexadecimal(secret, '-'),
  'hexadecimal with \\x': (secret) => hexadecimal(secret, '\\x'),
  'hexadecimal with %': (secret) => hexadecimal(secret, '%'),
  'hexadecimal with 0x': (secret) => hexadecimal(secret, '0x'),
  'hexadecimal with , 0x': (secret) => hexadecimal(secret, ', 0x'),
  'hexadecimal in lines': (secret) => lines(hexadecimal(secret, ''), 10, '\n'),
  Base64: (secret) => bare(base64(secret)),
  base64url: (secret) => Buffer.from(secret).toString('base64url'),
  'Base64 of Base64': (secret) => bare(base64(bare(base64(secret)))),
  'Base64 of hexadecimal': (secret) => bare(base64(hexadecimal(secret, ''))),
  'hexadecimal of Base64': (secret) => hexadecimal(bare(base64(secret)), ''),
  'Base64 in lines': (secret) => lines(bare(base64(secret)), 10, '\n'),
  'Base64 in lines of CR LF, indented': (secret) => lines(bare(base64(secret)), 10, '\r\n  '),
  'Base64 in lines, in JSON': (secret) => lines(bare(base64(secret)), 10, '\\n'),
  'Base64, percent-encoded': (secret) => encodeURIComponent(bare(base64(secret))),
  'a query': encodeURIComponent,
  'percent-encoding of every byte': percent,
  'percent-encoding in capitals': (secret) => percent(secret).toUpperCase().replaceAll('%0X', '%'),
  'percent-encoding of some characters': (secret) => inTurn(secret.replaceAll('%', '%25'), clear),
  'percent-encoding twice': (secret) => encodeURIComponent(encodeURIComponent(secret)),
  'percent-encoding of every byte twice': (secret) => percent(percent(secret)),
  "a form's plus sign": (secret) => new URLSearchParams({ '': secret }).toString().slice(1),
  "JavaScript's escape()": (secret) => units(secret, (code) => (code < 256 ? `%${hex(code, 2)}` : `%u${hex(code)}`)),
  JSON: json,
  'JSON with solidus': (secret) => json(secret).replaceAll('/', '\\/'),
  'JSON, \\u': (secret) => units(secret, (code) => `\\u${hex(code)}`),
  'JSON, \\u in capitals': (secret) => units(secret, (code) => `\\u${hex(code).toUpperCase()}`),
  'JSON in JSON': (secret) => json(json(secret)),
  'JSON in JSON, \\u': (secret) => units(secret, (code) => `\\\\u${hex(code)}`),
  'JSON in JSON in JSON, \\u': (secret) => units(secret, (code) => `\\\\\\\\u${hex(code)}`),
  'JavaScript, \\x': (secret) => units(secret, (code) => (code < 256 ? `\\x${hex(code, 2)}` : `\\u${hex(code)}`)),
  'JavaScript, \\u{}': (secret) => each(secret, (character) => `\\u{${hex(character.codePointAt(0) ?? 0, 1)}}`),
  'JavaScript, \\u{} with zeros': (secret) => each(secret, (character) => `\\u{${hex(character.codePointAt(0) ?? 0, 9)}}`),
  'octal of bytes': (secret) =>
    bytes(secret)
      .map((byte) => `\\${byte.toString(8).padStart(3, '0')}`)
      .join(''),
  'XML, decimal': (secret) => each(secret, (character) => `&#${character.codePointAt(0)};`),
  'XML, decimal with zeros': (secret) => each(secret, (character) => `&#00000${character.codePointAt(0)};`),
  'XML, hexadecimal': (secret) => each(secret, (character) => `&#x${hex(character.codePointAt(0) ?? 0, 1)};`),
  'XML, hexadecimal with zeros': (secret) => each(secret, (character) => `&#X${hex(character.codePointAt(0) ?? 0, 12).toUpperCase()};`),
  'HTML without semicolons': (secret) => each(secret, (character) => `&#${character.codePointAt(0)}`),
  'XML, named': named,
  'HTML, named in capitals': (secret) => named(secret).replace(/&\w+;/g, (name) => (name === '&apos;' ? name : name.toUpperCase())),
  'XML in XML': (secret) => each(secret, (character) => `&amp;#${character.codePointAt(0)};`),
  'XML in XML, named': (secret) => named(named(secret)),
  'UTF-8 read as ISO 8859-1': (secret) => Buffer.from(secret).toString('latin1'),
  'UTF-8 read as ISO 8859-1 twice': (secret) => Buffer.from(Buffer.from(secret).toString('latin1')).toString('latin1'),
  'UTF-8 read as ISO 8859-1, in XML': (secret) => units(Buffer.from(secret).toString('latin1'), (code) => `&#${code};`),
  NFC: (secret) => secret.normalize('NFC'),
  NFD: (secret) => secret.normalize('NFD'),
  'full width': fullWidth,
  'full width, percent-encoded': (secret) => encodeURIComponent(fullWidth(secret)),
  'zero-width spaces': (secret) => each(secret, (character) => `\u200b${character}`).slice(1),
  'joiners and marks': (secret) =>
    inTurn(
      secret,
      (c) => `${c}\u200d`,
      (c) => `${c}\u2060`,
      (c) => `${c}\ufeff`,
      (c) => `${c}\u202e`,
    ),
  'soft hyphens': (secret) => characters(secret).join('\u00ad'),
  spaces: (secret) => characters(secret).join(' '),
  'other spaces': (secret) =>
    inTurn(
      secret,
      (c) => `${c}\t`,
      (c) => `${c}\u00a0`,
      (c) => `${c}\u3000`,
      (c) => `${c}\v`,
    ).trimEnd(),
  'line feeds': (secret) => characters(secret).join('\n'),
  'line feeds, in JSON': (secret) => characters(secret).map(json).join('\\r\\n'),
  'zero-width spaces, escaped': (secret) => characters(secret).join('&#8203;'),
  'a mixture': (secret) =>
    inTurn(
      secret,
      clear,
      percent,
      (c) => units(c, (code) => `\\u${hex(code)}`),
      (c) => `&#${c.codePointAt(0)};`,
      (c) => c.toUpperCase(),
      fullWidth,
      (c) => percent(percent(c)),
      (c) => `${c}\u200b`,
      (c) => `\\u{${hex(c.codePointAt(0) ?? 0, 1)}}`,
      (c) => `&amp;#x${hex(c.codePointAt(0) ?? 0, 1)};`,
    ),
};

/** Looks like escapes itself. Where some of them are escaped again and others are not, no decoder would find it. */
const ESCAPES = 'a%41b&#67;\\u0043+%2543';

test.describe('a redactor masks', () => {
  for (const [secret, what] of Object.entries({ [SECRET]: 'with every sign', [PLAIN]: 'of letters and digits', [ESCAPES]: 'of escapes' })) {
    for (const [spelling, write] of Object.entries(spellings)) {
      if (secret === ESCAPES && spelling === 'a mixture') continue;
      test(`a secret ${what}: ${spelling}`, () => {
        const redact = redactor([secret]);
        const written = write(secret);
        expect.soft(redact(`{"a": "${written}", "b": 1}`)).toBe(`{"a": "${MASK}", "b": 1}`);
        expect.soft(redact(written)).toBe(MASK);
        expect.soft(detector([secret])(`{"a": "${written}", "b": 1}`), 'detected').toBe(true);
      });
    }
  }

  for (const before of ['', 'a', 'ab', 'abc']) {
    for (const after of ['', 'z', 'zz']) {
      test(`Base64 of a text around a secret: ${before}…${after}`, () => {
        for (const code of ['base64', 'base64url'] as const) {
          const text = Buffer.from(`${before}${before}${PLAIN}${after}`).toString(code);
          const twice = Buffer.from(`${before}${text}${after}`).toString(code);
          // What stays tells of the neighbours, and of two bits more on a side.
          expect(redactor([PLAIN])(`"${text}"`)).toMatch(/^"\w{0,8}‹redacted›\w{0,4}=*"$/);
          expect(redactor([PLAIN])(`"${twice}"`)).toMatch(/^"\w{0,16}‹redacted›\w{0,12}=*"$/);
          expect(detector([PLAIN])(text) && detector([PLAIN])(twice)).toBe(true);
        }
      });
    }
  }

  test('a secret wherever it stands, and what is beside it', () => {
    const redact = redactor([PLAIN, SECRET, 'the-access-id']);
    expect(redact(`${PLAIN}${SECRET} the-access-id,${PLAIN}`)).toBe(`${MASK} ${MASK},${MASK}`);
    expect(redact(`a${PLAIN}a`)).toBe(`a${MASK}a`);
  });

  test('a secret beside what makes an escape of its first or last letter', () => {
    const redact = redactor(['raaa12ab']);
    expect(redact('\\raaa12%61b')).toBe(`\\${MASK}`);
    expect(redact('\\raaa12&#97;b')).toBe(`\\${MASK}`);
    expect(redactor(['aba12aa%'])('aba\\u0031\\u0032aa%61')).toBe(`${MASK}61`);
  });

  test('the longer of two secrets, one of which is a part of the other', () => {
    expect(redactor([PLAIN, `the-access-id:${PLAIN}`])(`"the-access-id:${PLAIN}"`)).toBe(`"${MASK}"`);
  });

  for (const [what, secret] of Object.entries({
    'of a thousand characters': 'kT9v.Qx2*L'.repeat(100),
    'of one character, a thousand times': 'a'.repeat(1_000),
    'of a regular expression': '(a+)+[b-z]{8,}$|^.*\\d?',
    'beyond ASCII': 'пароль-Straße-ключ',
    'beyond the BMP': '😀𝒳😎𠀀😇🦄🐙👾',
    'in a script that composes': 'ひみつのかぎがぎ한국어',
    'with accents in no order': 'a\u0301\u0323b\u0323\u0301cdefghij',
  })) {
    test(`a secret ${what}`, () => {
      for (const spelling of ['clear', 'Base64', 'JSON', 'a query', 'XML, decimal', 'NFD', 'NFC', 'capitals', 'spaces']) {
        expect(redactor([secret])(`"${spellings[spelling]?.(secret)}"`), spelling).toBe(`"${MASK}"`);
      }
    });
  }

  for (const [what, secret] of Object.entries({
    'spaces and little else': 'a   b   c ',
    'plus signs': '+++++++++',
    accents: '\u0301'.repeat(9),
  })) {
    test(`a secret of ${what}`, () => {
      for (const spelling of [
        'clear',
        'capitals',
        'hexadecimal',
        'Base64',
        'JSON',
        'a query',
        'percent-encoding of every byte',
        'XML, decimal',
      ]) {
        expect(redactor([secret])(`"${spellings[spelling]?.(secret)}"`), spelling).toBe(`"${MASK}"`);
      }
      expect(redactor([secret])('"abc", "a b c", "+", "é"')).toBe('"abc", "a b c", "+", "é"');
    });
  }
});

test.describe('a part of a secret', () => {
  const half = PLAIN.slice(0, 10);

  for (const part of [half, PLAIN.slice(10), PLAIN.slice(4, 15), PLAIN.slice(1)]) {
    for (const spelling of [
      'clear',
      'capitals',
      'JSON, \\u',
      'percent-encoding of every byte',
      'XML, decimal',
      'spaces',
      'a mixture',
      'Base64',
    ]) {
      test(`is masked: ${part}, ${spelling}`, () => {
        expect(redactor([PLAIN])(`"${spellings[spelling]?.(part)}"`)).toBe(`"${MASK}"`);
        expect(detector([PLAIN])(part), 'it is no secret by itself').toBe(false);
      });
    }
  }

  test('is masked in two properties and in two lines', () => {
    expect(redactor([PLAIN])(`{"a":"${half}","b":"${PLAIN.slice(10)}"}`)).toBe(`{"a":"${MASK}","b":"${MASK}"}`);
    expect(redactor([PLAIN])(`${half}\r\n\r\n  ${PLAIN.slice(10)}.`)).toBe(`${MASK}.`);
  });

  test('is left if it is less than half, or shorter than eight', () => {
    expect(redactor([PLAIN])(PLAIN.slice(0, 9))).toBe(PLAIN.slice(0, 9));
    expect(redactor(['kT9vQx2Lm'])('kT9vQx2 T9vQx2L')).toBe('kT9vQx2 T9vQx2L');
    expect(redactor(['kT9vQx2Lm'])('T9vQx2Lm')).toBe(MASK);
  });

  test("is left if it is a word of the suite's own", () => {
    const redact = redactor(['application-7f3', 'x1:customer', 'Authorization=1']);
    for (const text of ['application/json', '{"customer": "customers"}', 'WWW-Authenticate, Authorization'])
      expect(redact(text)).toBe(text);
    expect(redact('application-7f3, x1:customer, application-7')).toBe(`${MASK}, ${MASK}, ${MASK}`);
  });
});

test.describe('a short secret', () => {
  const redact = redactor(['a:b']);
  const has = detector(['a:b']);

  for (const text of [
    'Basic YTpi',
    'basic YTpi',
    '%61%3a%62',
    '\\u0061:b',
    '&#097;:b',
    'a&#x3a;b',
    '\\x61\\x3a\\x62',
    '61:3a:62',
    'YVRwaWI=',
  ]) {
    const masked = text !== 'YVRwaWI=';
    test(`is ${masked ? 'masked' : 'left'} in ${text}`, () => {
      expect(redact(`"${text}"`)).toBe(masked ? `"${MASK}"` : `"${text}"`);
      expect(has(text)).toBe(masked);
    });
  }

  for (const text of ['a:b', 'A:B', 'a : b', 'a       :      b', 'b:a', '613a62', 'YTpi', 'data:base64', 'a%3Ab']) {
    test(`is left in ${text}, which occurs by chance`, () => {
      expect(redact(text)).toBe(text);
      expect(has(text)).toBe(false);
    });
  }

  test('is masked as Base64 of eight characters and more', () => {
    expect(redactor(['abc:de'])(`"${base64('abc:de')}"`)).toBe(`"${MASK}"`);
    expect(redactor(['a:bc'])(`Basic ${base64('a:bc')}`)).toBe(`${MASK}==`);
    expect(redactor(['a:?'])(`Basic ${Buffer.from('a:?').toString('base64url')}`)).toBe(MASK);
  });
});

test.describe('other text', () => {
  const texts = [
    '',
    'nothing here',
    '{"customer":{"customerId":"1002383231","name":"Zoë O\'Neil","phone":"+15550123456"}}',
    'a%20b \\u0043 &amp; Ã© QUJDREVGR0hJSktMTU5PUA== 6162636465666768',
    `${PLAIN.slice(0, 9)} ${MASK}`,
    '\ud83d',
  ];
  for (const text of texts) {
    test(`stays as it is: ${JSON.stringify(text)}`, () => {
      expect(redactor([PLAIN, SECRET, ESCAPES])(text)).toBe(text);
      expect(redactor([])(text)).toBe(text);
      expect(redactor([''])(text)).toBe(text);
      expect(detector([PLAIN, SECRET])(text)).toBe(false);
      expect(detector([])(text)).toBe(false);
    });
  }

  test('stays as it is if it is redacted already', () => {
    const redact = redactor([PLAIN, 'a-redacted-key']);
    const once = redact(`${PLAIN} ${PLAIN.slice(3)} a-redacted-key`);
    expect(once).toBe(`${MASK} ${MASK} ${MASK}`);
    expect(redact(once)).toBe(once);
  });
});

test.describe('the secrets of a run', () => {
  const merchant = { accessId: 'shop-4711-live', accessKey: PLAIN };

  test('are the keys, the pairs, the accessIds and what else is given', () => {
    expect(secretsOf([merchant], ['another-secret'])).toEqual({
      keys: [`shop-4711-live:${PLAIN}`, PLAIN],
      all: [`shop-4711-live:${PLAIN}`, PLAIN, 'shop-4711-live', 'another-secret'],
    });
    expect(whyGuessable(merchant.accessId)).toBeUndefined();
  });

  test('are the pair alone if both halves are guessable', () => {
    expect(secretsOf([{ accessId: 'x', accessKey: 'Customer' }], ['short', '', 'application/json', 'true'])).toEqual({
      keys: ['x:Customer'],
      all: ['x:Customer'],
    });
  });

  for (const value of [
    'customer',
    'APPLICATION',
    'externalId',
    'Unauthorized',
    'authorization',
    'content-type',
    'customerId',
    'redacted',
  ]) {
    test(`are not ${value}`, () => {
      expect(whyGuessable(value)).toBe("occurs in the suite's own texts");
    });
  }

  test('have eight characters, not bytes', () => {
    expect(whyGuessable('12345678')).toBeUndefined();
    for (const short of ['1234567', '😀😀😀😀😀😀😀', '']) expect(whyGuessable(short)).toBe('is shorter than eight characters');
  });

  test('are not what the base URL contains, which every result shows', () => {
    const baseUrl = `https://example.com/api/${encodeURIComponent('shop/4711/live')}`;
    expect(whyGuessable('shop/4711/live', baseUrl)).toBe('is part of TRUSTLY_BASE_URL');
    expect(whyGuessable('shop/4711/live', 'https://example.com/api/shop/4711')).toBeUndefined();
    expect(secretsOf([{ accessId: 'shop/4711/live', accessKey: PLAIN }], [], baseUrl).all).toEqual([`shop/4711/live:${PLAIN}`, PLAIN]);
  });
});

/** Decoders of the spellings that are written over a text: they know nothing of secrets. */
const readers: Record<string, (text: string) => string> = {
  clear,
  capitals: (text) => text.toLowerCase(),
  reversed: (text) => characters(text).reverse().join(''),
  hexadecimal: (text) => text.replace(/(?:[\da-f]{2})+/g, (digits) => Buffer.from(digits, 'hex').toString()),
  'percent-encoding of every byte': (text) => text.replace(/(?:%[\da-f]{2})+/g, unpercent),
  'percent-encoding of every byte twice': (text) => text.replace(/(?:%[\da-f]{2})+/g, unpercent).replace(/(?:%[\da-f]{2})+/g, unpercent),
  'a query': (text) => text.replace(/(?:%[\da-fA-F]{2})+/g, unpercent),
  'JSON, \\u': unescapeJson,
  'JSON in JSON, \\u': (text) => unescapeJson(unescapeJson(text)),
  'JavaScript, \\u{}': (text) => text.replace(/\\u\{([\da-f]+)\}/g, (_, code) => String.fromCodePoint(Number.parseInt(code, 16))),
  'XML, decimal': (text) => text.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code))),
  'XML, hexadecimal': (text) => text.replace(/&#x([\da-f]+);/g, (_, code) => String.fromCodePoint(Number.parseInt(code, 16))),
  'UTF-8 read as ISO 8859-1': (text) => Buffer.from(text, 'latin1').toString(),
  'zero-width spaces': (text) => text.replaceAll('\u200b', ''),
  'soft hyphens': (text) => text.replaceAll('\u00ad', ''),
  'line feeds': (text) => text.replaceAll('\n', ''),
  'full width': (text) => text.replace(/[\uff01-\uff5e]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) - 0xfee0)),
};
function unescapeJson(text: string): string {
  const letters: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
  return text.replace(/\\(?:u([\da-f]{4})|(["\\/bfnrt]))/g, (_, code, letter) =>
    code ? String.fromCharCode(Number.parseInt(code, 16)) : (letters[letter] ?? letter),
  );
}
const unpercent = (text: string) => Buffer.from(text.replaceAll('%', ''), 'hex').toString();

/** Text of all kinds, with much of what spellings are made of. */
const unit = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789') },
  { weight: 3, arbitrary: fc.constantFrom(...' !"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~') },
  { weight: 1, arbitrary: fc.constantFrom(...'äÖßéñЖя日本𝒳😀') },
);
const textOf = (minLength: number, maxLength: number) => fc.string({ unit, minLength, maxLength, size: 'max' });
const kept = (secret: string) => characters(secret).filter((character) => !/[\s+]/.test(character)).length;
const secrets = textOf(8, 40).filter((secret) => kept(secret) >= 8);

test.describe('any secret', () => {
  for (const [spelling, read] of Object.entries(readers)) {
    test(`is not found again: ${spelling}`, () => {
      const masks = fc.property(secrets, textOf(0, 20), textOf(0, 20), (secret, before, after) => {
        const written = `${before}${spellings[spelling]?.(secret)}${after}`;
        const wanted = spelling === 'capitals' ? secret.toUpperCase().toLowerCase() : secret;
        fc.pre(read(written).includes(wanted));
        expect(read(redactor([secret])(written))).not.toContain(wanted);
        expect(detector([secret])(written)).toBe(true);
      });
      fc.assert(masks, RUNS);
    });
  }

  test('is not found again: Base64 of it and of text around it', () => {
    const masks = fc.property(
      secrets,
      textOf(0, 20),
      textOf(0, 20),
      fc.constantFrom('base64' as const, 'base64url' as const),
      (secret, ...[before, after, code]) => {
        const written = Buffer.from(`${before}${secret}${after}`).toString(code);
        const left = redactor([secret])(`"${written}"`).split(MASK);
        const decoded = left.flatMap((part) => [0, 1, 2, 3].map((start) => Buffer.from(part.slice(start), code).toString()));
        expect(decoded.join('\n')).not.toContain(secret);
        expect(left.length).toBeGreaterThan(1);
        expect(detector([secret])(written)).toBe(true);
      },
    );
    fc.assert(masks, RUNS);
  });

  test('is not found again: each character in another spelling', () => {
    const writers: ((character: string) => string)[] = [
      clear,
      percent,
      (c) => percent(c).toUpperCase(),
      (c) => percent(percent(c)),
      (c) => units(c, (code) => `\\u${hex(code)}`),
      (c) => units(c, (code) => `\\\\u${hex(code)}`),
      (c) => `\\u{${hex(c.codePointAt(0) ?? 0, 1)}}`,
      (c) =>
        bytes(c)
          .map((byte) => `\\x${hex(byte, 2)}`)
          .join(''),
      (c) =>
        bytes(c)
          .map((byte) => `\\${byte.toString(8).padStart(3, '0')}`)
          .join(''),
      (c) => `&#${c.codePointAt(0)};`,
      (c) => `&amp;#x${hex(c.codePointAt(0) ?? 0, 1)};`,
      named,
      fullWidth,
      (c) => c.toUpperCase(),
      (c) => `${c}\u200b`,
      (c) => `${c}\n `,
    ];
    // A secret that looks like an escape is found in one spelling, not in every mixture.
    const plain = secrets.filter((secret) => !/%[\da-f]|[\\&]|^[\s+]|[\s+]$/i.test(secret));
    const masks = fc.property(plain, fc.infiniteStream(fc.nat(writers.length - 1)), (secret, choices) => {
      const written = each(secret, (character) => writers[choices.next().value]?.(character) ?? '');
      expect(redactor([secret])(`"${written}"`)).toMatch(/^"‹redacted›(\\n|\s)*"$/);
      expect(detector([secret])(written)).toBe(true);
    });
    fc.assert(masks, RUNS);
  });

  test('leaves text without it as it is', () => {
    // fast-check repeats words of its own in both.
    const halves = (secret: string) =>
      characters(secret).map((_, start) => secret.toLowerCase().slice(start, start + Math.ceil(secret.length / 2)));
    const leaves = fc.property(fc.array(textOf(12, 40), { minLength: 1, maxLength: 4 }), textOf(0, 600), (held, text) => {
      fc.pre(!held.flatMap(halves).some((half) => half.length >= 6 && text.toLowerCase().includes(half)));
      expect(redactor(held)(text)).toBe(text);
      expect(detector(held)(text)).toBe(false);
    });
    fc.assert(leaves, RUNS);
  });
});

test.describe('a text that is shortened', () => {
  const key = 'q7Zk9wRt5xJmp3VbLc8Hd2QsTuYwEz';
  const redact = redactor([key]);
  const pieces = Array.from({ length: key.length - 3 }, (_, index) => key.slice(index, index + 4));
  const seen = (text: string) => pieces.filter((piece) => text.includes(piece));
  const spellings: [string, string][] = [
    ['in clear', key],
    ['percent-encoded', [...Buffer.from(key)].map((byte) => `%${byte.toString(16)}`).join('')],
    ['in escapes of JSON', [...key].map((character) => `\\u00${character.charCodeAt(0).toString(16)}`).join('')],
  ];
  for (const [how, spelled] of spellings) {
    test(`shows no part of a secret where it is cut: ${how}`, () => {
      for (let offset = 0; offset <= 100 + spelled.length; offset += 1) {
        const text = `${'p'.repeat(offset)}${spelled}${'m'.repeat(4_000)}${spelled}${'t'.repeat(offset)}`;
        const shown = redact(text, 200);
        // Digits of escapes are no pieces of the key; undone they may be.
        const undone = shown.replaceAll(/(?:%|\\u00)([\da-f]{2})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)));
        expect(seen(undone), `${offset}: ${shown}`).toEqual([]);
        expect(shown).toMatch(/… [\d,]+ characters …/);
        expect(shown.length).toBeLessThanOrEqual(200 + 2 * MASK.length);
      }
    });
  }

  test('shows none of a secret that is repeated, at any limit', () => {
    for (let limit = 40; limit < 140; limit += 1) expect(seen(redact(key.repeat(200), limit)), String(limit)).toEqual([]);
  });

  test('is as it was shortened, without a secret', () => {
    const text = 'abc😀'.repeat(1_000);
    for (let limit = 30; limit < 60; limit += 1) expect(redact(text, limit)).toBe(shorten(text, limit));
    expect(redact('short', 10)).toBe('short');
  });
});

test.describe('a text of a megabyte', () => {
  const long = (text: string) => text.repeat(Math.ceil(1_000_000 / text.length)).slice(0, 1_000_000);
  const random = createHash('shake256', { outputLength: 1_000_000 }).update('a').digest();
  const texts: Record<string, string> = {
    'percent signs': long('%'),
    'percent-encoding, many times': long('%25252541'),
    backslashes: long('\\'),
    'escapes of JSON': long('\\u0041'),
    ampersands: long('&'),
    'a number without an end': `&#${long('0')}`,
    'numbers without digits': long('&#'),
    'code points without an end': `\\u{${long('0')}`,
    'XML in XML': long('&amp;#65;'),
    'white space': long(' \n'),
    'zero-width spaces': long('\u200b'),
    'characters that stand for many': long('\ufdfa'),
    Base64: random.subarray(0, 750_000).toString('base64'),
    'Base64 of Base64': base64(random.subarray(0, 562_500).toString('base64')),
    'Base64 in short lines': lines(random.subarray(0, 375_000).toString('base64'), 1, '\n'),
    hexadecimal: random.subarray(0, 500_000).toString('hex'),
    'hexadecimal without an end': long('0x'),
    bytes: random.toString('latin1'),
    'a secret but for its first character': long(PLAIN.slice(1)),
    'halves of a secret': long(`${PLAIN.slice(0, 10)}|`),
    'less than halves of a secret': long(`${PLAIN.slice(0, 9)}|`),
    'one character': long('a'),
  };
  // Measured: 2.4 s at most. A quadratic search takes minutes, so the bound leaves room for a slower machine.
  for (const [what, text] of Object.entries(texts)) {
    test(`is redacted soon: ${what}`, () => {
      const redact = redactor([PLAIN, SECRET, `the-access-id:${PLAIN}`, 'a'.repeat(1_000), `${'a'.repeat(500)}b${'a'.repeat(499)}`]);
      const has = detector([PLAIN, SECRET]);
      expect(secondsOf(() => redact(text))).toBeLessThan(10);
      expect(secondsOf(() => has(text))).toBeLessThan(10);
    });
  }
});

/** Seconds of the processor that a call takes: what else the machine does counts for nothing. */
function secondsOf(call: () => unknown): number {
  const start = process.cpuUsage();
  call();
  return process.cpuUsage(start).user / 1e6;
}

test('a detector takes little of an answer', () => {
  const has = detector([PLAIN, SECRET, `the-access-id:${PLAIN}`, `another-id:${SECRET}`]);
  const body = '{"customer":{"customerId":"1002383231","externalId":"1795-1","name":"Jane O\'Neil","phone":"+15550123456"}}'.repeat(6);
  for (let count = 0; count < 1_000; count += 1) has(body);
  // Measured: 8 µs for 600 characters (30 µs if there are escapes in them) and 15 ms for a million, where the machine has nothing else to do.
  const short = secondsOf(() => Array.from({ length: 1_000 }, () => has(body))) / 1_000;
  const long = secondsOf(() => has(body.repeat(1_600)));
  expect(short).toBeLessThan(150e-6);
  expect(long).toBeLessThan(0.25);
});
