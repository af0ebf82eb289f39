import { expect, test } from '@playwright/test';
import { People } from '../generators/customers.ts';
import { areaCodes, places } from '../generators/places.ts';
import { customerProperties, validateCreate } from '../schemas/contract.ts';
import { removableProperties } from '../schemas/properties.ts';

function people(seed: number, prefix = '1795', overrides = {}): People {
  const taken = new Set<string>();
  return new People({ seed, name: 'a check', prefix, reserve: (value) => !taken.has(value) && !!taken.add(value), overrides });
}

test.describe('realistic customers', () => {
  test('a seed repeats everything but the prefix', () => {
    const strip = (prefix: string) => {
      const source = people(7, prefix);
      return JSON.stringify([source.plain('US'), source.full('CA'), source.optional()]).replaceAll(prefix, '');
    };
    expect(strip('1111')).toBe(strip('2222'));
    expect(people(7).plain()).not.toEqual(people(8).plain());
  });

  test('unrepeated people have other numbers in another run', () => {
    const [one, other] = ['1111', '2222'].map((prefix) => people(7, prefix).unrepeated().plain());
    expect(one?.taxId).not.toBe(other?.taxId);
    expect(people(7).drew(people(7).plain().phone)).toBe(false);
  });

  test('each is valid by the schema, its own, and nobody real', () => {
    const source = people(1);
    const seen = new Set<string>();
    for (let count = 0; count < 150; count += 1) {
      const customer = source.full(count % 2 ? 'US' : 'CA');
      expect(validateCreate(customer), JSON.stringify(customer)).toBe(true);
      expect(customer.email).toMatch(/@example\.com$/);
      expect(customer.phone).toMatch(/^\+1\d{3}55501\d\d$/);
      expect(customer.taxId).toMatch(count % 2 ? /^9\d\d[1-4]\d{5}$/ : /^0\d{8}$/);
      expect(customer.externalId).toMatch(/^1795\d+$/);
      for (const value of [customer.email, customer.phone, customer.taxId, customer.externalId]) {
        expect(seen.has(value), value).toBe(false);
        seen.add(value);
      }
    }
  });

  test('every property that a merchant owns is reached', () => {
    const owned = customerProperties.filter((name) => !['customerId', 'merchantId', 'createdAt', 'updatedAt', 'personId'].includes(name));
    expect(Object.keys(people(1).full()).sort()).toEqual([...owned].sort());
    expect(owned).toEqual(expect.arrayContaining([...removableProperties]));
  });

  test('a plain one sends nothing that is the platform’s', () => {
    expect(Object.keys(people(1).plain())).toEqual(['name', 'address', 'phone', 'email', 'taxId', 'externalId']);
  });

  test('overrides reach every one', () => {
    expect(people(1, '1', { currency: 'CAD' }).plain()).toMatchObject({ currency: 'CAD' });
    expect(people(1, '1', { currency: 'CAD' }).full()).toMatchObject({ currency: 'CAD' });
  });

  test('places and area codes are well-formed', () => {
    for (const { state, zip, country } of places) {
      expect(state).toMatch(/^[A-Z]{2}$/);
      expect(zip).toMatch(country === 'US' ? /^\d{5}$/ : /^[A-Z]\d[A-Z] \d[A-Z]\d$/);
    }
    for (const code of areaCodes) expect(code).toBeGreaterThan(200);
  });
});
