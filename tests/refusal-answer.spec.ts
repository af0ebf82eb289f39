import type { Customer } from '../schemas/contract.ts';
import type { Customers } from './support/customers.ts';
import { expect, requirement, test } from './support/fixtures.ts';
import { naming, type TestCustomer } from './support/test-customer.ts';

test.describe('the target always sends an answer', () => {
  const deep = (depth: number) => Buffer.from(`{"customData":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`);
  const bodies: readonly (readonly [string, Buffer, (string | null)?])[] = [
    ['nested a thousand levels deep', deep(1000)],
    ['of bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
    ['with a byte order mark', Buffer.from('\ufeff{"vip":"1"}')],
    ['with a NUL character', Buffer.from('{"name":"Ann\\u0000Smith"}')],
    ['with a lone surrogate', Buffer.from('{"name":"Ann \\ud83d Smith"}')],
    ['with a huge number', Buffer.from('{"enrollDate":1e400}')],
    ['with a property named __proto__', Buffer.from('{"__proto__":{"vip":"1"},"constructor":{"prototype":{}}}')],
    ['with a repeated key', Buffer.from('{"name":"Ann","name":"Bob"}')],
    ['as text/plain', Buffer.from('{"vip":"1"}'), 'text/plain'],
    ['as XML', Buffer.from('<customer/>'), 'application/xml'],
    ['as a form', Buffer.from('name=Ann&vip=1'), 'application/x-www-form-urlencoded'],
    ['with no Content-Type', Buffer.from('{"vip":"1"}'), null],
    ['with an unreadable Content-Type', Buffer.from('{"vip":"1"}'), ';;'],
    ['with an unknown charset', Buffer.from('{"vip":"1"}'), 'application/json; charset=klingon'],
  ];

  for (const [what, body, mediaType] of bodies) {
    test(`to a body ${what}`, requirement('REF-3'), async ({ customers }) => {
      const answer = await customers.send(`send a body ${what}`, { body, ...(mediaType !== undefined && { mediaType }) });

      expect(answer).toBeAcceptedOrRefused();
    });
  }

  test('to no body at all', requirement('REF-3'), async ({ customers }) => {
    expect(await customers.send('send no body', {})).toBeAcceptedOrRefused();
    expect(await customers.send('send no body, as JSON', { mediaType: 'application/json' })).toBeAcceptedOrRefused();
    expect(await customers.send('send null', { body: Buffer.from('null') })).toBeAcceptedOrRefused();
  });

  test('to a name with accents', requirement('REF-3'), async ({ customers, people }) => {
    const answer = await customers.create({ ...people.plain(), name: 'Zoë Nuñez-Ångström' });

    expect(answer).toBeAcceptedOrRefused();
    if (answer.ok()) expect(answer.json(), 'the body, parsed').toBeDefined();
  });

  test('to strings that cause database errors', requirement('REF-3'), async ({ customers }) => {
    const customer: TestCustomer = await customers.given();
    for (const value of [
      "'; DROP TABLE customers; --",
      '{{7*7}}',
      '../../etc/passwd',
      '<script>alert(1)</script>',
      'x'.repeat(10_000),
      '',
      ' ',
      '\t\n',
    ]) {
      const answer = await customers.update(customer, 'customerId', { externalTier: value });
      expect(answer).toBeAcceptedOrRefused();
    }
  });

  test('to numbers at the limits of integer types', requirement('REF-3'), async ({ customers }) => {
    const customer = await customers.given();
    for (const enrollDate of [0, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
      expect(await customers.update(customer, 'externalId', { enrollDate })).toBeAcceptedOrRefused();
    }
    for (const text of ['9223372036854775808', '1e19', '12345678901234567890123']) {
      const { body: sent } = naming(customer, 'externalId', { ...customers.essentials(customer.state), enrollDate: 0 });
      const body = Buffer.from(JSON.stringify(sent).replace('"enrollDate":0', `"enrollDate":${text}`));
      expect(await customers.send(`set enrollDate to ${text}`, { body })).toBeAcceptedOrRefused();
    }
  });

  test('to unusual queries', requirement('REF-3'), async ({ customers, people }) => {
    const person = people.plain();
    for (const search of [
      'externalId=',
      'externalId',
      'externalId=%',
      'externalId=%ff',
      'externalId=%00',
      `externalId=${'9'.repeat(2000)}`,
      'unknown=1',
    ]) {
      const answer = await customers.send(`send the query ${search.slice(0, 40)}`, {
        path: `/customers?${search}`,
        body: { vip: person.taxId.slice(0, 1) },
      });
      expect(answer).toBeAcceptedOrRefused();
    }
  });

  test('to reads of unknown customers', requirement('REF-3'), async ({ customers }) => {
    customers.assumeGetExists();
    for (const customerId of ['0', 'nobody', '%', '%ff', '%00', '9'.repeat(500)]) {
      const answer = await customers.send(
        `read customerId ${customerId.slice(0, 40)}`,
        { method: 'GET', path: `/customers/${customerId}` },
        'get',
      );
      expect(answer).toBeAcceptedOrRefused();
    }
  });

  test('to updates of customers that do not exist', requirement('REF-3'), async ({ customers, people }) => {
    for (const customerId of ['', '0', '-1', 'nobody', '99999999999999999999999999', 'null']) {
      const { externalId: _left, ...body } = people.plain();
      expect(await customers.send(`update customerId “${customerId}”`, { body: { ...body, customerId } })).toBeAcceptedOrRefused();
    }
  });
});

test.describe('a refusal', () => {
  const requests = [
    ['of malformed JSON', (_customers: Customers) => ({ body: Buffer.from('{"name": ') })],
    ['of an array', (_customers: Customers) => ({ body: Buffer.from('[]') })],
    ['of a body without required properties', (_customers: Customers) => ({ body: { vip: '1' } })],
    [
      'of an unknown customerId',
      (customers: Customers) => ({ body: { ...customers.people.plain(), externalId: undefined, customerId: '999999999999999999' } }),
    ],
    [
      'of a wrong type',
      (customers: Customers) => ({ body: { ...customers.people.plain(), email: { address: 'x' } as unknown as Customer['email'] } }),
    ],
  ] as const;

  for (const [what, request] of requests) {
    test(`${what} has the error envelope`, requirement('REF-7'), async ({ customers }) => {
      const answer = await customers.send(`ask for a refusal ${what}`, request(customers)).refusedOrNotTestable();

      expect(answer.mediaType, 'the media type').toBe('application/json');
      const errors = (answer.json() as { errors?: { message?: unknown }[] } | undefined)?.errors;
      expect(Array.isArray(errors) && errors.length > 0, 'there is a list of errors').toBe(true);
      expect(typeof errors?.[0]?.message === 'string' && errors[0].message !== '', 'the first error has a message').toBe(true);
    });

    test(`${what} has a published status`, requirement('REF-8'), async ({ customers }) => {
      const answer = await customers.send(`ask for a refusal ${what}`, request(customers)).refusedOrNotTestable();

      expect([400, 401, 403, 404, 405, 409, 413, 415, 422, 429], 'the statuses of refusals').toContain(answer.status());
    });
  }

  test('of a method with 405 lists the allowed methods', requirement('REF-9'), async ({ customers }) => {
    const answer = await customers.send('PATCH /customers, which does not exist', { method: 'PATCH', body: {} }, 'other');
    expect(answer).toBeAcceptedOrRefused();
    if (answer.status() !== 405) customers.notApplicable(`the method is not refused with 405, but answered with ${answer}`);

    expect(answer.headers().allow ?? '', 'the Allow header').toMatch(/\bPOST\b/);
  });
});
