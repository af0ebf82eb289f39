import type { Plain } from '../generators/customers.ts';
import { removableProperties } from '../schemas/properties.ts';
import type { Customers } from './support/customers.ts';
import { expect, of, requirement, test } from './support/fixtures.ts';
import { stateAfter, tick, withChanges } from './support/test-customer.ts';

/** The payload of the page's samples as a create: the platform's properties left out, the person replaced. */
function sample(customers: Customers): Plain {
  const { name, phone, email, taxId, externalId } = customers.people.plain();
  const address = { country: 'US', address1: '2000 Broadway St', city: 'Redwood City', state: 'CA', zip: '94063' };
  return {
    name,
    address,
    phone,
    email,
    taxId,
    externalId,
    enrollDate: 1_555_696_836_548,
    driverLicense: { number: 'A1234567', state: 'CA' },
  };
}

test.describe('a create is accepted', () => {
  test('for a plain customer in the United States', requirement('CRE-1'), async ({ customers, people }) => {
    expect(await customers.create(people.plain('US'))).toBeAccepted();
  });

  test('for a plain customer in Canada', requirement('CRE-1'), async ({ customers, people }) => {
    expect(await customers.create(people.plain('CA'))).toBeAccepted();
  });

  test('for a customer with every property', requirement('CRE-1'), async ({ customers, people }) => {
    expect(await customers.create(people.full())).toBeAccepted();
  });

  test("for the page's sample", requirement('CRE-1'), async ({ customers }) => {
    expect(await customers.create(sample(customers))).toBeAccepted();
  });
});

test.describe('a create keeps', () => {
  for (const country of ['US', 'CA'] as const) {
    test(`every property of a plain customer in ${country}`, requirement('CRE-3'), async ({ customers, people }) => {
      const sent = people.plain(country);
      const known = customers.fromCreate(await customers.create(sent), sent);

      await expect(customers.stored(known)).toHaveStored(sent);
    });

    test(`every property of a full customer in ${country}`, requirement('CRE-3'), async ({ customers, people }) => {
      const sent = people.full(country);
      const known = customers.fromCreate(await customers.create(sent), sent);

      await expect(customers.stored(known)).toHaveStored(sent);
    });
  }

  test('every property of a full customer, created by the query', requirement('CRE-3'), async ({ customers, people }) => {
    const sent = people.full();
    const { externalId, ...body } = sent;
    const created = await customers
      .upsert('create by the query', { body, query: { externalId } })
      .orNotApplicable('a create by the query is refused');

    await expect(customers.stored(customers.fromCreate(created, sent))).toHaveStored(body);
  });

  for (const name of removableProperties) {
    test(`${name} alone`, requirement('CRE-3'), async ({ customers, people }) => {
      const sent = { ...people.plain(), [name]: people.optional()[name] };
      const known = customers.fromCreate(await customers.create(sent), sent);

      await expect(customers.stored(known)).toHaveStored(sent);
    });
  }

  const telling = [
    ['a balance of zero', { balance: '0.00' }, true],
    ['a customData of falsy values', { customData: { zero: 0, no: false, empty: '' } }, false],
    ['a name of sixty characters', { name: 'Maximiliana Featherstonehaugh Cholmondeley Wolfeschlegelstein' }, false],
    ['an address line of forty characters', { address: { address1: '12345 North Martin Luther King Boulevard', country: 'US' } }, false],
  ] as const;
  for (const [what, value, plain] of telling) {
    test(what, requirement('CRE-3'), async ({ customers, people }) => {
      const person = people.plain();
      const sent = { ...person, ...value, address: { ...person.address, ...('address' in value ? value.address : {}) } };

      const created = await customers.create(sent);

      if (!plain && created.refused) customers.notApplicable('the target refuses such a value');
      await expect(customers.stored(customers.fromCreate(created, sent))).toHaveStored(sent);
    });
  }

  for (const [what, vary] of [
    ['letters of either case', (id: string) => `${id}aB`],
    ['leading zeros', (id: string) => `00${id}`],
    ['forty digits', (id: string) => id.padEnd(40, '7')],
    ['a hyphen', (id: string) => `${id}-1`],
  ] as const) {
    test(`an externalId with ${what}`, requirement('CRE-4'), async ({ customers, people }) => {
      const person = people.plain();
      const sent = { ...person, externalId: vary(person.externalId) };

      const created = await customers.create(sent);

      if (created.refused) customers.notApplicable('the target refuses such an externalId');
      const known = customers.fromCreate(created, sent);
      expect(created.customer?.externalId, 'the externalId in the answer').toBe(sent.externalId);
      await expect(customers.stored(known)).toHaveStored({ externalId: sent.externalId });
    });
  }

  test('both address lines', requirement('CRE-3'), async ({ customers, people }) => {
    const plain = people.plain();
    const sent = { ...plain, address: { ...plain.address, address2: 'Suite 400' } };
    const known = customers.fromCreate(await customers.create(sent), sent);

    await expect(customers.stored(known)).toHaveStored(sent);
  });

  test("the page's sample", requirement('CRE-3'), async ({ customers }) => {
    const sent = sample(customers);
    const known = customers.fromCreate(await customers.create(sent), sent);

    await expect(customers.stored(known)).toHaveStored(sent);
  });

  test('the externalId that was sent', requirement('CRE-4'), async ({ customers, people }) => {
    const sent = people.plain();
    const known = customers.fromCreate(await customers.create(sent), sent);

    expect(known.created.customer?.externalId, 'the externalId in the answer').toBe(sent.externalId);
    await expect(customers.stored(known)).toHaveStored({ externalId: sent.externalId });
  });
});

test.describe('a customerId', () => {
  test('differs among five customers', requirement('CRE-2'), async ({ customers, people }) => {
    const ids: string[] = [];
    for (let count = 0; count < 5; count += 1) {
      const sent = people.plain(count % 2 ? 'CA' : 'US');
      ids.push(customers.fromCreate(await customers.create(sent), sent).customerId);
    }

    expect(new Set(ids).size, `how many of ${ids.join(', ')} are different`).toBe(ids.length);
  });

  test('differs between people with the same name and address', requirement('CRE-1', 'CRE-2'), async ({ customers, people }) => {
    const first = await customers.given();
    const { name = '', address = { country: 'US' } } = first.state;

    const answer = await customers.create({ ...people.plain(), name, address });

    expect(answer, of('CRE-1', 'the second')).toBeAccepted();
    expect(answer.customer?.customerId, of('CRE-2', 'the customerId of the second')).not.toBe(first.customerId);
    await expect(customers.stored(first), of('UPD-10', 'the first')).toMatchCustomer(first.state);
  });

  test('is the only one that a create touches', requirement('UPD-10'), async ({ customers, people }) => {
    const elder = await customers.given();

    const answer = await customers.create(people.full());

    expect(answer).toBeAcceptedOrRefused();
    await expect(customers.stored(elder)).toMatchCustomer(elder.state);
  });

  for (const name of ['email', 'phone', 'taxId'] as const) {
    test(`differs between customers with the same ${name}`, requirement('CRE-2'), async ({ customers, people }) => {
      const first = await customers.given();

      const answer = await customers.create({ ...people.plain(), [name]: first.state[name] });

      expect(answer).toBeAcceptedOrRefused();
      expect(answer.customer?.customerId, of('CRE-2', 'the customerId of the second')).not.toBe(first.customerId);
      await expect(customers.stored(first), of('UPD-10', 'the first')).toMatchCustomer(first.state);
    });
  }

  for (const name of ['email', 'phone', 'taxId'] as const) {
    test(
      `differs between a customer without externalId and one with the same ${name}`,
      requirement('CRE-2'),
      async ({ customers, people }) => {
        const { externalId: _left, ...sent } = people.plain();
        const created = await customers.create(sent).orNotApplicable('a create without externalId is refused');
        const first = customers.fromCreate(created, sent);

        const answer = await customers.create({ ...people.plain(), [name]: sent[name] });

        expect(answer).toBeAcceptedOrRefused();
        expect(answer.customer?.customerId, of('CRE-2', 'the customerId of the second')).not.toBe(first.customerId);
        await expect(customers.stored(first), of('UPD-10', 'the first')).toHaveStored(sent);
      },
    );
  }

  test('differs between customers without externalId', requirement('CRE-2'), async ({ customers, people }) => {
    const ids: (string | undefined)[] = [(await customers.given()).customerId];
    for (let count = 0; count < 2; count += 1) {
      const { externalId: _left, ...sent } = people.plain();
      const answer = await customers.create(sent).orNotApplicable('a create without externalId is refused');
      ids.push(answer.customer?.customerId);
    }

    expect(new Set(ids).size, `how many of ${ids.join(', ')} are different`).toBe(ids.length);
  });
});

test.describe("the platform's properties", () => {
  test('an invented merchantId in a create is not stored', requirement('CRE-5'), async ({ customers, people }) => {
    const sent = people.plain();
    const merchantId = `9${sent.externalId.slice(-8)}`;

    const answer = await customers.create({ ...sent, merchantId });

    expect(answer).toBeAcceptedOrRefused();
    if (answer.refused) return;
    expect(answer.customer?.merchantId, 'the merchantId in the answer').not.toBe(merchantId);
    const read = await customers.read(customers.fromCreate(answer, sent));
    expect(read.customer?.merchantId, 'the merchantId that is stored').not.toBe(merchantId);
  });

  test('an invented merchantId in an update is not stored', requirement('CRE-5'), async ({ customers }) => {
    const customer = await customers.given();
    const merchantId = `9${customer.externalId.slice(-8)}`;

    const answer = await customers.update(customer, 'customerId', { merchantId });

    expect(answer).toBeAcceptedOrRefused();
    expect(answer.customer?.merchantId, 'the merchantId in the answer').not.toBe(merchantId);
    const read = await customers.read(customer);
    expect(read.customer?.merchantId, 'the merchantId that is stored').not.toBe(merchantId);
    await expect(customers.stored(customer)).toMatchCustomer(customer.state);
  });

  test("the page's sample, sent as an update, is stored completely or refused", requirement('UPD-2', 'UPD-4'), async ({ customers }) => {
    const customer = await customers.given({ vip: '2' });
    const { externalId: _own, ...changes } = sample(customers);
    const platform = customers.platformOf(customer.created, ['merchantId', 'createdAt', 'updatedAt']);

    const answer = await customers.update(customer, 'customerId', { ...changes, ...platform, externalId: customer.externalId });

    expect(answer).toBeAcceptedOrRefused();
    if (!answer.refused) await expect(customers.stored(customer), of('UPD-2', 'what was sent')).toHaveStored(changes);
    const expected = answer.refused ? customer.state : stateAfter(customer, changes);
    await expect(customers.stored(customer), of(answer.refused ? 'REF-1' : 'UPD-4', 'the rest')).toMatchCustomer(expected, customer.state);
  });

  test('what was read before another update and is sent back is stored or refused', requirement('UPD-2'), async ({ customers }) => {
    const customer = await customers.given({ vip: '2' });
    const platform = customers.platformOf(customer.created, ['createdAt', 'updatedAt']);
    await tick(customer);
    await customers.update(customer, 'customerId', { vip: '3' }).orNotTestable();
    const known = withChanges(customer, { vip: '3' });

    await customers
      .update(known, 'customerId', { ...platform, externalTier: 'Gold', vip: '4' })
      .orNotApplicable('such an update is refused');

    await expect(customers.stored(known)).toHaveStored({ externalTier: 'Gold', vip: '4' });
  });
});
