import { apply, type Changes, type State } from '../generators/model.ts';
import { isRemovable, merchantProperties, removableProperties } from '../schemas/properties.ts';
import type { Answer } from '../target/answer.ts';
import { expect, of, requirement, test } from './support/fixtures.ts';
import { naming, pick, type Selector, selectors, stateAfter, type TestCustomer, tick, withChanges } from './support/test-customer.ts';

/** Every property that plain people and their merchant change, each in a check of its own. */
const changeable = merchantProperties.filter((name) => name !== 'externalId');
/** The selector of the check at this place, so that each selector meets every third property. */
const selectorAt = (index: number): Selector => selectors[index % selectors.length]?.[0] ?? 'customerId';

for (const [by, how] of selectors) {
  test.describe(`an update ${how}`, () => {
    test('is accepted and names the same customer', requirement('UPD-1'), async ({ customers }) => {
      const customer = await customers.given();

      const answer = await customers.update(customer, by, { externalTier: 'Gold' });

      expect(answer).toBeAccepted();
      expect(answer).toName(customer.customerId);
    });

    test('that changes nothing is accepted', requirement('UPD-1'), async ({ customers }) => {
      const customer = await customers.given();

      expect(await customers.update(customer, by, {})).toBeAccepted();
      expect(await customers.update(customer, by, {})).toBeAccepted();
    });

    test('gives every property sent its new value', requirement('UPD-2'), async ({ customers, people }) => {
      const customer = await customers.given({}, people.full());
      const { externalId: _own, ...changes } = people.full('CA');

      const answer = await customers.update(customer, by, changes).orNotTestable();

      await expect(customers.stored(customer)).toMatchCustomer(stateAfter(customer, changes), customer.state);
      customers.assertShown(answer, stateAfter(customer, changes), customer.state);
    });

    test('adds what was not there', requirement('UPD-3'), async ({ customers, people }) => {
      const customer = await customers.given();
      const changes = people.optional();

      const answer = await customers.update(customer, by, changes).orNotTestable();

      await expect(customers.stored(customer)).toMatchCustomer(stateAfter(customer, changes));
      customers.assertShown(answer, stateAfter(customer, changes));
    });

    test('does not change what was not sent', requirement('UPD-4'), async ({ customers, people }) => {
      const customer = await customers.given({}, people.full());

      const answer = await customers.update(customer, by, {}).orNotTestable();

      await expect(customers.stored(customer)).toMatchCustomer(customer.state);
      customers.assertShown(answer, customer.state);
    });

    test('does not change createdAt or move updatedAt backwards', requirement('UPD-5', 'UPD-6'), async ({ customers }) => {
      const customer = await customers.given({ externalTier: 'Gold' });
      let { createdAt, updatedAt } = customer.created.customer ?? {};
      let { state } = customer;

      for (const [index, changes] of [{ vip: '4' }, {}, { externalTier: null }, { vip: '5' }].entries()) {
        if (index === 3) await tick(customer);
        const answer = await customers.update(customer, by, changes, state).orNotTestable();
        state = apply(state, changes);
        const read = await customers.read(customer, state, (shown) => shown.customer?.vip === state.vip);
        for (const later of [answer.customer, read.customer]) {
          if (createdAt !== undefined && later?.createdAt !== undefined) {
            expect(later.createdAt, of('UPD-5', 'createdAt after the update')).toBe(createdAt);
          }
          if (updatedAt !== undefined && later?.updatedAt !== undefined) {
            expect(later.updatedAt, of('UPD-6', 'updatedAt after the update')).toBeGreaterThanOrEqual(updatedAt);
          }
          createdAt ??= later?.createdAt;
          updatedAt = later?.updatedAt ?? updatedAt;
        }
      }
      if (createdAt === undefined && updatedAt === undefined) customers.notApplicable('no answer shows a timestamp');
    });

    if (by !== 'externalId') {
      test('of the externalId does not change createdAt or the rest', requirement('UPD-5', 'UPD-4'), async ({ customers, people }) => {
        const customer = await customers.given({}, people.full());
        const externalId = people.externalId();
        await tick(customer);

        const answer = await customers.update(customer, by, { externalId }).orNotApplicable('this target does not change an externalId');

        if (answer.customer?.externalId !== externalId) return customers.notApplicable('this target does not change an externalId');
        const created = customer.created.customer?.createdAt;
        if (created !== undefined && answer.customer.createdAt !== undefined) {
          expect(answer.customer.createdAt, of('UPD-5', 'createdAt after the change')).toBe(created);
        }
        await expect(customers.stored(customer), of('UPD-4', 'the rest')).toMatchCustomer(stateAfter(customer, { externalId }));
      });
    }

    test('sent twice has no further effect', requirement('UPD-8'), async ({ customers, people }) => {
      const customer = await customers.given({}, people.full());
      const changes = { ...people.optional(), customData: { list: ['once'] }, nationalId: null };

      await customers.update(customer, by, changes).orNotTestable();
      const twice = await customers.update(customer, by, changes);

      expect(twice).toBeAcceptedOrRefused();
      if (twice.customer) expect(twice).toName(customer.customerId);
      await expect(customers.stored(customer)).toMatchCustomer(stateAfter(customer, changes), customer.state);
    });

    test('touches no other customer with the same values', requirement('UPD-10'), async ({ customers, people }) => {
      const { name, address, ...person } = people.full();
      const shared = { name, address, ...pick(person, removableProperties) };
      const elder = await customers.given(shared);
      const customer = await customers.given(shared);
      const younger = await customers.given(shared);
      const changed = people.full('CA');

      const answer = await customers.update(customer, by, { ...pick(changed, Object.keys(shared)), vip: null });

      expect(answer).toBeAcceptedOrRefused();
      for (const bystander of [elder, younger]) await expect(customers.stored(bystander)).toMatchCustomer(bystander.state);
    });

    test('touches no other customer', requirement('UPD-10'), async ({ customers, people }) => {
      const elder = await customers.given({}, people.full());
      const { name = '', address = { country: 'US' } } = elder.state;
      const customer = await customers.given({ name, address });
      const younger = await customers.given({ name, address });
      const { phone, email } = people.plain();

      // The name and the address stay: whatever finds customers by them would find the bystanders too.
      const answer = await customers.update(customer, by, { ...people.optional(), phone, email, vip: null });

      expect(answer).toBeAcceptedOrRefused();
      for (const bystander of [elder, younger]) await expect(customers.stored(bystander)).toMatchCustomer(bystander.state);
    });
  });
}

test.describe('a property that is sent alone', () => {
  for (const [index, name] of changeable.entries()) {
    test(`is stored and the rest kept, or is refused: ${name}`, requirement('UPD-2', 'UPD-4'), async ({ customers, people }) => {
      const customer = await customers.given({}, people.full());
      let { state } = customer;
      const values = [people.full('CA')[name], ...(isRemovable(name) ? [null] : []), people.full('CA')[name]];

      for (const [turn, value] of values.entries()) {
        const by = selectorAt(index + turn);
        const request = naming(customer, by, { [name]: value });
        const answer = await customers.upsert(`${value === null ? 'remove' : 'set'} ${name} alone, by ${by}`, request);

        expect(answer).toBeAcceptedOrRefused();
        const was = state;
        if (!answer.refused) state = apply(was, { [name]: value });
        const [id, what] = answer.refused ? (['REF-1', 'the customer'] as const) : (['UPD-4', 'the rest'] as const);
        if (!answer.refused && value !== null)
          await expect(customers.stored(customer), of('UPD-2', `the new ${name}`)).toHaveStored({ [name]: value });
        await expect(customers.stored(customer), of(id, what)).toMatchCustomer(state, was);
      }
    });
  }
});

test.describe('a new value', () => {
  for (const [index, name] of changeable.entries()) {
    test(`of ${name} alone is stored, the rest stays`, requirement('UPD-2', 'UPD-4'), async ({ customers, people }) => {
      const customer = await customers.given({}, people.full());
      const value = people.full('CA')[name];

      const answer = await customers.update(customer, selectorAt(index), { [name]: value }).orNotTestable();

      await expect(customers.stored(customer), of('UPD-2', `the new ${name}`)).toHaveStored({ [name]: value });
      await expect(customers.stored(customer), of('UPD-4', 'the rest')).toMatchCustomer(
        stateAfter(customer, { [name]: value }),
        customer.state,
      );
      customers.assertShown(answer, stateAfter(customer, { [name]: value }), customer.state);
    });
  }

  for (const [index, name] of removableProperties.entries()) {
    test(`of ${name} is added if there was none`, requirement('UPD-3'), async ({ customers, people }) => {
      const customer = await customers.given();
      const changes = { [name]: people.optional()[name] };

      await customers.update(customer, selectorAt(index), changes).orNotTestable();

      await expect(customers.stored(customer)).toMatchCustomer(stateAfter(customer, changes));
    });
  }

  const falsy = [
    ['balance', '0'],
    ['externalTier', '0'],
    ['organizationNumber', '000000000'],
    ['vip', '0'],
    ['enrollDate', 0],
  ] as const;
  for (const [index, [name, value]] of falsy.entries()) {
    test(`that looks empty is stored: ${name} ${value}`, requirement('UPD-2'), async ({ customers, people }) => {
      const customer = await customers.given({}, people.full());

      await customers.update(customer, selectorAt(index), { [name]: value }).orNotApplicable('the target refuses such a value');

      await expect(customers.stored(customer)).toHaveStored({ [name]: value });
    });
  }

  const subtle = [
    ['name in capitals', (state: State) => ({ name: state.name?.toUpperCase() ?? '' })],
    ['externalTier in another case', () => ({ externalTier: 'GOLD' })],
    ['balance of the same amount', () => ({ balance: '10.10' })],
    ['customData of other types', () => ({ customData: { n: '1' } })],
    ['second address line', (state: State) => ({ address: { country: 'US', ...state.address, address2: 'Suite 5' } })],
    ['state at the same street', (state: State) => ({ address: { country: 'US', ...state.address, city: 'Springfield', state: 'IL' } })],
  ] as const;
  for (const [what, changesOf] of subtle) {
    test(`that differs only slightly is stored: ${what}`, requirement('UPD-2'), async ({ customers }) => {
      const customer = await customers.given({ externalTier: 'Gold', balance: '10.1', customData: { n: 1 } });
      const changes: Changes = changesOf(customer.state);

      await customers.update(customer, 'customerId', changes).orNotApplicable('the target refuses such a value');

      await expect(customers.stored(customer)).toMatchCustomer(stateAfter(customer, changes), customer.state);
    });
  }

  test('of a second address line is added', requirement('UPD-3'), async ({ customers }) => {
    const customer = await customers.given();
    const address = { country: 'US', ...customer.state.address, address2: 'Suite 6' };

    await customers.update(customer, 'query', { address }).orNotTestable();

    await expect(customers.stored(customer)).toMatchCustomer(stateAfter(customer, { address }));
  });

  test('of an address moves the customer to another country', requirement('UPD-2'), async ({ customers, people }) => {
    const customer = await customers.given({}, people.plain('US'));
    const { address } = people.plain('CA');

    await customers.update(customer, 'customerId', { address }).orNotTestable();

    await expect(customers.stored(customer)).toMatchCustomer(stateAfter(customer, { address }), customer.state);
  });

  test('of customData keeps or drops what was not sent', requirement('UPD-2'), async ({ customers }) => {
    const customer = await customers.given({ customData: { kept: 'or dropped', changed: 1 } });
    const changes: Changes = { customData: { changed: 2, added: ['a', { b: true }] } };

    await customers.update(customer, 'externalId', changes).orNotApplicable('the target refuses such customData');

    await expect(customers.stored(customer)).toMatchCustomer(stateAfter(customer, changes), customer.state);
  });
});

test.describe('what is not sent', () => {
  test('a taxId stays, or its absence is refused', requirement('UPD-4'), async ({ customers }) => {
    const customer = await customers.given();
    const { taxId: _left, externalId: _own, ...rest } = customer.state;

    const answer = await customers.upsert('update without taxId', { body: { ...rest, vip: '5', customerId: customer.customerId } });

    expect(answer).toBeAcceptedOrRefused();
    await expect(customers.stored(customer)).toMatchCustomer(answer.refused ? customer.state : stateAfter(customer, { vip: '5' }));
  });

  const text = `O'Brien & <Söhne> "№ 7" \\ 50% + 😀`;
  for (const [by, how] of selectors) {
    test(`stays, even if its characters are unusual, ${how}`, requirement('UPD-4'), async ({ customers, people }) => {
      const person = { ...people.plain(), name: `Dolores O'Brien`, externalTier: text, customData: { [text]: text } };
      const created = await customers.create(person).orNotApplicable('the target refuses such a value');
      const customer = customers.fromCreate(created, person);
      const read = await customers.read(customer);
      const state = { ...person, ...pick(read.customer ?? {}, ['name', 'externalTier', 'customData']) };

      for (const vip of ['5', '6']) {
        await customers
          .upsert(`set vip alone, ${how}`, naming(customer, by, { vip }))
          .orNotApplicable('an update of one property alone is refused');
        await expect(customers.stored(customer)).toMatchCustomer({ ...state, vip });
      }
    });
  }

  test('an externalId stays when the customerId names the customer', requirement('UPD-4'), async ({ customers }) => {
    const customer = await customers.given();

    await customers.update(customer, 'customerId', { vip: '6' }).orNotTestable();

    await expect(customers.stored(customer)).toHaveStored({ externalId: customer.externalId });
    const again = await customers.update(customer, 'externalId', { vip: '7' });
    expect(again).toName(customer.customerId);
  });
});

test.describe('later requests', () => {
  for (const [by, how] of selectors) {
    test(`see an update made ${how}`, requirement('UPD-7'), async ({ customers }) => {
      const customer = await customers.given({ externalTier: 'Silver', customData: { seen: 1 } });
      const changes = { externalTier: 'Gold', vip: '9', customData: { seen: 2 } };

      await customers.update(customer, by, changes).orNotTestable();

      for (const [other, through] of selectors) {
        const later = await customers.update(customer, other, {});
        expect(later.customer?.externalTier, `externalTier, asked ${through}`).toBe('Gold');
        expect(later.customer?.vip, `vip, asked ${through}`).toBe('9');
        expect(later.customer?.customData, `customData, asked ${through}`).toMatchObject({ seen: 2 });
      }
      await expect(customers.stored(customer)).toHaveStored(changes);
    });
  }

  for (const [by, how] of selectors) {
    test(`find the first customer of the run, ${how}`, requirement('UPD-7'), async ({ customers }) => {
      const first = customers.first();

      const answer = await customers.update(first, by, {});

      expect(answer).toBeAccepted();
      expect(answer).toName(first.customerId);
    });
  }

  for (const [by, how] of selectors) {
    test(`see a value that was set again ${how}, after another value`, requirement('UPD-9'), async ({ customers }) => {
      const customer = await customers.given();

      for (const vip of ['1', '2', '1']) await customers.update(customer, by, { vip }).orNotTestable();

      await expect(customers.stored(customer)).toHaveStored({ vip: '1' });
    });
  }

  test('see nine updates through all selectors in turn', requirement('UPD-1', 'UPD-9'), async ({ customers, people }) => {
    const customer = await customers.given({}, people.full());
    const optional = people.optional();
    const steps: Changes[] = [
      { vip: '1', externalTier: 'Gold' },
      { externalTier: null },
      { balance: '10.50', vip: '2' },
      { customData: null, currency: null },
      { externalTier: 'Silver' },
      { driverLicense: optional.driverLicense },
      { vip: null },
      { customData: optional.customData },
      { vip: '3' },
    ];
    let known: TestCustomer = customer;

    for (const [index, changes] of steps.entries()) {
      const answer = await customers.update(known, selectorAt(index), changes);
      expect(answer, of('UPD-1', `update ${index + 1}`)).toBeAccepted();
      expect(answer, of('UPD-1', `update ${index + 1}`)).toName(customer.customerId);
      known = withChanges(known, changes);
    }

    await expect(customers.stored(known), of('UPD-9', 'the customer')).toMatchCustomer(known.state, customer.state);
  });

  for (const [what, selectorOf] of [
    ['one selector', () => 'customerId' as const],
    ['several selectors', selectorAt],
  ] as const) {
    test(`see every concurrent update, each of a different property, by ${what}`, requirement('UPD-11'), async ({ customers, people }) => {
      const customer = await customers.given();
      const { vip, currency, balance, dateOfBirth, organizationNumber } = people.optional();
      const changes: Changes[] = [{ vip }, { currency }, { balance }, { dateOfBirth }, { organizationNumber }];

      const answers = await Promise.all(changes.map((change, index) => customers.update(customer, selectorOf(index), change)));

      for (const answer of answers) expect(answer).toBeAcceptedOrRefused();
      const accepted = changes.filter((_change, index) => answers[index]?.customer);
      if (accepted.length === 0) customers.notTestable('no concurrent update was accepted');
      await expect(customers.stored(customer)).toHaveStored(Object.assign({}, ...accepted));
    });
  }

  test('see the result of concurrent updates in some order', requirement('UPD-11'), async ({ customers }) => {
    const customer = await customers.given({ vip: '9', externalTier: 'none' });
    const explained = ({ customer }: Answer, accepted: Changes[]) =>
      accepted.some(({ vip, externalTier }) => vip === customer?.vip && externalTier === customer?.externalTier);

    // A race that is lost once in a while is seldom lost five times running.
    for (let round = 1; round <= 5; round += 1) {
      const pairs = [1, 2, 3, 4].map((turn) => ({ vip: String(turn), externalTier: `round ${round}, tier ${turn}` }));
      const answers = await Promise.all(pairs.map((changes, index) => customers.update(customer, selectorAt(index), changes)));

      const accepted = pairs.filter((_changes, index) => answers[index]?.customer);
      for (const answer of answers) expect(answer).toBeAcceptedOrRefused();
      if (accepted.length === 0) customers.notTestable('no concurrent update was accepted');
      const read = await customers.read(customer, customer.state, (answer) => explained(answer, accepted));
      const { vip, externalTier } = read.customer ?? {};
      expect(explained(read, accepted), `vip ${vip} and externalTier ${externalTier} come from one update`).toBe(true);
    }
  });
});
