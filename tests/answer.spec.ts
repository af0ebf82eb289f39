import { type Changes, compare } from '../generators/model.ts';
import { validateAnswer } from '../schemas/contract.ts';
import { insidesOf } from './support/answer-violation.ts';
import { expect, of, requirement, test } from './support/fixtures.ts';
import { naming, selectors, stateAfter } from './support/test-customer.ts';

test.describe('an accepted request', () => {
  test('a create is answered with 200 and JSON', requirement('ANS-1', 'ANS-2', 'ANS-4'), async ({ customers, people }) => {
    const answer = await customers.create(people.plain());

    if (answer.refused) customers.notTestable(`the create was refused: ${answer}`);
    expect(answer.status(), of('ANS-1', 'the status')).toBe(200);
    expect(answer.mediaType, of('ANS-2', 'the media type')).toBe('application/json');
    expect(answer.customer?.customerId, of('ANS-4', 'customer.customerId')).toEqual(expect.any(String));
  });

  for (const [by, how] of selectors) {
    test(`an update ${how} is answered with 200 and JSON`, requirement('ANS-1', 'ANS-2', 'ANS-4'), async ({ customers }) => {
      const customer = await customers.given();

      const answer = await customers.update(customer, by, { externalTier: 'Gold' });

      if (answer.refused) customers.notTestable(`the update was refused: ${answer}`);
      expect(answer.status(), of('ANS-1', 'the status')).toBe(200);
      expect(answer.mediaType, of('ANS-2', 'the media type')).toBe('application/json');
      expect(answer.customer?.customerId, of('ANS-4', 'customer.customerId')).toEqual(expect.any(String));
    });
  }

  test('an update that changes nothing is answered with 200', requirement('ANS-1'), async ({ customers }) => {
    const customer = await customers.given();

    const answer = await customers.update(customer, 'customerId', {});

    if (answer.refused) customers.notTestable(`the update was refused: ${answer}`);
    expect(answer.status(), 'the status').toBe(200);
  });

  test('a name with accents is answered with complete JSON', requirement('ANS-2'), async ({ customers, people }) => {
    const answer = await customers.create({ ...people.plain(), name: 'Zoë Nuñez-Ångström' });

    if (answer.refused) customers.notApplicable('the target refuses accents');
    expect(answer.json(), 'the body, parsed').toBeDefined();
  });

  test('a full customer validates in every answer', requirement('ANS-3'), async ({ customers, people }) => {
    const sent = people.full();
    const customer = customers.fromCreate(await customers.create(sent), sent);
    const removal = Object.fromEntries(Object.keys(people.optional()).map((name) => [name, null])) as Changes;

    expect(customer.created).toValidate();
    for (const [by] of selectors) {
      for (const changes of [people.optional(), { vip: '2' }]) {
        const answer = await customers.update(customer, by, changes);
        if (answer.status() === 200) expect(answer).toValidate();
      }
    }
    const answer = await customers.update(customer, 'customerId', removal);
    if (answer.status() === 200) expect(answer).toValidate();
  });

  test('a customer with no optional property validates', requirement('ANS-3'), async ({ customers, people }) => {
    const sent = people.plain('CA');
    const customer = customers.fromCreate(await customers.create(sent), sent);

    expect(customer.created).toValidate();
    const answer = await customers.update(customer, 'externalId', {});
    if (answer.status() === 200) expect(answer).toValidate();
  });
});

test.describe('the customer in an answer', () => {
  test('a create shows the whole customer', requirement('ANS-5'), async ({ customers, people }) => {
    const customer = await customers.given({}, people.full());

    customers.assertShown(customer.created, customer.state);
  });

  for (const [by, how] of selectors) {
    test(`an update ${how} shows the whole customer`, requirement('ANS-5'), async ({ customers, people }) => {
      const customer = await customers.given({}, people.full());
      const changes = { ...people.optional(), externalTier: null };

      const answer = await customers.update(customer, by, changes).orNotTestable();

      const read = await customers.read(customer, stateAfter(customer, changes));
      if (!read.customer) customers.notTestable(`the customer could not be read: ${read}`);
      customers.assertShown(answer, stateAfter(customer, changes), customer.state);
    });
  }
});

test.describe('read-back', () => {
  test('GET by customerId answers with that customer', requirement('ANS-6'), async ({ customers, people }) => {
    customers.assumeGetExists();
    const customer = await customers.given({}, people.full());
    // A newer one: a target may answer with the last it made.
    await customers.given();

    const answer = await customers.get(customer, (read) => compare(customer.state, read.customer ?? {}).length === 0);

    expect(answer).toName(customer.customerId);
    expect(answer).toValidate();
    expect(compare(customer.state, answer.customer ?? {}), 'how the customer differs').toEqual([]);
  });

  test('GET by externalId answers with that customer alone', requirement('ANS-6'), async ({ customers, people }) => {
    customers.assumeGetExists('/customers');
    const customer = await customers.given();
    const other = await customers.given({}, { ...people.plain(), externalId: `${customer.externalId}0` });

    for (const { externalId, customerId } of [customer, other]) {
      expect(await customers.find(externalId), `the customer with externalId ${externalId}`).toHaveLength(1);
      const answer = await customers.send(`look for externalId ${externalId}`, { method: 'GET', query: { externalId } }, 'list');

      const found = (answer.json() as { customers?: { customerId: string }[] } | undefined)?.customers ?? [];
      expect(
        found.map((customer) => customer.customerId),
        `the customers with externalId ${externalId}`,
      ).toEqual([customerId]);
      expect(validateAnswer({ customer: found[0] }), 'the listed customer validates').toBe(true);
    }
  });

  test('GET of an unknown customerId returns no customer', requirement('ANS-6'), async ({ customers }) => {
    customers.assumeGetExists();
    const customer = await customers.given();

    const answer = await customers.send(
      'read a customer that does not exist',
      { method: 'GET', path: `/customers/${encodeURIComponent(customer.customerId)}0000` },
      'other',
    );

    expect(answer).toBeAcceptedOrRefused();
    expect(answer.customer?.customerId, 'the customer shown').not.toBe(customer.customerId);
  });
});

test.describe('what no answer contains', () => {
  /** Requests that are refused, each for a reason of its own. */
  const wrong = [
    ['malformed JSON', Buffer.from('{"name": "Ann')],
    ['a wrong type', { name: { first: 'Ann' }, address: 'nowhere', phone: 1, email: [] }],
    ['a body without required properties', { vip: '1' }],
    ['a body that is not an object', Buffer.from('[1, 2]')],
  ] as const;

  test('a key, in accepted and refused requests', requirement('ANS-7'), async ({ customers }) => {
    const customer = await customers.given();
    expect(customer.created.leaks, 'a create repeats the key').toBe(false);
    for (const [what, body] of wrong) {
      const answer = await customers.send(`send ${what}`, { body });
      expect(answer.leaks, `an answer to ${what} repeats the key`).toBe(false);
    }
    const answer = await customers.send('ask for a path that does not exist', { method: 'GET', path: '/customers/0/none' }, 'other');
    expect(answer.leaks, 'an answer to an unknown path repeats the key').toBe(false);
  });

  for (const [what, body] of wrong) {
    test(`internals of the server, after ${what}`, requirement('ANS-8'), async ({ customers }) => {
      const answer = await customers.send(`send ${what}`, { body });

      expect(insidesOf(answer), "the server's insides in the answer").toBeUndefined();
    });
  }

  for (const [by, how] of selectors) {
    test(`internals of the server, after an update ${how}`, requirement('ANS-8'), async ({ customers }) => {
      const customer = await customers.given();

      expect(insidesOf(customer.created), 'internals of the server in the answer to the create').toBeUndefined();
      const answer = await customers.update(customer, by, { vip: '1' });
      expect(insidesOf(answer), "the server's insides in the answer").toBeUndefined();
    });
  }

  test("another customer's data", requirement('ANS-9'), async ({ customers, people }) => {
    const { email, phone, taxId, ...other } = people.plain();
    const address2 = `Suite ${taxId.slice(-5)}`;
    const owner = await customers.given({}, { ...other, email, phone, taxId, address: { ...other.address, address2 } });
    const customer = await customers.given();
    const secrets = [email, phone, taxId, address2];

    expect(customer.created).toContainNoneOf(secrets);
    for (const [by] of selectors) expect(await customers.update(customer, by, { vip: '3' })).toContainNoneOf(secrets);
    expect(await customers.read(customer)).toContainNoneOf(secrets);
    const refused = await customers.send(
      'send a wrong type',
      naming(customer, 'customerId', { ...customers.essentials(customer.state), address: 1 }),
    );
    expect(refused).toContainNoneOf(secrets);
    const taken = await customers.update(customer, 'customerId', { externalId: owner.externalId });
    // Who lets externalId win over customerId answers with its owner, as it has to.
    if (taken.refused) expect(taken).toContainNoneOf(secrets);
  });

  test("the newest customer's data", requirement('ANS-9'), async ({ customers, people }) => {
    const { email, phone, taxId, ...newest } = people.plain();
    const customer = await customers.given({}, { ...newest, email, phone, taxId });

    const { externalId: _own, ...body } = people.plain();
    const answer = await customers.upsert('name an unknown customerId', { body: { ...body, customerId: `${customer.customerId}0000` } });

    expect(answer).toContainNoneOf([email, phone, taxId]);
  });
});
