import { type Removable, removableProperties } from '../generators/customers.ts';
import type { Changes } from '../generators/model.ts';
import type { RequirementId } from '../schemas/requirement-id.ts';
import { type Customers, pick, type Selector, selectors, stateAfter, type TestCustomer } from './support/customers.ts';
import { expect, of, requirement, test } from './support/fixtures.ts';

/** A full customer, all of whose properties the target kept; what its business demands is none of its removable ones. */
async function givenFull(customers: Customers, ...removed: Removable[]): Promise<TestCustomer> {
  const demanded = removed.filter((name) => customers.people.demanded.includes(name));
  if (demanded.length) customers.notApplicable(`TRUSTLY_CUSTOMER_FILE says that this target demands ${demanded.join(', ')}`);
  const full = customers.people.full();
  return await customers.given(Object.fromEntries(removed.map((name) => [name, full[name]])), full);
}

/** A request that removes these properties. */
const removal = (...names: readonly Removable[]) => Object.fromEntries(names.map((name) => [name, null])) as Changes;

/** Removes properties and sees them gone, as one requirement has it, and everything else as it was, which is another. */
async function remove(customers: Customers, customer: TestCustomer, by: Selector, changes: Changes, id: RequirementId): Promise<void> {
  const removed = Object.keys(changes).filter((name) => changes[name as Removable] === null);
  const answer = await customers.update(customer, by, changes);
  expect(answer, of(id, 'the removal')).toBeAccepted();
  customers.assumeUpdated(customer, answer);
  const expected = stateAfter(customer, changes);
  await expect(customers.stored(customer), of(id, 'what was removed')).toLack(removed, expected);
  await expect(customers.stored(customer), of(id, 'the new values')).toHaveStored(pick(expected, Object.keys(changes)));
  await expect(customers.stored(customer), of('NULL-5', 'the rest')).toMatchCustomer(expected, customer.state);
  customers.assertShown(answer, stateAfter(customer, changes), customer.state);
}

for (const [by, how] of selectors) {
  test.describe(`removed ${how}`, () => {
    for (const name of removableProperties) {
      test(`${name} is absent, the rest stays`, requirement('NULL-1', 'NULL-5'), async ({ customers }) => {
        const customer = await givenFull(customers, name);

        await remove(customers, customer, by, removal(name), 'NULL-1');
      });
    }

    test('all optional properties at once', requirement('NULL-2'), async ({ customers, people }) => {
      const names = removableProperties.filter((name) => !people.demanded.includes(name));
      const customer = await givenFull(customers, ...names);

      await remove(customers, customer, by, removal(...names), 'NULL-2');
    });

    test('three, with new values for three others', requirement('NULL-2'), async ({ customers, people }) => {
      const customer = await givenFull(customers, 'dateOfBirth', 'vip', 'driverLicense');

      const changes = { externalTier: 'Platinum', balance: '77.70', name: people.plain().name };
      await remove(customers, customer, by, { ...removal('dateOfBirth', 'vip', 'driverLicense'), ...changes }, 'NULL-2');
    });

    test('vip stays absent through later updates', requirement('NULL-3'), async ({ customers }) => {
      const customer = await givenFull(customers, 'vip', 'customData');
      const gone = await customers.update(customer, by, removal('vip', 'customData'));
      customers.assumeUpdated(customer, gone);
      let known = { ...customer, state: stateAfter(customer, removal('vip', 'customData')) };

      for (const [other] of selectors) {
        const changes = { externalTier: `after ${other}` };
        await customers.update(known, other, changes);
        known = { ...known, state: stateAfter(known, changes) };
      }

      await expect(customers.stored(known)).toMatchCustomer(known.state);
    });

    test('everything can be set again', requirement('NULL-4'), async ({ customers, people }) => {
      const names = removableProperties.filter((name) => !people.demanded.includes(name));
      const customer = await givenFull(customers, ...names);
      const gone = await customers.update(customer, by, removal(...names));
      customers.assumeUpdated(customer, gone);
      const changes = people.optional();
      const known = { ...customer, state: stateAfter(customer, removal(...names)) };

      const answer = await customers.update(known, by, changes);

      expect(answer).toBeAccepted();
      await expect(customers.stored(known)).toMatchCustomer(stateAfter(known, changes));
    });

    test('taxId, where that is accepted', requirement('NULL-6'), async ({ customers }) => {
      const customer = await givenFull(customers);

      const answer = await customers.update(customer, by, { taxId: null });

      expect(answer).toBeAcceptedOrRefused();
      if (answer.refused) customers.notApplicable('the removal of taxId is refused');
      await expect(customers.stored(customer)).toMatchCustomer(stateAfter(customer, { taxId: null }));
      const known = { ...customer, state: stateAfter(customer, { taxId: null }) };
      const later = await customers.update(known, by, { vip: '3' });
      if (later.customer) await expect(customers.stored(known)).toMatchCustomer(stateAfter(known, { vip: '3' }));
    });
  });
}

test.describe('a removal', () => {
  for (const [index, name] of removableProperties.entries()) {
    const next = removableProperties[(index + 1) % removableProperties.length] ?? 'vip';
    test(`of ${name} and ${next} takes both`, requirement('NULL-2'), async ({ customers }) => {
      const customer = await givenFull(customers, name, next);

      await remove(customers, customer, selectors[index % selectors.length]?.[0] ?? 'customerId', removal(name, next), 'NULL-2');
    });

    test(`of ${name} can be taken back`, requirement('NULL-4'), async ({ customers, people }) => {
      const customer = await givenFull(customers, name);
      const gone = await customers.update(customer, 'customerId', removal(name));
      customers.assumeUpdated(customer, gone);
      const known = { ...customer, state: stateAfter(customer, removal(name)) };
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
    test(`of ${name} leaves ${twin} of the same value`, requirement('NULL-5'), async ({ customers }) => {
      const value = name === 'vip' || twin === 'vip' ? '3' : '900123456';
      const customer = await givenFull(customers, name);
      const same = { [name]: value, [twin]: value };
      customers.assumeUpdated(customer, await customers.update(customer, 'customerId', same));
      const known = { ...customer, state: stateAfter(customer, same) };

      const gone = await customers.update(known, 'customerId', removal(name));

      customers.assumeUpdated(known, gone);
      await expect(customers.stored(known)).toHaveStored({ [twin]: value });
    });
  }

  test('of currency leaves vip removed', requirement('NULL-3'), async ({ customers }) => {
    const customer = await givenFull(customers, 'vip', 'currency');
    let known = customer;

    for (const name of ['vip', 'currency'] as const) {
      customers.assumeUpdated(customer, await customers.update(known, 'customerId', removal(name)));
      known = { ...known, state: stateAfter(known, removal(name)) };
    }

    await expect(customers.stored(known)).toLack(['vip'], known.state);
  });

  test('of vip, twice, leaves it absent', requirement('NULL-3'), async ({ customers }) => {
    const customer = await givenFull(customers, 'vip');
    const gone = await customers.update(customer, 'customerId', removal('vip'));
    customers.assumeUpdated(customer, gone);
    const known = { ...customer, state: stateAfter(customer, removal('vip')) };

    const answer = await customers.update(known, 'query', removal('vip'));

    expect(answer).toBeAcceptedOrRefused();
    await expect(customers.stored(known)).toMatchCustomer(known.state);
  });

  test('of what was never there adds nothing', requirement('NULL-1', 'NULL-5'), async ({ customers, people }) => {
    const customer = await customers.given();
    const names = removableProperties.filter((name) => !people.demanded.includes(name));

    const answer = await customers.update(customer, 'externalId', removal(...names));

    expect(answer).toBeAcceptedOrRefused();
    await expect(customers.stored(customer), of('NULL-1', 'what was never there')).toLack(names, customer.state);
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
