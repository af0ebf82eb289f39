import { expect, test } from '@playwright/test';
import { apply, compare, isMasked, type State } from '../generators/model.ts';

const state: State = {
  name: 'Zoë Smith',
  phone: '+12025550123',
  email: 'Zoe@Example.com',
  taxId: '912345678',
  customData: { a: 1, b: { c: 2 } },
};

test.describe('the model', () => {
  test('adds, replaces and removes', () => {
    expect(apply(state, { name: 'Ann', vip: '1', taxId: null })).toEqual({ ...state, name: 'Ann', vip: '1', taxId: undefined });
  });

  test("leaves the platform's properties alone", () => {
    expect(apply({}, { customerId: '1', merchantId: '2', createdAt: 3, updatedAt: 4, personId: '5' })).toEqual({});
  });
});

test.describe('latitude', () => {
  const lawful: [string, State][] = [
    ['nothing', {}],
    ['a phone without punctuation', { phone: '12025550123' }],
    ['a phone with more punctuation', { phone: '+1 (202) 555-0123' }],
    ['an e-mail in lower case', { email: 'zoe@example.com' }],
    ['a decomposed name', { name: 'Zoe\u0308 Smith' }],
    ['a masked taxId', { taxId: '#####5678' }],
    ['a taxId masked whole', { taxId: '*********' }],
    ['extra keys in customData', { customData: { a: 1, b: { c: 2, d: 3 }, e: 4 } }],
    ["the platform's own properties", { customerId: '1', createdAt: 1 } as State],
    ['extra properties', { loyalty: 'x' } as State],
  ];
  for (const [what, changes] of lawful) {
    test(`has ${what}`, () => {
      expect(compare(state, { ...state, ...changes })).toEqual([]);
    });
  }

  test('has a withheld taxId', () => {
    const { taxId: _withheld, ...shown } = state;
    expect(compare(state, shown)).toEqual([]);
  });

  test('has surrounding white space trimmed, not added', () => {
    expect(compare({ name: ' Ann ' }, { name: 'Ann' })).toEqual([]);
    expect(compare({ name: 'Ann' }, { name: ' Ann ' })).toHaveLength(1);
    expect(compare({ externalId: ' 1' }, { externalId: '1' })).toHaveLength(1);
  });

  test('has a nested object merged or replaced', () => {
    const before: State = { customData: { kept: 1, changed: 1 } };
    const expected: State = { customData: { changed: 2 } };
    expect(compare(expected, { customData: { changed: 2 } }, before)).toEqual([]);
    expect(compare(expected, { customData: { kept: 1, changed: 2 } }, before)).toEqual([]);
    expect(compare(expected, { customData: { kept: 9, changed: 2 } }, before)).toHaveLength(1);
  });

  const unlawful: [string, State][] = [
    ['another name', { name: 'Zoe Smith' }],
    ['a phone with other digits', { phone: '+12025550124' }],
    ['a phone without its country', { phone: '2025550123' }],
    ['a taxId as another number', { taxId: '912345679' }],
    ['a taxId masked with the wrong digits', { taxId: '#####9999' }],
    ['a nested value of another type', { customData: { a: '1', b: { c: 2 } } }],
    ['a nested value lost', { customData: { a: 1, b: {} } }],
    ['a property that was not sent', { vip: '1' }],
    ['null for what is not there', { vip: null } as unknown as State],
  ];
  for (const [what, changes] of unlawful) {
    test(`has not ${what}`, () => {
      expect(compare(state, { ...state, ...changes })).toHaveLength(1);
    });
  }

  test('a mask shows some of its own characters at most', () => {
    expect(isMasked('912345678', '*****5678')).toBe(true);
    expect(isMasked('912345678', 'XXX-XX-5678')).toBe(true);
    expect(isMasked('912-34-5678', 'XXX-XX-5678')).toBe(true);
    expect(isMasked('912345678', '912345678')).toBe(false);
    expect(isMasked('912345678', '8765****')).toBe(false);
  });
});
