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
async function remove(customers: Customers, before: TestCustomer, by: Selector, changes: Changes, id: RequirementId): Promise<void> {
  const removed = Object.keys(changes).filter((name) => changes[name as Removable] === null);
  const answer = await customers.update(before, by, changes);
  expect(answer, of(id, 'the removal')).toBeAccepted();
  customers.assumeUpdated(before, answer);
  const expected = stateAfter(before, changes);
  await expect(customers.stored(before), of(id, 'what was removed')).toLack(removed, expected);
  await expect(customers.stored(before), of(id, 'the new values')).toHaveStored(pick(expected, Object.keys(changes)));
  await expect(customers.stored(before), of('NULL-5', 'the rest')).toMatchCustomer(expected, before.state);
  customers.assertShown(answer, stateAfter(before, changes), before.state);
}

for (const [by, how] of selectors) {
  test.describe(`removed ${how}`, () => {
    for (const name of removableProperties) {
      test(`${name} is absent, the rest stays`, requirement('NULL-1', 'NULL-5'), async ({ customers }) => {
        const before = await givenFull(customers, name);

        await remove(customers, before, by, removal(name), 'NULL-1');
      });
    }

    test('all optional properties at once', requirement('NULL-2'), async ({ customers }) => {
      const names = removableProperties.filter((name) => !customers.people.demanded.includes(name));
      const before = await givenFull(customers, ...names);

      await remove(customers, before, by, removal(...names), 'NULL-2');
    });

    test('three, with new values for three others', requirement('NULL-2'), async ({ customers }) => {
      const before = await givenFull(customers, 'dateOfBirth', 'vip', 'driverLicense');

      const changes = { externalTier: 'Platinum', balance: '77.70', name: customers.people.plain().name };
      await remove(customers, before, by, { ...removal('dateOfBirth', 'vip', 'driverLicense'), ...changes }, 'NULL-2');
    });

    test('vip stays absent through later updates', requirement('NULL-3'), async ({ customers }) => {
      const before = await givenFull(customers, 'vip', 'customData');
      const gone = await customers.update(before, by, removal('vip', 'customData'));
      customers.assumeUpdated(before, gone);
      let known = { ...before, state: stateAfter(before, removal('vip', 'customData')) };

      for (const [other] of selectors) {
        const changes = { externalTier: `after ${other}` };
        await customers.update(known, other, changes);
        known = { ...known, state: stateAfter(known, changes) };
      }

      await expect(customers.stored(known)).toMatchCustomer(known.state);
    });

    test('everything can be set again', requirement('NULL-4'), async ({ customers }) => {
      const names = removableProperties.filter((name) => !customers.people.demanded.includes(name));
      const before = await givenFull(customers, ...names);
      const gone = await customers.update(before, by, removal(...names));
      customers.assumeUpdated(before, gone);
      const changes = customers.people.optional();
      const known = { ...before, state: stateAfter(before, removal(...names)) };

      const answer = await customers.update(known, by, changes);

      expect(answer).toBeAccepted();
      await expect(customers.stored(known)).toMatchCustomer(stateAfter(known, changes));
    });

    test('taxId, where that is accepted', requirement('NULL-6'), async ({ customers }) => {
      const before = await givenFull(customers);

      const answer = await customers.update(before, by, { taxId: null });

      expect(answer).toBeAcceptedOrRefused();
      if (answer.refused) customers.notApplicable('the removal of taxId is refused');
      await expect(customers.stored(before)).toMatchCustomer(stateAfter(before, { taxId: null }));
      const known = { ...before, state: stateAfter(before, { taxId: null }) };
      const later = await customers.update(known, by, { vip: '3' });
      if (later.customer) await expect(customers.stored(known)).toMatchCustomer(stateAfter(known, { vip: '3' }));
    });
  });
}

test.describe('a removal', () => {
  for (const [index, name] of removableProperties.entries()) {
    const next = removableProperties[(index + 1) % removableProperties.length] ?? 'vip';
    test(`of ${name} and ${next} takes both`, requirement('NULL-2'), async ({ customers }) => {
      const before = await givenFull(customers, name, next);

      await remove(customers, before, selectors[index % selectors.length]?.[0] ?? 'customerId', removal(name, next), 'NULL-2');
    });

    test(`of ${name} can be taken back`, requirement('NULL-4'), async ({ customers }) => {
      const before = await givenFull(customers, name);
      const gone = await customers.update(before, 'customerId', removal(name));
      customers.assumeUpdated(before, gone);
      const known = { ...before, state: stateAfter(before, removal(name)) };
      const changes = { [name]: customers.people.optional()[name] };

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
      const before = await givenFull(customers, name);
      const same = { [name]: value, [twin]: value };
      customers.assumeUpdated(before, await customers.update(before, 'customerId', same));
      const known = { ...before, state: stateAfter(before, same) };

      const gone = await customers.update(known, 'customerId', removal(name));

      customers.assumeUpdated(known, gone);
      await expect(customers.stored(known)).toHaveStored({ [twin]: value });
    });
  }

  test('of currency leaves vip removed', requirement('NULL-3'), async ({ customers }) => {
    const before = await givenFull(customers, 'vip', 'currency');
    let known = before;

    for (const name of ['vip', 'currency'] as const) {
      customers.assumeUpdated(before, await customers.update(known, 'customerId', removal(name)));
      known = { ...known, state: stateAfter(known, removal(name)) };
    }

    await expect(customers.stored(known)).toLack(['vip'], known.state);
  });

  test('of vip, twice, leaves it absent', requirement('NULL-3'), async ({ customers }) => {
    const before = await givenFull(customers, 'vip');
    const gone = await customers.update(before, 'customerId', removal('vip'));
    customers.assumeUpdated(before, gone);
    const known = { ...before, state: stateAfter(before, removal('vip')) };

    const answer = await customers.update(known, 'query', removal('vip'));

    expect(answer).toBeAcceptedOrRefused();
    await expect(customers.stored(known)).toMatchCustomer(known.state);
  });

  test('of what was never there adds nothing', requirement('NULL-1', 'NULL-5'), async ({ customers }) => {
    const before = await customers.given();
    const names = removableProperties.filter((name) => !customers.people.demanded.includes(name));

    const answer = await customers.update(before, 'externalId', removal(...names));

    expect(answer).toBeAcceptedOrRefused();
    await expect(customers.stored(before), of('NULL-1', 'what was never there')).toLack(names, before.state);
    await expect(customers.stored(before), of('NULL-5', 'the rest')).toMatchCustomer(before.state);
  });

  test('touches no other customer', requirement('UPD-10'), async ({ customers }) => {
    const { vip, currency, externalTier, customData, dateOfBirth } = customers.people.optional();
    const shared = { vip, currency, externalTier, customData, dateOfBirth };
    const bystander = await customers.given(shared);
    const before = await customers.given(shared);
    const names = removableProperties.filter((name) => name in shared && !customers.people.demanded.includes(name));

    const answer = await customers.update(before, 'customerId', removal(...names));

    expect(answer).toBeAcceptedOrRefused();
    await expect(customers.stored(bystander)).toMatchCustomer(bystander.state);
  });
});
