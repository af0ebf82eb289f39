import type { Changes } from '../generators/model.ts';
import { type Removable, removableProperties } from '../schemas/properties.ts';
import type { Customers } from './support/customers.ts';
import { expect, of, requirement, test } from './support/fixtures.ts';
import { selectors, stateAfter, type TestCustomer, withChanges } from './support/test-customer.ts';

/** A full customer, all of whose properties the target kept; what its business demands is none of its removable ones. */
async function givenFull(customers: Customers, ...removed: Removable[]): Promise<TestCustomer> {
  const demanded = removed.filter((name) => customers.people.demanded.includes(name));
  if (demanded.length) customers.notApplicable(`TRUSTLY_CUSTOMER_FILE says that this target requires ${demanded.join(', ')}`);
  const full = customers.people.full();
  return await customers.given(Object.fromEntries(removed.map((name) => [name, full[name]])), full);
}

/** A request that removes these properties. */
const removal = (...names: readonly Removable[]) => Object.fromEntries(names.map((name) => [name, null])) as Changes;

for (const [by, how] of selectors) {
  test.describe(`removed ${how}`, () => {
    for (const name of removableProperties) {
      test(`${name} is absent, the rest stays`, requirement('NULL-1', 'NULL-5'), async ({ customers }) => {
        const customer = await givenFull(customers, name);
        const expected = stateAfter(customer, removal(name));

        const request = customers.update(customer, by, removal(name));

        expect(await request, of('NULL-1', 'the removal')).toBeAccepted();
        const answer = await request.orNotTestable();
        await expect(customers.stored(customer), of('NULL-1', 'what was removed')).toLack([name], expected);
        await expect(customers.stored(customer), of('NULL-5', 'the rest')).toMatchCustomer(expected, customer.state);
        customers.assertShown(answer, expected, customer.state);
      });
    }

    test('all optional properties at once', requirement('NULL-2'), async ({ customers, people }) => {
      const names = removableProperties.filter((name) => !people.demanded.includes(name));
      const customer = await givenFull(customers, ...names);
      const expected = stateAfter(customer, removal(...names));

      const request = customers.update(customer, by, removal(...names));

      expect(await request, of('NULL-2', 'the removal')).toBeAccepted();
      const answer = await request.orNotTestable();
      await expect(customers.stored(customer), of('NULL-2', 'what was removed')).toLack(names, expected);
      await expect(customers.stored(customer), of('NULL-5', 'the rest')).toMatchCustomer(expected, customer.state);
      customers.assertShown(answer, expected, customer.state);
    });

    test('three, with new values for three others', requirement('NULL-2'), async ({ customers, people }) => {
      const names = ['dateOfBirth', 'vip', 'driverLicense'] as const;
      const customer = await givenFull(customers, ...names);
      const values = { externalTier: 'Platinum', balance: '77.70', name: people.plain().name };
      const changes = { ...removal(...names), ...values };
      const expected = stateAfter(customer, changes);

      const request = customers.update(customer, by, changes);

      expect(await request, of('NULL-2', 'the removal')).toBeAccepted();
      const answer = await request.orNotTestable();
      await expect(customers.stored(customer), of('NULL-2', 'what was removed')).toLack(names, expected);
      await expect(customers.stored(customer), of('NULL-2', 'the new values')).toHaveStored(values);
      await expect(customers.stored(customer), of('NULL-5', 'the rest')).toMatchCustomer(expected, customer.state);
      customers.assertShown(answer, expected, customer.state);
    });

    test('vip stays absent through later updates', requirement('NULL-3'), async ({ customers }) => {
      const customer = await givenFull(customers, 'vip', 'customData');
      await customers.update(customer, by, removal('vip', 'customData')).orNotTestable();
      let known = withChanges(customer, removal('vip', 'customData'));

      for (const [other] of selectors) {
        const changes = { externalTier: `after ${other}` };
        await customers.update(known, other, changes);
        known = withChanges(known, changes);
      }

      await expect(customers.stored(known)).toMatchCustomer(known.state);
    });

    test('everything can be set again', requirement('NULL-4'), async ({ customers, people }) => {
      const names = removableProperties.filter((name) => !people.demanded.includes(name));
      const customer = await givenFull(customers, ...names);
      await customers.update(customer, by, removal(...names)).orNotTestable();
      const changes = people.optional();
      const known = withChanges(customer, removal(...names));

      const answer = await customers.update(known, by, changes);

      expect(answer).toBeAccepted();
      await expect(customers.stored(known)).toMatchCustomer(stateAfter(known, changes));
    });

    test('taxId, if its removal is accepted', requirement('NULL-6'), async ({ customers }) => {
      const customer = await givenFull(customers);

      await customers.update(customer, by, { taxId: null }).orNotApplicable('the removal of taxId is refused');

      await expect(customers.stored(customer)).toMatchCustomer(stateAfter(customer, { taxId: null }));
      const known = withChanges(customer, { taxId: null });
      const later = await customers.update(known, by, { vip: '3' });
      if (later.customer) await expect(customers.stored(known)).toMatchCustomer(stateAfter(known, { vip: '3' }));
    });
  });
}

test.describe('a removal', () => {
  for (const [index, name] of removableProperties.entries()) {
    const next = removableProperties[(index + 1) % removableProperties.length] ?? 'vip';
    test(`of ${name} and ${next} removes both`, requirement('NULL-2'), async ({ customers }) => {
      const customer = await givenFull(customers, name, next);
      const by = selectors[index % selectors.length]?.[0] ?? 'customerId';
      const expected = stateAfter(customer, removal(name, next));

      const request = customers.update(customer, by, removal(name, next));

      expect(await request, of('NULL-2', 'the removal')).toBeAccepted();
      const answer = await request.orNotTestable();
      await expect(customers.stored(customer), of('NULL-2', 'what was removed')).toLack([name, next], expected);
      await expect(customers.stored(customer), of('NULL-5', 'the rest')).toMatchCustomer(expected, customer.state);
      customers.assertShown(answer, expected, customer.state);
    });

    test(`of ${name} can be reversed`, requirement('NULL-4'), async ({ customers, people }) => {
      const customer = await givenFull(customers, name);
      await customers.update(customer, 'customerId', removal(name)).orNotTestable();
      const known = withChanges(customer, removal(name));
      const changes = { [name]: people.optional()[name] };

      await customers.update(known, 'externalId', changes);

      await expect(customers.stored(known)).toMatchCustomer(stateAfter(known, changes));
    });
  }

  for (const [name, twin] of [
    ['vip', 'externalTier'],
    ['externalTier', 'vip'],
    ['nationalId', 'organizationNumber'],
    ['organizationNumber', 'nationalId'],
  ] as const) {
    test(`of ${name} leaves ${twin} with the same value`, requirement('NULL-5'), async ({ customers }) => {
      const value = name === 'vip' || twin === 'vip' ? '3' : '900123456';
      const customer = await givenFull(customers, name);
      const same = { [name]: value, [twin]: value };
      await customers.update(customer, 'customerId', same).orNotTestable();
      const known = withChanges(customer, same);

      await customers.update(known, 'customerId', removal(name)).orNotTestable();

      await expect(customers.stored(known)).toHaveStored({ [twin]: value });
    });
  }

  test('of currency leaves vip removed', requirement('NULL-3'), async ({ customers }) => {
    const customer = await givenFull(customers, 'vip', 'currency');
    let known = customer;

    for (const name of ['vip', 'currency'] as const) {
      await customers.update(known, 'customerId', removal(name)).orNotTestable();
      known = withChanges(known, removal(name));
    }

    await expect(customers.stored(known)).toLack(['vip'], known.state);
  });

  test('of vip, twice, leaves it absent', requirement('NULL-3'), async ({ customers }) => {
    const customer = await givenFull(customers, 'vip');
    await customers.update(customer, 'customerId', removal('vip')).orNotTestable();
    const known = withChanges(customer, removal('vip'));

    const answer = await customers.update(known, 'query', removal('vip'));

    expect(answer).toBeAcceptedOrRefused();
    await expect(customers.stored(known)).toMatchCustomer(known.state);
  });

  test('of properties that were never set adds nothing', requirement('NULL-1', 'NULL-5'), async ({ customers, people }) => {
    const customer = await customers.given();
    const names = removableProperties.filter((name) => !people.demanded.includes(name));

    const answer = await customers.update(customer, 'externalId', removal(...names));

    expect(answer).toBeAcceptedOrRefused();
    await expect(customers.stored(customer), of('NULL-1', 'the properties that were never set')).toLack(names, customer.state);
    await expect(customers.stored(customer), of('NULL-5', 'the rest')).toMatchCustomer(customer.state);
  });

  test('touches no other customer', requirement('UPD-10'), async ({ customers, people }) => {
    const { vip, currency, externalTier, customData, dateOfBirth } = people.optional();
    const shared = { vip, currency, externalTier, customData, dateOfBirth };
    const bystander = await customers.given(shared);
    const customer = await customers.given(shared);
    const names = removableProperties.filter((name) => name in shared && !people.demanded.includes(name));

    const answer = await customers.update(customer, 'customerId', removal(...names));

    expect(answer).toBeAcceptedOrRefused();
    await expect(customers.stored(bystander)).toMatchCustomer(bystander.state);
  });
});
