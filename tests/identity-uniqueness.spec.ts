import { selectorRequirement } from './support/attribution.ts';
import type { Customers } from './support/customers.ts';
import { expect, requirement, test } from './support/fixtures.ts';
import { selectors, type TestCustomer } from './support/test-customer.ts';

/** Asserts that not both customers have the externalId, and that the list has one customer of it if there is a list. */
async function expectOneOwner(customers: Customers, externalId: string, both: readonly [TestCustomer, TestCustomer]): Promise<void> {
  const [first, second] = both;
  const ids = [(await customers.read(first)).customer?.externalId, (await customers.read(second)).customer?.externalId];
  expect(ids, 'the externalIds of both').not.toEqual([externalId, externalId]);
  await expectListedOnce(customers, externalId);
}

/** Asserts that the list has one customer of the externalId, if there is a list. */
async function expectListedOnce(customers: Customers, externalId: string): Promise<void> {
  const found = await customers.find(externalId);
  if (found) expect(found.length, 'how many customers have the externalId').toBe(1);
}

test.describe('one externalId, one customer', () => {
  test('a second create is an update', requirement('IDY-7', 'IDY-2'), async ({ customers, people }) => {
    const customer = await customers.given();
    const { externalId } = customer;

    const answer = await customers.create({ ...people.full('CA'), externalId });

    expect(answer).toBeAccepted();
    expect(answer).toName(customer.customerId);
    await expectListedOnce(customers, externalId);
  });

  for (const [by, how] of selectors) {
    if (by === 'externalId') continue;
    test(`another customer's is not taken over ${how}`, requirement('IDY-7'), async ({ customers }) => {
      const owner = await customers.given();
      const customer = await customers.given();

      const answer = await customers.update(customer, by, { externalId: owner.externalId });

      expect(answer).toBeAcceptedOrRefused();
      await expectOneOwner(customers, owner.externalId, [owner, customer]);
    });
  }

  test('a new externalId is given to one customer only', requirement('IDY-7'), async ({ customers, people }) => {
    const externalId = people.externalId();
    const first = await customers.given();
    const second = await customers.given();
    const renamed = await customers.update(first, 'customerId', { externalId });
    expect(renamed).toBeAcceptedOrRefused();
    if (renamed.customer?.externalId !== externalId) customers.notApplicable('this target does not change an externalId');

    const answer = await customers.update(second, 'customerId', { externalId });

    expect(answer).toBeAcceptedOrRefused();
    await expectOneOwner(customers, externalId, [first, second]);
  });

  for (const [by, how] of selectors) {
    test(`names a customer that got it later, ${how}`, requirement(selectorRequirement[by], 'IDY-7'), async ({ customers, people }) => {
      const { externalId, ...sent } = people.plain();
      const created = await customers.create(sent).orNotApplicable('a create without externalId is refused');
      const nameless = customers.fromCreate(created, sent);
      const given = await customers.update(nameless, 'customerId', { externalId });
      expect(given).toBeAcceptedOrRefused();
      if (given.customer?.externalId !== externalId) customers.notApplicable('this target gives no externalId to an existing customer');
      const customer = { ...nameless, externalId, state: { ...sent, externalId } };

      const answer = await customers.update(customer, by, { vip: '2' });

      expect(answer).toBeAccepted();
      expect(answer).toName(customer.customerId);
      await expect(customers.stored(customer)).toHaveStored({ vip: '2' });
    });
  }

  test('an externalId in use is not given to a customer without one', requirement('IDY-7'), async ({ customers, people }) => {
    const owner = await customers.given();
    const { externalId: _left, ...sent } = people.plain();
    const created = await customers.create(sent).orNotApplicable('a create without externalId is refused');
    const customer = customers.fromCreate(created, sent);

    const answer = await customers.update(customer, 'customerId', { externalId: owner.externalId });

    expect(answer).toBeAcceptedOrRefused();
    await expectOneOwner(customers, owner.externalId, [owner, customer]);
  });

  test('a renamed customer leaves its old externalId free', requirement('IDY-7', 'IDY-2'), async ({ customers, people }) => {
    const customer = await customers.given();
    const externalId = people.externalId();
    const renamed = await customers.update(customer, 'customerId', { externalId });
    expect(renamed).toBeAcceptedOrRefused();
    if (renamed.customer?.externalId !== externalId) customers.notApplicable('this target does not change an externalId');

    const later = await customers.upsert('update by the new externalId', {
      body: { ...customers.essentials(customer.state), externalId, vip: '2' },
    });
    const anew = await customers.create({ ...people.plain(), externalId: customer.externalId });

    expect(later).toBeAccepted();
    expect(later).toName(customer.customerId);
    expect(anew).toBeAcceptedOrRefused();
    expect(anew.customer?.customerId, 'the customerId of the customer that now has the old externalId').not.toBe(customer.customerId);
    await expect(customers.stored({ ...customer, externalId })).toHaveStored({ externalId, vip: '2' });
  });

  test('concurrent creates result in one customer', requirement('IDY-8'), async ({ customers, people }) => {
    for (let round = 0; round < 3; round += 1) {
      const externalId = people.externalId();
      const bodies = Array.from({ length: 5 }, () => ({ ...people.plain(), externalId }));

      const answers = await Promise.all(bodies.map((body) => customers.create(body)));

      for (const answer of answers) expect(answer).toBeAcceptedOrRefused();
      expect(
        answers.some((answer) => answer.ok()),
        'at least one of the creates is accepted',
      ).toBe(true);
      const ids = new Set(answers.flatMap(({ customer }) => customer?.customerId ?? []));
      if (ids.size === 0) customers.notTestable('no answer names the customer');
      expect(ids.size, `how many customers came of one externalId (${[...ids].join(', ')})`).toBe(1);
      await expectListedOnce(customers, externalId);
    }
  });

  test('concurrent creates by body and by query result in one customer', requirement('IDY-8'), async ({ customers, people }) => {
    const externalId = people.externalId();
    const bodies = Array.from({ length: 6 }, () => ({ ...people.plain(), externalId }));

    const answers = await Promise.all(
      bodies.map((body, index) =>
        index % 2 ? customers.create(body) : customers.upsert('create by the query', { body, query: { externalId } }),
      ),
    );

    for (const answer of answers) expect(answer).toBeAcceptedOrRefused();
    const ids = new Set(answers.flatMap(({ customer }) => (customer?.externalId === externalId ? customer.customerId : [])));
    expect(ids.size, `how many customers came of one externalId (${[...ids].join(', ')})`).toBeLessThanOrEqual(1);
  });
});
