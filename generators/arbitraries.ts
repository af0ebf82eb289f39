import fc from 'fast-check';
import type { Address, Customer, Json, JsonObject } from '../schemas/contract.ts';
import type { Removable } from '../schemas/properties.ts';
import { areaCodes, places } from './places.ts';

/** An arbitrary for each of some properties of a customer. */
export type Arbitraries<Name extends keyof Customer> = { readonly [Each in Name]: fc.Arbitrary<Required<Customer>[Each]> };

const DAY = 86_400_000;
const streets = ['Main St', 'Broadway St', 'Oak Ave', 'Maple Dr', 'Lake Rd', 'Park Pl', 'Hill Ct', 'Second Ave'];
const firstNames = 'Ann Bob Carla David Emma Frank Grace Henry Irene James Laura Peter Susan Walter'.split(' ');
const lastNames = 'Smith Baker Carter Davis Evans Fisher Green Hill Jones Miller Nelson Parker Taylor'.split(' ');
const words = ['gold', 'weekly', 'web', 'mobile', 'north', 'English', 'spring sale'];

const padded = (digits: number, min = 0) =>
  fc.integer({ min, max: 10 ** digits - 1 }).map((number) => String(number).padStart(digits, '0'));

/** A US tax id never issued, in its three parts: it begins with 9, and its middle digits are none that individual taxpayer numbers use. */
const neverIssued = fc.tuple(
  padded(2).map((digits) => `9${digits}`),
  fc.integer({ min: 10, max: 49 }).map(String),
  padded(4, 1),
);

/**
 * Plain values, which no lawful server refuses: realistic, of adults in the United States and Canada, and short. The values that identify a customer
 * from another (phone, e-mail, taxId, externalId) is not among them: see `People`.
 */
export const plain: Arbitraries<'name' | 'address' | Removable> = {
  name: fc.tuple(fc.constantFrom(...firstNames), fc.constantFrom(...lastNames)).map((names) => names.join(' ')),
  address: fc
    .tuple(
      fc.integer({ min: 1, max: 9999 }),
      fc.constantFrom(...streets),
      fc.option(fc.integer({ min: 1, max: 99 }), { nil: undefined }),
      fc.constantFrom(...places),
    )
    .map(([number, street, unit, place]) => ({
      address1: `${number} ${street}`,
      ...(unit !== undefined && { address2: `Apt ${unit}` }),
      ...place,
    })),
  // 1946 to 1989, so that everybody was an adult on the first enrollDate.
  dateOfBirth: fc.integer({ min: -8766, max: 7304 }).map((day) => new Date(day * DAY).toISOString().slice(0, 10)),
  enrollDate: fc.integer({ min: Date.UTC(2015, 0, 1), max: Date.UTC(2025, 11, 31) }),
  vip: fc.integer({ min: 1, max: 9 }).map(String),
  currency: fc.constantFrom('USD', 'CAD'),
  balance: fc.integer({ min: 100, max: 999_999 }).map((cents) => (cents / 100).toFixed(2)),
  organizationNumber: padded(8, 10_000_000).map((digits) => `0${digits}`),
  externalTier: fc.constantFrom('Gold', 'Silver', 'Diamond', '4 stars'),
  customData: fc.dictionary(
    fc.constantFrom('segment', 'visits', 'newsletter', 'channel', 'language', 'score'),
    fc.oneof(fc.integer({ min: 0, max: 999 }), fc.boolean(), fc.constantFrom(...words)),
    { minKeys: 1, maxKeys: 5, noNullPrototype: true },
  ),
  // States whose licenses have a letter and seven digits, so that the number passes a check against the state.
  driverLicense: fc.record(
    { number: padded(7).map((digits) => `A${digits}`), state: fc.constantFrom('CA', 'NY', 'OH', 'NE', 'MO') },
    { noNullPrototype: true },
  ),
  nationalId: neverIssued.map((parts) => parts.join('')),
};

/** Text that back ends get wrong. Only spaces are at its ends: servers differ in what else they trim. */
const snippets = Object.values({
  quotes: ["'", '"', "O'Brien", '""', "''", '“x”', '`x`', '\\', '\\\\', 'C:\\temp', '\\n', '\\u0041', '\\"'],
  markup: ['<', '<b>x</b>', '<script>alert(1)</script>', '<!-- x -->', ']]>', '&', '&amp;', '&lt;', '&#39;', '&nbsp;'],
  sql: ["' OR '1'='1", "'; SELECT 1; --", 'a_b%c', '; --', '/* x */'],
  templates: ['{{7*7}}', '\u0024{7*7}', '#{7*7}', '<%= 7*7 %>', '\u0024{jndi:ldap://example.invalid/a}', '$(echo 1)'],
  formats: ['%s %d %x', '{0}', '$1'],
  tables: ['=1+1', '+1', '-1', '@SUM(1,1)', 'a,b;c|d', '../x', '#', '?a=b'],
  url: ['100%', '%41', '%2B', '%zz', '%00', 'a+b', 'a%20b'],
  spaces: [' x', 'x ', 'a  b', 'a   b', 'a \t b', 'a. b.  c', 'a\n\nb', 'a\tb', 'a\nb', 'a\r\nb', 'a\u00a0b', 'a\u3000b', 'a\u2028b'],
  controls: ['a\u0000b', 'a\u0007b', 'a\u001bb', 'a\u007fb', 'a\u0085b'],
  invisible: ['a\u200bb', 'a\u00adb', 'a\ufeffb', 'a\u202eb', 'a\u2066b'],
  accents: ['é', 'e\u0301', 'Å', '\u212b', 'A\u030a', 'q\u0307\u0323', 'q\u0323\u0307', '한', '\u1112\u1161\u11ab', 'a\u0301\u0302\u0303'],
  letters: ['ß', 'ẞ', 'ı', 'İ', 'ΑΣ', 'ﬁ', 'ǅ', 'ŉ', 'Ω', 'Zoë', 'Łódź', 'Ђорђе'],
  cjk: ['山田', '㈱', '㎏', '\uf900', 'ﾊﾝ', 'Ａ', '𠮷', '𠮷\u{e0100}', '\u{2f800}'],
  beyond: ['😀', '👩‍👩‍👧‍👦', '🏳️‍🌈', '🇨🇦', '👍🏽', '𝒳', '𐐀', '\u{10fffd}'],
  rightToLeft: ['שלום', 'مرحبا', 'אa1ב', 'ﷺ', '𞤀'],
  others: ['नमस्ते', 'ไทย', 'தமிழ்', 'မြန်မာ', 'ကို'],
}).flat();

/** Shrinks towards the first value step by step; `fc.constantFrom` would try the first alone. */
const ordered = <Value>(values: readonly Value[]) => fc.nat(values.length - 1).map((index) => values[index] as Value);

const numeric = [
  ...['007', '0', '-0', '1e5', '1E400', '0x1F', '0b1', '1_000', '1,000', '1.0', '.5', '5.', '+5', '٣', '１２', '½'],
  ...['NaN', 'Infinity', '-Infinity', '9007199254740993', '9223372036854775808', '12345678901234567890.123', '2024-01-01', '12:30'],
];
const literals = [
  ...['null', 'true', 'false', 'undefined', 'None', 'nil', 'NULL', '{}', '[]', '"x"'],
  ...['[object Object]', '__proto__', 'constructor'],
];
const single = ['a', '0', '-', '"', "'", '\\', '%', '<', '$', '*', 'X', 'é', 'ß', 'ı', '語', 'ש', '😀'];

/**
 * A character of any plane, though none that another version of Unicode may compose otherwise, no control and no surrogate. Not fast-check's
 * unit `binary`, whose table of them all takes 85 MB of every process.
 */
const character = fc
  .integer({ min: 0x61, max: 0x10_ff_ff })
  .map((codePoint) => String.fromCodePoint(codePoint))
  .filter((one) => !/[\p{Cn}\p{Cc}\p{Cs}]/u.test(one));

/** Never empty nor blank: whether such text counts as a value is left open. */
const shortText = fc.oneof(
  {
    weight: 9,
    arbitrary: fc
      .tuple(fc.constantFrom('', 'a', 'Ann ', 'Ann'), ordered(snippets), fc.constantFrom('', 'b', ' Smith', 'Smith'))
      .map((parts) => parts.join('')),
  },
  { weight: 1, arbitrary: fc.constantFrom(...single) },
  { weight: 1, arbitrary: fc.constantFrom(...numeric) },
  { weight: 1, arbitrary: fc.constantFrom(...literals) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((text) => text.trim() !== '') },
  { weight: 1, arbitrary: fc.string({ unit: character, maxLength: 12 }).map((text) => `a${text}z`) },
);

/** Just over what a column holds, and once far over. */
const longText = fc
  .tuple(ordered([33, 65, 101, 129, 255, 256, 257, 513, 1000, 4097]), fc.constantFrom('x', '0', 'é', '語', '😀'))
  .map(([length, one]) => one.repeat(length));

const text = fc.oneof({ withCrossShrink: true }, { weight: 9, arbitrary: shortText }, { weight: 1, arbitrary: longText });

/** One of these, or any unusual text. */
const oneOf = (...values: readonly string[]) =>
  fc.oneof({ withCrossShrink: true }, { weight: 2, arbitrary: fc.constantFrom(...values) }, { weight: 1, arbitrary: text });

const { MAX_SAFE_INTEGER, MIN_SAFE_INTEGER } = Number;
const EDGES = [0, -1, 1, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 32 - 1, 2 ** 32, 2 ** 40, MAX_SAFE_INTEGER, MIN_SAFE_INTEGER];

/** Never -0, which `JSON.stringify` writes as 0. All read back as they were written from a double. */
const number = fc.oneof(
  fc.constantFrom(...EDGES, 0.1, -0.5, 1e21, 1e-7, 1 / 3, 123_456_789.125),
  fc.tuple(fc.maxSafeInteger(), fc.integer({ min: 1, max: 30 })).map(([dividend, power]) => dividend / 2 ** power),
);

/** None has white space at its ends (except the blank one) or an accent, so neither trimming nor composing reaches a key. */
const unusualKey = fc.oneof(
  fc.constantFrom(
    ...['a', '', ' ', 'a.b', 'x.y.z', 'a[0]', '$set', '$', 'a b', 'A', '0', '10', '2', '-1', '01'],
    ...['null', 'true', 'id', 'customerId', 'length'],
    ...['toString', 'constructor', 'prototype', 'hasOwnProperty', '__proto__', "it's", 'say "x"', 'a\\b', 'a/b', '<a>', 'a&b', 'a%20b'],
    ...['ß', 'ключ', '鍵', '🔑', 'مفتاح', 'x'.repeat(256)],
  ),
  fc.string({ unit: fc.constantFrom(...'abcxyzABC0129_-.$:@/'), minLength: 1, maxLength: 8 }),
);

/** No null, which inside customData may mean a removal, and no empty text. */
const leaf = fc.oneof(shortText, number, fc.boolean()) as fc.Arbitrary<Json>;
const keyed = (value: fc.Arbitrary<Json>, minKeys: number, maxKeys: number): fc.Arbitrary<JsonObject> =>
  fc.dictionary(unusualKey, value, { minKeys, maxKeys, size: 'max', noNullPrototype: true });

const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
  tree: fc.oneof({ maxDepth: 3, withCrossShrink: true }, leaf, keyed(tie('tree'), 0, 3), fc.array(tie('tree'), { maxLength: 3 })),
}));

/** Objects and arrays in one another, each with one member: a step is a key, or undefined for an array. */
const deep = fc
  .tuple(unusualKey, fc.array(fc.option(unusualKey, { nil: undefined }), { maxLength: 9, size: 'max' }), leaf)
  .map(([first, steps, last]) => {
    const inner = steps.reduceRight<Json>((value, step) => (step === undefined ? [value] : { [step]: value }), last);
    return { [first]: inner };
  });

const licenseStates = ['CA', 'NY', 'TX', 'AK', 'HI', 'DC', 'PR', 'GU', 'ON', 'QC'];
const country = fc.oneof(
  { withCrossShrink: true },
  { weight: 9, arbitrary: fc.constantFrom('US', 'CA') },
  { weight: 1, arbitrary: fc.constantFrom('GB', 'DE', 'JP') },
);

const address: fc.Arbitrary<Address> = fc.record(
  { address1: text, address2: text, city: text, state: text, zip: oneOf('02108-1234', '00501', 'M5H2N2', 'SW1A 1AA'), country },
  { requiredKeys: ['country'], noNullPrototype: true },
);

const phone = fc
  .tuple(
    fc.constantFrom<((area: number, line: string) => string)[]>(
      (area, line) => `1${area}55501${line}`,
      (area, line) => `+1 (${area}) 555-01${line}`,
      (area, line) => `1.${area}.555.01${line}`,
      (area, line) => `+1/${area}/555/01${line}`,
      (area, line) => ` +1 ${area}  555 01${line} `,
      (area, line) => `+1-${area}-555-01${line} ext. 12`,
      (area, line) => `tel:+1-${area}-555-01${line};ext=0012`,
      (area, line) => `+1${area}55501${line}x0`,
    ),
    fc.constantFrom(...areaCodes),
    padded(2),
  )
  // With the country code always: a target may know numbers by their full form.
  .map(([write, area, line]) => write(area, line));

const email = fc
  .tuple(
    fc.constantFrom(
      ...['ann+tag', 'Ann.SMITH', "o'brien", '_', '0', 'ann%41', 'a&b', 'a=b', 'a/b', 'a-', '{a}', '!#$*'],
      ...['zoë', 'zoe\u0308', '山田', 'x'.repeat(60)],
    ),
    fc.integer({ min: 0, max: 9999 }),
    fc.constantFrom('', '"', '" ', '"@', '"\\"'),
    fc.constantFrom('example.com', 'example.org', 'EXAMPLE.com'),
  )
  // The third is how a quoted local part begins; it may hold what a bare one may not.
  .map(([local, count, quote, domain]) => `${quote}${local}${count}${quote && '"'}@${domain}`);

const taxId = fc.oneof(
  // No number of area 000 was issued either.
  neverIssued.map(([, middle, last]) => `000${middle}${last}`),
  neverIssued.map((parts) => ` ${parts.join('')}`),
);

/**
 * Unusual values: valid by the published schema, but of the kind that back ends get wrong. A target may refuse any of them; what it accepts
 * it keeps. Text is well-formed and never blank, e-mails lie in reserved domains, phones are 555-01xx, tax ids were never issued.
 */
export const unusual: Arbitraries<'name' | 'address' | 'phone' | 'email' | 'taxId' | Removable> = {
  name: text,
  address,
  phone,
  email,
  taxId,
  dateOfBirth: oneOf(
    // All in ISO form: the comparison cannot tell a reformatted date from a lost one.
    ...['2000-02-29', '1900-01-01', '1899-12-31', '1582-10-10', '0001-01-01', '9999-12-31', '2023-02-29', '1984-00-00'],
  ),
  enrollDate: fc.oneof(fc.constantFrom(...EDGES), fc.integer({ min: 2 ** 40, max: 2 ** 41 - 1 }), fc.integer({ min: -(2 ** 40), max: -2 })),
  vip: oneOf('0', '-1', '10', '007', '1.0', '1e0', 'VIP', '1-5', '九'),
  currency: oneOf('JPY', 'XXX', 'US$', '€', 'BTC', '840', 'USD '),
  balance: oneOf(...['-1204.50', '0.1000', '0000.10', '1204.505050505050505', '1e3', '.5', '-0.00'], '9'.repeat(40)),
  organizationNumber: oneOf('000000001', '00-0000001', '0', 'DE000000001', '1e9', '１２３'),
  externalTier: oneOf('4 ★★★★', 'gold', 'GOLD', 'None', '0', 'Gold/Silver', 'Größe'),
  customData: fc.oneof(
    { withCrossShrink: true },
    { weight: 3, arbitrary: keyed(tree, 1, 8) },
    { weight: 3, arbitrary: deep },
    { weight: 1, arbitrary: keyed(leaf, 1, 60) },
  ),
  driverLicense: fc.record({ number: text, state: fc.constantFrom(...licenseStates) }, { noNullPrototype: true }),
  nationalId: fc.oneof(
    neverIssued.map(([, middle, last]) => `000${middle}${last}`),
    text,
  ),
};
