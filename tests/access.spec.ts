import { compare } from '../generators/model.ts';
import type { Credentials } from '../target/authorization.ts';
import { type Authorization, anonymous, inOtherCase, literal, otherScheme, unknownMerchant, wrongKey } from '../target/authorization.ts';
import type { Customers } from './support/customers.ts';
import { expect, of, requirement, test } from './support/fixtures.ts';
import { naming, pick, selectors, stateAfter } from './support/test-customer.ts';

type CredentialCase = readonly [what: string, authorization: (credentials: Credentials) => Authorization];

const ways: Record<'ACC-1' | 'ACC-2' | 'ACC-3', readonly CredentialCase[]> = {
  'ACC-1': [['no Authorization header', () => anonymous]],
  'ACC-2': [
    ['an unknown accessId and key', () => unknownMerchant()],
    ['a wrong key', (credentials) => wrongKey(credentials)],
    ['an empty key', (credentials) => wrongKey(credentials, '')],
  ],
  'ACC-3': [
    ['a bearer token', () => otherScheme('Bearer')],
    ['a Digest scheme', () => otherScheme('Digest')],
    ['Basic without credentials', () => literal('Basic')],
    ['Basic with invalid Base64', () => literal('Basic !!!!')],
    ['Basic without a colon', () => literal(`Basic ${Buffer.from('nobody').toString('base64')}`)],
    ['Basic with only a colon', () => literal(`Basic ${Buffer.from(':').toString('base64')}`)],
  ],
};

/** A request by somebody else: an update of this customer, and a create; neither leaves a trace. */
async function expectShutOut(customers: Customers, authorization: Authorization): Promise<void> {
  const customer = await customers.given({ vip: '1' });
  const person = { ...customers.people.plain(), vip: '2' };

  const update = await customers.send('update without valid credentials', {
    body: { ...customers.essentials(customer.state), vip: '2', customerId: customer.customerId },
    authorization,
  });
  const create = await customers.send('create without valid credentials', { body: person, authorization });

  expect(update).toBeRefused();
  expect(create).toBeRefused();
  await expect(customers.stored(customer)).toMatchCustomer(customer.state);
  const found = await customers.find(person.externalId);
  if (found) expect(found, 'the customers that were created without valid credentials').toEqual([]);
}

test.describe('a request has no effect with', () => {
  for (const [id, cases] of Object.entries(ways) as [keyof typeof ways, readonly CredentialCase[]][]) {
    for (const [what, authorization] of cases) {
      test(what, requirement(id), async ({ customers }) => {
        await expectShutOut(customers, authorization(customers.credentials));
      });
    }
  }
});

test.describe('nobody', () => {
  test('is shown a customer by GET without credentials', requirement('ACC-1'), async ({ customers, people }) => {
    customers.assumeGetExists();
    const person = people.plain();
    const customer = await customers.given({}, person);

    const answer = await customers.send(
      'read without right',
      { method: 'GET', path: `/customers/${encodeURIComponent(customer.customerId)}`, authorization: anonymous },
      'other',
    );

    expect(answer).toContainNoneOf([person.email, person.phone, person.taxId]);
  });
});

test.describe('another merchant', () => {
  for (const [by, how] of selectors) {
    test(`does not change a customer ${how}`, requirement('ACC-5'), async ({ customers }) => {
      const other = customers.ofOtherMerchant();
      const customer = await customers.given({ vip: '1' });

      const answer = await other.update(customer, by, { vip: '2' });

      expect(answer).toBeAcceptedOrRefused();
      expect(answer.customer?.customerId, 'the customerId in the answer').not.toBe(customer.customerId);
      await expect(customers.stored(customer)).toMatchCustomer(customer.state);
    });

    test(`does not read a customer ${how}`, requirement('ACC-4'), async ({ customers, people }) => {
      const other = customers.ofOtherMerchant();
      const person = people.full();
      const customer = await customers.given({}, person);
      const { externalId: _own, ...own } = other.people.plain();

      const answer = await other.send(`ask for another's customer ${how}`, naming(customer, by, own));

      expect(answer).toContainNoneOf([person.name, person.email, person.phone, person.taxId]);
    });
  }

  test('does not find a customer by GET', requirement('ACC-4'), async ({ customers, people }) => {
    const other = customers.ofOtherMerchant();
    customers.assumeGetExists();
    const person = people.full();
    const customer = await customers.given({}, person);
    const secrets = [person.name, person.email, person.phone, person.taxId];

    const answer = await other.send(
      "read another's customer",
      { method: 'GET', path: `/customers/${encodeURIComponent(customer.customerId)}` },
      'get',
    );

    expect(answer).toBeAcceptedOrRefused();
    expect(answer.customer, "the other merchant's customer").toBeUndefined();
    expect(answer).toContainNoneOf(secrets);
    for (const query of [{ externalId: customer.externalId }, { customerId: customer.customerId }]) {
      const list = await other.send("look for another's customer", { method: 'GET', query }, 'other');
      expect(list).toContainNoneOf(secrets);
    }
  });

  for (const place of ['body', 'query'] as const) {
    test(
      `does not reach a customer by naming one of its own in the ${place}`,
      requirement('ACC-5', 'ACC-4'),
      async ({ customers, people }) => {
        const other = customers.ofOtherMerchant();
        const customer = await customers.given({}, people.full());
        const own = await other.given();
        const body = { ...other.essentials(own.state), customerId: customer.customerId, vip: '8', externalTier: null };

        const request = naming(own, place === 'body' ? 'externalId' : 'query', body);
        const answer = await other.upsert("name another's customerId and an own externalId", request);

        expect(answer).toBeAcceptedOrRefused();
        expect(answer.customer?.customerId, of('ACC-5', 'the customerId in the answer')).not.toBe(customer.customerId);
        await expect(customers.stored(customer), of('ACC-5', 'the customer')).toMatchCustomer(customer.state);
        const { name = '', phone = '' } = customer.state;
        expect(answer, of('ACC-4', "the other's answer")).toContainNoneOf([name, phone]);
      },
    );
  }

  for (const by of ['externalId', 'query'] as const) {
    test(`has its own customer with the same externalId, updated by ${by}`, requirement('ACC-5'), async ({ customers, people }) => {
      const other = customers.ofOtherMerchant();
      const customer = await customers.given({}, people.full());
      // Whatever remembers whom the externalId names knows it now.
      await customers.update(customer, by, {}).orNotTestable();
      const { externalId: _own, ...person } = other.people.full('CA');
      const created = await other.upsert("create the other merchant's", naming(customer, by, person));
      expect(created).toBeAcceptedOrRefused();
      expect(created.customer?.customerId, "the customerId of the other's customer").not.toBe(customer.customerId);
      await expect(customers.stored(customer), "the customer after a create of the other's").toMatchCustomer(customer.state);
      if (created.refused) customers.notApplicable('such a create is refused');
      const known = other.fromCreate(created, { ...person, externalId: customer.externalId });
      const shown = (await other.read(known)).customer;
      if (!shown) return customers.notTestable("the other's customer could not be read");
      // What a create keeps of it is the create's own to tell.
      const kept = Object.keys(known.state).filter((name) => compare(pick(known.state, [name]), pick(shown, [name])).length === 0);
      const theirs = { ...known, state: pick(known.state, kept) };

      if (created.customer?.externalId !== customer.externalId)
        customers.notApplicable('a create by the query does not store the externalId');
      await other.update(theirs, by, { name: 'Other Merchant', vip: '8', externalTier: null }).orNotTestable();
      await expect(customers.stored(customer), "the customer after an update of the other's").toMatchCustomer(customer.state);
      const changed = stateAfter(theirs, { name: 'Other Merchant', vip: '8', externalTier: null });
      await customers.update(customer, by, { vip: '5', currency: null }).orNotTestable();
      await expect(other.stored(theirs), "the other's customer after an update of this one").toMatchCustomer(changed);
    });
  }

  test('creates its own customers at the same time', requirement('ACC-5'), async ({ customers, people }) => {
    const other = customers.ofOtherMerchant();
    const merchantId = (await customers.given()).created.customer?.merchantId;

    for (let round = 0; round < 3; round += 1) {
      const [ours, theirs] = [people.plain(), other.people.plain()];
      const answers = await Promise.all([customers.create(ours), other.create(theirs)]);

      for (const answer of answers) expect(answer).toBeAcceptedOrRefused();
      const [own, foreign] = answers.map(({ customer }) => customer);
      if (!own || !foreign) return customers.notTestable('no customer could be created');
      if (merchantId !== undefined) {
        expect(own.merchantId, 'the merchantId of the own customer').toBe(merchantId);
        expect(foreign.merchantId, "the merchantId of the other merchant's customer").not.toBe(merchantId);
      }
      const update = await customers.upsert('update the own customer', { body: { ...ours, vip: '2' } });
      expect(update, 'the own customer').toName(own.customerId);
    }
  });

  test('may have the same externalId', requirement('CRE-1', 'ACC-5'), async ({ customers }) => {
    const other = customers.ofOtherMerchant();
    const customer = await customers.given();

    const person = other.people.plain();
    const answer = await other.create({ ...person, externalId: customer.externalId });

    expect(answer, of('CRE-1', "the other merchant's create")).toBeAccepted();
    expect(answer.customer?.customerId, of('ACC-5', 'the customerId of their customer')).not.toBe(customer.customerId);
    await other.upsert('update theirs by the externalId', {
      body: { ...customers.essentials(person), externalId: customer.externalId, vip: '9' },
    });
    await expect(customers.stored(customer), of('ACC-5', 'the customer')).toMatchCustomer(customer.state);
    const own = await customers.update(customer, 'externalId', { vip: '4' });
    expect(own, of('ACC-5', 'the own customer')).toName(customer.customerId);
  });
});

test.describe('missing or wrong credentials', () => {
  for (const [what, authorization] of [...ways['ACC-1'], ...ways['ACC-2'].slice(0, 2)]) {
    test(`are answered with 401: ${what}`, requirement('ACC-6'), async ({ customers, people }) => {
      const answer = await customers
        .send('create without right', {
          body: people.plain(),
          authorization: authorization(customers.credentials),
        })
        .refusedOrNotTestable();

      expect(answer.status(), 'the status').toBe(401);
    });
  }

  test('are answered with the scheme to use', requirement('ACC-7'), async ({ customers, people }) => {
    const answer = await customers.send('create without valid credentials', { body: people.plain(), authorization: anonymous });
    if (answer.status() !== 401) customers.notApplicable(`a request without credentials is answered ${answer}`);

    expect(answer.headers()['www-authenticate'] ?? '', 'the WWW-Authenticate header').toMatch(/\S/);
  });
});

test.describe('the name of the scheme', () => {
  for (const scheme of ['basic', 'BASIC']) {
    test(`is accepted as ${scheme}`, requirement('ACC-8'), async ({ customers, people }) => {
      const answer = await customers.send('create', {
        body: people.plain(),
        authorization: inOtherCase(customers.credentials, scheme),
      });

      expect(answer).toBeAccepted();
    });
  }
});
