import { isOwned } from '../generators/model.ts';
import { type Customer, customerProperties, type Json, requiredProperties, typeOf } from '../schemas/contract.ts';
import type { Answer } from '../target/answer.ts';
import { type Customers, pick, selectors, stateAfter, type TestCustomer } from './support/customers.ts';
import { expect, of, requirement, test } from './support/fixtures.ts';

/** Values of other types than the schema's, none of which a lenient reading turns into a person's data by accident. */
const wrongValues: Record<string, readonly Json[]> = {
  string: [12345, { value: 'x' }, ['x']],
  integer: ['not a number', 1.5, { value: 1 }],
  object: ['text', 5, ['x']],
};

/** Whether a stored value has the type that the schema gives it. */
function hasType(value: unknown, type: string): boolean {
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return typeof value === 'string';
}

/** The vip of creates that are to be refused; nobody else has it. */
const TRACE = '31';

/** Nobody has this externalId: not by a look at the list, nor by what a create of it finds there already. */
async function expectNobody(customers: Customers, externalId: string): Promise<void> {
  const found = await customers.find(externalId);
  if (found) expect(found, of('REF-2', 'the customers of the refused request')).toEqual([]);
  const anew = { ...customers.people.plain(), externalId };
  const answer = await customers.create(anew);
  // Unless it refuses every plain create: that is another requirement's.
  if (answer.refused && (await customers.create(customers.people.plain())).ok()) {
    expect(answer, of('REF-2', 'a plain create with the externalId of the refused request')).toBeAccepted();
  }
  const known = customers.fromCreate(answer, anew);
  const read = await customers.read(known);
  expect(read.customer?.vip, of('REF-2', 'vip, which only the refused request had')).not.toBe(TRACE);
}

const owned = customerProperties.filter((name) => isOwned(name) && name !== 'externalId');

test.describe('a wrong type is refused or coerced', () => {
  for (const [index, name] of owned.entries()) {
    const by = selectors[index % selectors.length]?.[0] ?? 'customerId';
    test(`in an update of ${name}`, requirement('REF-5', 'REF-1'), async ({ customers, people }) => {
      const customer = await customers.given({}, people.full());
      let { state } = customer;

      for (const value of wrongValues[typeOf(name)] ?? []) {
        const body = { ...customers.essentials(customer.state), [name]: value };
        const answer = await customers.send(`set ${name} to ${JSON.stringify(value)}`, {
          body: by === 'query' ? body : { ...body, [by]: customer[by] },
          ...(by === 'query' && { query: { externalId: customer.externalId } }),
        });
        expect(answer).toBeAcceptedOrRefused();
        const stored = answer.customer?.[name];
        expect(
          stored === undefined || hasType(stored, typeOf(name)),
          of('REF-5', `the stored ${name}, ${JSON.stringify(stored)}, has its type`),
        ).toBe(true);
        if (answer.refused) {
          await expect(customers.stored({ ...customer, state }), of('REF-1', 'the customer after the refusal')).toMatchCustomer(state);
          continue;
        }
        state = { ...customer.state, [name]: stored } as typeof state;
        if (stored === undefined) delete state[name];
        await expect(customers.stored({ ...customer, state }), of('UPD-4', 'the rest')).toMatchCustomer(state);
      }
    });

    test(`in a create, of ${name}`, requirement('REF-5'), async ({ customers, people }) => {
      for (const value of wrongValues[typeOf(name)] ?? []) {
        const answer = await customers.send(`create with ${name} ${JSON.stringify(value)}`, {
          body: { ...people.plain(), [name]: value },
        });
        expect(answer).toBeAcceptedOrRefused();
        const stored = answer.customer?.[name];
        expect(
          stored === undefined || hasType(stored, typeOf(name)),
          of('REF-5', `the stored ${name}, ${JSON.stringify(stored)}, has its type`),
        ).toBe(true);
      }
    });
  }

  for (const [object, key] of [
    ['address', 'city'],
    ['address', 'zip'],
    ['address', 'country'],
    ['driverLicense', 'number'],
    ['driverLicense', 'state'],
  ] as const) {
    test(`in ${object}.${key}`, requirement('REF-5', 'REF-1'), async ({ customers, people }) => {
      const customer = await customers.given({}, people.full());
      for (const value of [12345, ['x'], { value: 'x' }]) {
        const sent = { ...(customer.state[object] as object), [key]: value };
        const answer = await customers.send(`set ${object}.${key} to ${JSON.stringify(value)}`, {
          body: { ...customers.essentials(customer.state), [object]: sent, customerId: customer.customerId },
        });
        expect(answer).toBeAcceptedOrRefused();
        if (!answer.refused) customers.notApplicable(`the target coerces ${object}.${key}`);
        expect(answer, of('REF-5', `the update of ${object}.${key}`)).toBeRefused();
        await expect(customers.stored(customer), of('REF-1', 'the customer after the refusal')).toMatchCustomer(customer.state);
      }
    });
  }
});

test.describe('a body is refused', () => {
  const bodies = [
    ['that is empty', ''],
    ['cut off in the middle', '{"name": "Ann Smith", "address": {"country"'],
    ['with single quotes', "{'name': 'Ann Smith'}"],
    ['with text behind the object', '{"vip": "1"} x'],
    ['that is plain text', 'name=Ann Smith'],
    ['that is an array', '[]'],
    ['that is a string', '"Ann Smith"'],
    ['that is a number', '42'],
    ['that is true', 'true'],
    ['that is null', 'null'],
    ['that is an empty object', '{}'],
  ] as const;

  for (const [what, body] of bodies) {
    test(what, requirement('REF-4'), async ({ customers }) => {
      const answer = await customers.send(`send a body ${what}`, { body: Buffer.from(body) });

      expect(answer).toBeRefused();
    });
  }

  for (const [what, cut] of [
    ['cut off', (json: string) => json.slice(0, -1)],
    ['with a comma too many', (json: string) => json.replace(/}$/, ',}')],
    ['with a brace too many', (json: string) => `${json}}`],
    ['with text behind the object', (json: string) => `${json} and more`],
  ] as const) {
    test(`${what}, though every property was there`, requirement('REF-4', 'REF-2'), async ({ customers, people }) => {
      const body = { ...people.plain(), vip: TRACE };

      const answer = await customers.send(`send a body ${what}`, { body: Buffer.from(cut(JSON.stringify(body))) });

      expect(answer, of('REF-4', 'the body')).toBeRefused();
      await expectNobody(customers, body.externalId);
    });
  }
});

test.describe('a create ends in no customer without', () => {
  /** A refused create leaves nobody; one that is accepted made a customer that has what is required. */
  async function expectWhole(customers: Customers, answer: Answer, externalId: string) {
    expect(answer).toBeAcceptedOrRefused();
    expect(answer, of('REF-6', 'the create')).toBeRefusedOrValid();
    if (answer.refused) await expectNobody(customers, externalId);
  }

  for (const name of requiredProperties) {
    test(`${name}, where it is left out`, requirement('REF-6', 'REF-2'), async ({ customers, people }) => {
      const person = { ...people.plain(), vip: TRACE };
      const body = Object.fromEntries(Object.entries(person).filter(([key]) => key !== name));

      await expectWhole(customers, await customers.send(`create without ${name}`, { body }), person.externalId);
    });

    test(`${name}, where it is null`, requirement('REF-6', 'REF-2'), async ({ customers, people }) => {
      const person = { ...people.plain(), vip: TRACE };

      await expectWhole(
        customers,
        await customers.send(`create with ${name} null`, { body: { ...person, [name]: null } }),
        person.externalId,
      );
    });

    test(`${name}, where an update sets it to null`, requirement('REF-6'), async ({ customers }) => {
      const customer = await customers.given();

      const answer = await customers.update(customer, 'customerId', { [name]: null });

      expect(answer).toBeAcceptedOrRefused();
      if (!answer.refused) expect(answer).toValidate();
      await expect(customers.stored(customer)).toHaveStored(pick(customer.state, requiredProperties));
    });
  }

  test('what is required, where the query names nobody', requirement('REF-6', 'REF-2'), async ({ customers, people }) => {
    const { externalId } = people.plain();

    const answer = await customers.send('create by the query without anything', { body: { vip: TRACE }, query: { externalId } });

    await expectWhole(customers, answer, externalId);
  });

  for (const [object, key] of [
    ['driverLicense', 'number'],
    ['driverLicense', 'state'],
    ['address', 'country'],
  ] as const) {
    test(`${object}.${key}, where an update leaves it out`, requirement('REF-6'), async ({ customers, people }) => {
      const customer = await customers.given();
      const whole = object === 'address' ? customer.state.address : people.full().driverLicense;
      const part = Object.fromEntries(Object.entries(whole ?? {}).filter(([name]) => name !== key));
      const essentials = customers.essentials(customer.state);

      const answer = await customers.send(`set ${object} without ${key}`, {
        body: { ...essentials, customerId: customer.customerId, [object]: part },
      });

      expect(answer).toBeAcceptedOrRefused();
      if (!answer.refused) expect(answer).toValidate();
      const read = await customers.read(customer);
      if (read.customer) expect(read, 'the stored customer').toValidate();
    });
  }

  test('address.country', requirement('REF-6', 'REF-2'), async ({ customers, people }) => {
    const person = { ...people.plain(), vip: TRACE };
    const { country: _left, ...address } = person.address;

    await expectWhole(
      customers,
      await customers.send('create without address.country', { body: { ...person, address } }),
      person.externalId,
    );
  });
});

test.describe('a refused update leaves no trace', () => {
  for (const [by, how] of selectors) {
    test(`on the customer it names ${how}`, requirement('REF-1'), async ({ customers, people }) => {
      const customer = await customers.given({}, people.full());
      const { externalId: _own, ...changes } = people.full('CA');
      const body = { ...changes, vip: null, phone: { number: 1 }, ...(by === 'query' ? {} : { [by]: customer[by] }) };

      const answer = await customers.send(`update with a wrong type ${how}`, {
        body,
        ...(by === 'query' && { query: { externalId: customer.externalId } }),
      });

      expect(answer).toBeAcceptedOrRefused();
      if (!answer.refused) customers.notApplicable('the target coerces an object to a phone number');
      await expect(customers.stored(customer)).toMatchCustomer(customer.state);
    });

    test(`for the next update to find, ${how}`, requirement('REF-1'), async ({ customers, people }) => {
      const customer = await customers.given({}, people.full());
      const { externalId: _own, phone: _phone, ...changes } = people.full('CA');
      const selector = by === 'query' ? {} : { [by]: customer[by] };
      const answer = await customers.send(`update with a wrong type ${how}`, {
        // What is wrong comes last: a server that takes one property after the other has taken all of them by then.
        body: { ...selector, ...changes, vip: null, phone: { number: 1 } },
        ...(by === 'query' && { query: { externalId: customer.externalId } }),
      });
      expect(answer).toBeAcceptedOrRefused();
      if (!answer.refused) customers.notApplicable('the target coerces an object to a phone number');

      let known = customer;
      for (const [index, [next]] of selectors.entries()) {
        const later = { externalTier: `tier ${index}` };
        customers.assumeUpdated(customer, await customers.update(known, next, later));
        known = { ...known, state: stateAfter(known, later) };
        await expect(customers.stored(known)).toMatchCustomer(known.state);
      }
    });

    test(`where the body is cut off, ${how}`, requirement('REF-4', 'REF-1'), async ({ customers, people }) => {
      const customer = await customers.given({}, people.full());
      const body = { ...people.optional(), vip: '1', ...(by === 'query' ? {} : { [by]: customer[by] }) };

      const answer = await customers.send(`send a body that is cut off ${how}`, {
        body: Buffer.from(JSON.stringify(body).slice(0, -1)),
        ...(by === 'query' && { query: { externalId: customer.externalId } }),
      });

      expect(answer, of('REF-4', 'the body')).toBeRefused();
      await expect(customers.stored(customer), of('REF-1', 'the customer')).toMatchCustomer(customer.state);
    });
  }

  test('where another has its new externalId', requirement('REF-1'), async ({ customers }) => {
    const owner = await customers.given();
    const customer = await customers.given({ externalTier: 'Gold' });

    const answer = await customers.update(customer, 'customerId', { externalId: owner.externalId, vip: '6', externalTier: null });

    expect(answer).toBeAcceptedOrRefused();
    if (!answer.refused) customers.notApplicable(`an externalId that another has is answered ${answer}`);
    await expect(customers.stored(customer)).toMatchCustomer(customer.state);
    await expect(customers.stored(owner), of('REF-2', 'its owner')).toMatchCustomer(owner.state);
  });

  for (const [what, wrong] of [
    ['a wrong optional property', { dateOfBirth: { year: 1980 } }],
    ['a wrong driver license', { driverLicense: { number: ['1'], state: 'CA' } }],
    ['an unknown customerId', { customerId: '999999999999999999' }],
    ['an address that is none', { address: 'Boston' }],
    ['an address without its country', { address: { address1: '1 Beacon St', city: 'Boston', state: 'MA', zip: '02108' } }],
    ['a country that is none', { address: { address1: '1 Beacon St', city: 'Boston', state: 'MA', zip: '02108', country: 'USA' } }],
    ['a wrong name', { name: ['Ann', 'Smith'] }],
    ['a wrong phone', { phone: { number: 1 } }],
    ['a wrong customData', { customData: 'x' }],
  ] as const) {
    test(`and creates nobody, with ${what}`, requirement('REF-2'), async ({ customers, people }) => {
      const person = { ...people.plain(), vip: TRACE };

      const answer = await customers.send(`create with ${what}`, { body: { ...person, ...wrong } });

      expect(answer).toBeAcceptedOrRefused();
      if (!answer.refused) customers.notApplicable(`a create with ${what} is answered ${answer}`);
      await expectNobody(customers, person.externalId);
    });
  }

  test('on anybody else, and creates nobody', requirement('REF-2'), async ({ customers, people }) => {
    const bystander = await customers.given({}, people.full());
    const { externalId } = people.plain();

    const answer = await customers.send('create with a wrong type', {
      body: { ...people.plain(), externalId, vip: TRACE, email: { address: 'x' } },
    });

    expect(answer).toBeAcceptedOrRefused();
    if (!answer.refused) customers.notApplicable('the target coerces an object to an e-mail address');
    await expect(customers.stored(bystander)).toMatchCustomer(bystander.state);
    await expectNobody(customers, externalId);
  });
});

test.describe('an answer comes, whatever is sent', () => {
  const deep = (depth: number) => Buffer.from(`{"customData":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`);
  const bodies: readonly (readonly [string, Buffer, (string | null)?])[] = [
    ['nested a thousand deep', deep(1000)],
    ['of bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
    ['with a byte order mark', Buffer.from('\ufeff{"vip":"1"}')],
    ['with a NUL character', Buffer.from('{"name":"Ann\\u0000Smith"}')],
    ['with a lone surrogate', Buffer.from('{"name":"Ann \\ud83d Smith"}')],
    ['with a huge number', Buffer.from('{"enrollDate":1e400}')],
    ['with a property named __proto__', Buffer.from('{"__proto__":{"vip":"1"},"constructor":{"prototype":{}}}')],
    ['with a key twice', Buffer.from('{"name":"Ann","name":"Bob"}')],
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

  test('to strings that databases choke on', requirement('REF-3'), async ({ customers }) => {
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

  test('to numbers at the edges of integers', requirement('REF-3'), async ({ customers }) => {
    const customer = await customers.given();
    for (const enrollDate of [0, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) {
      expect(await customers.update(customer, 'externalId', { enrollDate })).toBeAcceptedOrRefused();
    }
    for (const text of ['9223372036854775808', '1e19', '12345678901234567890123']) {
      const body = Buffer.from(JSON.stringify({ ...customer.state, enrollDate: 0 }).replace('"enrollDate":0', `"enrollDate":${text}`));
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

  test('to reads of nobody', requirement('REF-3'), async ({ customers }) => {
    if (!customers.readBack.byId) customers.notApplicable('GET /customers/{customerId} does not exist here');
    for (const customerId of ['0', 'nobody', '%', '%ff', '%00', '9'.repeat(500)]) {
      const answer = await customers.send(
        `read customerId ${customerId.slice(0, 40)}`,
        { method: 'GET', path: `/customers/${customerId}` },
        'get',
      );
      expect(answer).toBeAcceptedOrRefused();
    }
  });

  test('to names of customers that do not exist', requirement('REF-3'), async ({ customers, people }) => {
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
      const answer = await customers.send(`ask for a refusal ${what}`, request(customers));
      if (!answer.refused) customers.notTestable(`the request was not refused: ${answer}`);

      expect(answer.mediaType, 'the media type').toBe('application/json');
      const errors = (answer.json() as { errors?: { message?: unknown }[] } | undefined)?.errors;
      expect(Array.isArray(errors) && errors.length > 0, 'there is a list of errors').toBe(true);
      expect(typeof errors?.[0]?.message === 'string' && errors[0].message !== '', 'the first error has a message').toBe(true);
    });

    test(`${what} has a published status`, requirement('REF-8'), async ({ customers }) => {
      const answer = await customers.send(`ask for a refusal ${what}`, request(customers));
      if (!answer.refused) customers.notTestable(`the request was not refused: ${answer}`);

      expect([400, 401, 403, 404, 405, 409, 413, 415, 422, 429], 'the statuses of refusals').toContain(answer.status());
    });
  }

  test('of a method, by 405, names the allowed ones', requirement('REF-9'), async ({ customers }) => {
    const answer = await customers.send('PATCH /customers, which does not exist', { method: 'PATCH', body: {} }, 'other');
    expect(answer).toBeAcceptedOrRefused();
    if (answer.status() !== 405) customers.notApplicable(`the method is not refused by 405 but answered ${answer}`);

    expect(answer.headers().allow ?? '', 'the Allow header').toMatch(/\bPOST\b/);
  });
});
