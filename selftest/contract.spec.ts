import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { customerProperties, requiredProperties, sentences, validateAnswer, validateCreate, validateUpdate } from '../schemas/contract.ts';
import { generated } from '../schemas/types.ts';

/** The block as it stood on the vendor's page in November 2026. */
const PUBLISHED = 'b439e2f9794b23d9b98ee17dbcb60939a18f94221119b2ebd09d267318e1d1df';

test.describe('the contract', () => {
  test("the page's OpenAPI block is as published", () => {
    const block = readFileSync(new URL('../schemas/post-customers.openapi.yaml', import.meta.url), 'utf8').replaceAll('\r\n', '\n');
    expect(createHash('sha256').update(block).digest('hex')).toBe(PUBLISHED);
  });

  test('it has 21 properties, four of them required', () => {
    expect(customerProperties).toHaveLength(21);
    expect(requiredProperties).toEqual(['name', 'address', 'phone', 'email']);
  });

  test('the generated types are fresh', async () => {
    for (const { file, generate } of generated) {
      expect(readFileSync(file, 'utf8'), `npm run types writes ${file.pathname} anew`).toBe(await generate());
    }
  });

  const customer = { name: 'Ann Smith', address: { country: 'US' }, phone: '+12025550123', email: 'ann@example.com', customerId: '1' };

  test('a create is the published customer', () => {
    expect(validateCreate(customer)).toBe(true);
    for (const name of requiredProperties) expect(validateCreate({ ...customer, [name]: undefined }), name).toBe(false);
    expect(validateCreate({ ...customer, vip: null })).toBe(false);
  });

  test('an update requires nothing and takes null', () => {
    expect(validateUpdate({})).toBe(true);
    for (const name of customerProperties) {
      expect(validateUpdate({ [name]: null }), name).toBe(true);
      expect(validateUpdate({ [name]: [] }), name).toBe(false);
    }
  });

  test('an answer has a customer with its customerId', () => {
    expect(validateAnswer({ customer, more: 1 })).toBe(true);
    for (const answer of [
      {},
      { customer: null },
      { customer: { ...customer, customerId: undefined } },
      { customer: { ...customer, vip: null } },
    ]) {
      expect(validateAnswer(answer), JSON.stringify(answer)).toBe(false);
    }
  });

  test('an error says where and what', () => {
    validateAnswer({ customer: { ...customer, vip: 1 } });
    expect(sentences(validateAnswer.errors)).toEqual(['/customer/vip must be string']);
  });
});
