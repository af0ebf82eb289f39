import { isDeepStrictEqual } from 'node:util';
import { expect, test } from '@playwright/test';
import fc from 'fast-check';
import { plain, unusual } from '../generators/arbitraries.ts';
import { People } from '../generators/customers.ts';
import { type Fault, faultKinds, faults } from '../generators/faults.ts';
import { compare } from '../generators/model.ts';
import { customerProperties, type Json, type JsonObject, requiredProperties, sentences, validateCreate } from '../schemas/contract.ts';
import { isOwned, removableProperties } from '../schemas/properties.ts';

const SEED = 1795;
/** The kind whose faults differ from one another. */
const CUT = 'the JSON is cut off';
const people = new People({ seed: SEED, name: 'arbitraries', prefix: '1795', reserve: () => true, overrides: {} });
const full = people.full() as unknown as JsonObject;

/** Every text of a value, keys included. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return [...(Array.isArray(value) ? [] : Object.keys(value)), ...Object.values(value).flatMap(textsOf)];
}

/** Every text of a value, keys not. */
function valuesOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(valuesOf) : [];
}

function depthOf(value: unknown): number {
  return typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
}

/** Where a value is not one that can be sent as it is in a valid customer; empty where it is. */
function objections(name: string, value: unknown): string[] {
  const customer = { ...full, [name]: value };
  return [
    ...(validateCreate(customer) ? [] : sentences(validateCreate.errors)),
    ...(isDeepStrictEqual(JSON.parse(JSON.stringify(customer)), customer) ? [] : ['JSON changes it']),
    ...textsOf(value)
      .filter((text) => !text.isWellFormed())
      .map((text) => `${JSON.stringify(text)} is not well-formed`),
  ];
}

/** The body in UTF-8, read as strictly as RFC 8259 allows; undefined where it is not JSON. */
function read(body: Buffer): Json | undefined {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body));
  } catch {
    return undefined;
  }
}

const isObject = (value: Json | undefined) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Some faults of each kind. */
const samples: [kind: string, fault: Fault][] = faultKinds.flatMap(({ kind, faults: ofKind }) =>
  fc.sample(ofKind, { numRuns: 5, seed: SEED }).map((fault): [string, Fault] => [kind, fault]),
);

test.describe('plain values', () => {
  test('are of every property that can be removed, and of none that tells customers apart', () => {
    expect(Object.keys(plain).sort()).toEqual(['name', 'address', ...removableProperties].sort());
  });

  for (const [name, values] of Object.entries(plain)) {
    test(`of ${name} are valid, in JSON too, and short`, () => {
      fc.assert(
        fc.property(values as fc.Arbitrary<Json>, (value) => {
          expect(objections(name, value)).toEqual([]);
          expect(textsOf(value)).not.toContain('');
          expect(JSON.stringify(value).length).toBeLessThan(200);
        }),
        { numRuns: 200, seed: SEED },
      );
    });
  }

  test('have the forms of the samples', () => {
    const forms = {
      name: /^[A-Z][a-z]+ [A-Z][a-z]+$/,
      dateOfBirth: /^19\d\d-\d\d-\d\d$/,
      enrollDate: /^1[4-7]\d{11}$/,
      vip: /^[1-9]$/,
      balance: /^[1-9]\d{0,3}\.\d\d$/,
      organizationNumber: /^0\d{8}$/,
      nationalId: /^9\d\d[1-4]\d{5}$/,
    };
    for (const [name, form] of Object.entries(forms)) {
      for (const value of fc.sample<unknown>(plain[name as keyof typeof forms], { numRuns: 200, seed: SEED })) {
        expect(String(value)).toMatch(form);
      }
    }
    for (const license of fc.sample(plain.driverLicense, { numRuns: 100, seed: SEED })) {
      expect(license).toEqual({ number: expect.stringMatching(/^A\d{7}$/), state: expect.stringMatching(/^[A-Z]{2}$/) });
    }
  });

  test('shrink to what can be read', () => {
    const smallest = fc.check(
      fc.property(fc.record(plain), () => false),
      { seed: SEED },
    ).counterexample?.[0];
    expect(smallest).toMatchObject({ name: 'Ann Smith', address: { address1: '1 Main St' }, dateOfBirth: '1970-01-01', vip: '1' });
  });
});

test.describe('unusual values', () => {
  test('are of every property that a merchant owns, externalId apart', () => {
    const owned = customerProperties.filter((name) => isOwned(name) && name !== 'externalId');
    expect(Object.keys(unusual).sort()).toEqual([...owned].sort());
  });

  for (const [name, values] of Object.entries(unusual)) {
    test(`of ${name} are valid, in JSON too`, () => {
      fc.assert(
        fc.property(values as fc.Arbitrary<Json>, (value) => {
          expect(objections(name, value)).toEqual([]);
        }),
        { numRuns: 300, seed: SEED },
      );
    });
  }

  test('are neither empty nor blank, but for keys', () => {
    fc.assert(
      fc.property(fc.record(unusual), (customer) => {
        expect(
          Object.values(customer)
            .flatMap(valuesOf)
            .filter((text) => text.trim() === ''),
        ).toEqual([]);
      }),
      { numRuns: 500, seed: SEED },
    );
  });

  test('are nobody’s', () => {
    const { phone, email, taxId } = unusual;
    fc.assert(
      fc.property(
        fc.record({ phone, email, taxId }),
        (customer) =>
          /^1\d{3}55501\d\d/.test(customer.phone.replace(/\D/g, '')) &&
          /.@example\.(com|org)$/i.test(customer.email) &&
          /^(000|9\d\d)[1-4]\d{5}$/.test(customer.taxId.replace(/\D/g, '')),
      ),
      { numRuns: 500, seed: SEED },
    );
  });

  test('name countries and states in two letters', () => {
    const { address, driverLicense } = unusual;
    fc.assert(
      fc.property(address, driverLicense, ({ country }, { state }) => {
        expect([country, state]).toEqual([expect.stringMatching(/^[A-Z]{2}$/), expect.stringMatching(/^[A-Z]{2}$/)]);
      }),
      { numRuns: 500, seed: SEED },
    );
  });

  test('have no null inside customData', () => {
    fc.assert(
      fc.property(unusual.customData, (customData) => {
        expect(JSON.stringify(customData).replace(/"(\\.|[^"\\])*"/g, '""')).not.toContain('null');
      }),
      { numRuns: 200, seed: SEED },
    );
  });

  test('reach what they are for', () => {
    const customers = fc.sample(fc.record(unusual, { noNullPrototype: true }), { numRuns: 2000, seed: SEED });
    const texts = new Set(customers.flatMap(({ customData: _keys, ...others }) => textsOf(others)));
    const kinds: Record<string, RegExp> = {
      'beyond the BMP': /[\u{10000}-\u{10ffff}]/u,
      'right to left': /[\p{Script=Hebrew}\p{Script=Arabic}]/u,
      'a combining mark': /\p{M}/u,
      'a joiner': /\u200d/,
      'longer than 255': /^.{256,}$/su,
      'longer than 1000': /^.{1001,}$/su,
      'one character': /^.$/su,
      'a leading space': /^ /,
      'a trailing space': / $/,
      'a double space': /. {2}./,
      'a line feed': /\n/,
      numeric: /^-?\d+(e\d+)?$/,
      'not a number': /^NaN$/,
      'null as a word': /^null$/,
      'a quote': /"/,
      'an apostrophe': /'/,
      'a backslash': /\\/,
      markup: /</,
      'a percent sign': /%/,
      'a plus sign': /\+/,
    };
    for (const [what, kind] of Object.entries(kinds)) {
      expect(
        [...texts].some((text) => kind.test(text)),
        what,
      ).toBe(true);
    }
    expect([...texts].some((text) => text !== text.normalize('NFC'))).toBe(true);
    expect([...texts].some((text) => text !== text.normalize('NFD'))).toBe(true);

    const dates = customers.map(({ enrollDate }) => enrollDate);
    expect(Math.max(...dates)).toBe(Number.MAX_SAFE_INTEGER);
    expect(Math.min(...dates)).toBe(Number.MIN_SAFE_INTEGER);
    expect(dates).toEqual(expect.arrayContaining([0, -1, 2 ** 31, 2 ** 32]));

    const data = customers.map(({ customData }) => customData);
    const depths = data.map(depthOf);
    expect(Math.max(...depths)).toBeGreaterThan(5);
    expect(Math.max(...depths)).toBeLessThanOrEqual(11);
    const widths = data.map((object) => Object.keys(object).length);
    expect(Math.max(...widths)).toBeGreaterThan(40);
    expect(Math.min(...widths)).toBe(1);
    for (const key of ['', '0', '10', 'a.b', 'constructor', '__proto__', '🔑']) {
      expect(
        data.some((object) => Object.hasOwn(object, key)),
        key,
      ).toBe(true);
    }
  });

  test('hold text of which about half is a snippet in other text', () => {
    const names = fc.sample(unusual.name, { numRuns: 2000, seed: SEED });
    const composed = names.filter((name) => /^Ann|Smith$/.test(name) && name.length < 60);
    // Three quarters of such text begins with Ann or ends in Smith.
    expect(composed.length / names.length).toBeGreaterThan(0.3);
    expect(composed.length / names.length).toBeLessThan(0.6);
  });

  test('shrink', () => {
    const smallest = <Value>(values: fc.Arbitrary<Value>, holds: (value: Value) => boolean) =>
      fc.check(fc.property(values, holds), { seed: SEED, numRuns: 1000 }).counterexample?.[0];
    expect(smallest(unusual.name, (name) => !name.includes('<'))).toBe('<');
    expect(smallest(unusual.name, (name) => name.length < 256)?.length).toBeLessThan(260);
    expect(smallest(unusual.address, () => false)).toEqual({ country: 'US' });
    expect(JSON.stringify(smallest(unusual.customData, (customData) => !('$set' in customData))).length).toBeLessThan(40);
  });

  test('are the same to the model with what a target is free to change', () => {
    const changes: ((text: string) => string)[] = [(text) => text.trim(), (text) => text.normalize('NFC'), (text) => text.normalize('NFD')];
    fc.assert(
      fc.property(fc.record(unusual, { noNullPrototype: true }), fc.constantFrom(...changes), (customer, change) => {
        const changed = JSON.parse(JSON.stringify(customer), (_key, value) => (typeof value === 'string' ? change(value) : value));
        expect(compare(customer, changed)).toEqual([]);
      }),
      { numRuns: 300, seed: SEED },
    );
  });
});

test.describe('faults', () => {
  test('have a kind and a label of their own', () => {
    const kinds = faultKinds.map(({ kind }) => kind);
    expect(new Set(kinds).size).toBe(kinds.length);
    const kindOf = new Map<string, string>();
    const labels = samples.map(([, { label }]) => label);
    expect(labels.filter((label) => !/^\S[^\n]{5,70}\S$/.test(label))).toEqual([]);
    for (const [kind, { label }] of samples) kindOf.set(label, kind);
    expect(samples.filter(([kind, { label }]) => kindOf.get(label) !== kind)).toEqual([]);
  });

  test('concern every property that a merchant owns', () => {
    const wrong = samples.filter(([, { must }]) => must === 'refuse-or-coerce').map(([, { property }]) => property);
    const nested = ['address1', 'address2', 'city', 'state', 'zip', 'country'].map((member) => `address.${member}`);
    expect([...new Set(wrong)].sort()).toEqual(
      [...customerProperties.filter(isOwned), ...nested, 'driverLicense.number', 'driverLicense.state'].sort(),
    );
    const missing = samples.filter(([kind, { property }]) => property && kind === `${property} is missing`).map(([, fault]) => fault);
    expect(new Set(missing.filter(({ create }) => create).map(({ property }) => property))).toEqual(new Set(requiredProperties));
  });

  for (const [what, body] of Object.entries({
    'a customer with everything': full,
    'one with what is required': people.plain('CA') as unknown as JsonObject,
    'an unusual one': { ...full, ...fc.sample(fc.record(unusual, { noNullPrototype: true }), { numRuns: 1, seed: SEED })[0] } as JsonObject,
  })) {
    test(`by the schema make ${what} invalid, though JSON`, () => {
      expect(validateCreate(body)).toBe(true);
      const lame = samples.filter(([, { of, spoil }]) => {
        if (of !== 'schema') return false;
        const { body: bytes, mediaType } = spoil(body);
        const value = read(bytes);
        return value === undefined || validateCreate(value) || mediaType !== undefined;
      });
      expect(lame.map(([, { label }]) => label)).toEqual([]);
    });

    test(`of the wire make ${what} no JSON, or say what else is wrong`, () => {
      for (const [, fault] of samples.filter(([, { of }]) => of === 'wire')) {
        const { body: bytes, mediaType } = fault.spoil(body);
        const value = read(bytes);
        const elsewhere = /media type|twice|MB|levels|1e400|digits/.test(fault.label);
        expect(isObject(value), fault.label).toBe(elsewhere);
        expect(fault.label.includes('media type'), fault.label).toBe(mediaType !== undefined);
        // Only what is no JSON must be refused: a target may take all else.
        if (fault.must !== 'bounded') expect(value, fault.label).toBeUndefined();
      }
    });
  }

  test('leave the body that they are given as it was', () => {
    const before = structuredClone(full);
    for (const [, fault] of samples) fault.spoil(full);
    expect(full).toEqual(before);
  });

  test('spoil an update that lacks what they concern', () => {
    for (const [, fault] of samples) {
      const value = read(fault.spoil({ customerId: '1' }).body);
      if (fault.must === 'refuse-or-coerce') expect(validateCreate({ ...full, ...(value as JsonObject) }), fault.label).toBe(false);
      if (fault.of === 'wire' && fault.must === 'refuse') expect(value, fault.label).toBeUndefined();
    }
  });

  test('cut the JSON anywhere inside', () => {
    const size = Buffer.from(JSON.stringify(full)).length;
    const cuts = faultKinds.filter(({ kind }) => kind === CUT).flatMap((kind) => fc.sample(kind.faults, { numRuns: 10_000, seed: SEED }));
    const lengths = new Set(cuts.map((fault) => fault.spoil(full).body.length));
    expect([...lengths].sort((a, b) => a - b)).toEqual(Array.from({ length: size - 1 }, (_none, index) => index + 1));
  });

  test('of every kind are drawn, by a label that stands for them in a message', () => {
    const drawn = fc.sample(faults, { numRuns: 5000, seed: SEED });
    const labels = new Set(drawn.map(({ label }) => label));
    const constant = faultKinds.map(({ kind }) => kind).filter((kind) => kind !== CUT);
    expect(constant.filter((kind) => !labels.has(kind))).toEqual([]);
    expect(fc.stringify(drawn[0])).toBe(drawn[0]?.label);
  });
});
