import { customerProperties, type Json, requiredProperties, typeOf } from '../schemas/contract.ts';
import { isOwned } from '../schemas/properties.ts';
import type { Answer } from '../target/answer.ts';
import type { Customers } from './support/customers.ts';
import { expect, of, requirement, test } from './support/fixtures.ts';
import { naming, pick, selectors, withChanges } from './support/test-customer.ts';

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
    test(`for ${name} in an update`, requirement('REF-5', 'REF-1'), async ({ customers, people }) => {
      const customer = await customers.given({}, people.full());
      let { state } = customer;

      for (const value of wrongValues[typeOf(name)] ?? []) {
        const body = { ...customers.essentials(customer.state), [name]: value };
        const answer = await customers.send(`set ${name} to ${JSON.stringify(value)}`, naming(customer, by, body));
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

    test(`for ${name} in a create`, requirement('REF-5'), async ({ customers, people }) => {
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
        const answer = await customers
          .send(`set ${object}.${key} to ${JSON.stringify(value)}`, {
            body: { ...customers.essentials(customer.state), [object]: sent, customerId: customer.customerId },
          })
          .refusedOrNotApplicable(`the target coerces ${object}.${key}`);
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
    ['with text after the object', '{"vip": "1"} x'],
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
    ['with an extra comma', (json: string) => json.replace(/}$/, ',}')],
    ['with an extra brace', (json: string) => `${json}}`],
    ['with text after the object', (json: string) => `${json} and more`],
  ] as const) {
    test(`${what}, although every property is present`, requirement('REF-4', 'REF-2'), async ({ customers, people }) => {
      const body = { ...people.plain(), vip: TRACE };

      const answer = await customers.send(`send a body ${what}`, { body: Buffer.from(cut(JSON.stringify(body))) });

      expect(answer, of('REF-4', 'the body')).toBeRefused();
      await expectNobody(customers, body.externalId);
    });
  }
});

test.describe('no request results in a customer without', () => {
  /** A refused create leaves nobody; one that is accepted made a customer that has what is required. */
  async function expectWhole(customers: Customers, answer: Answer, externalId: string) {
    expect(answer).toBeAcceptedOrRefused();
    expect(answer, of('REF-6', 'the create')).toBeRefusedOrValid();
    if (answer.refused) await expectNobody(customers, externalId);
  }

  for (const name of requiredProperties) {
    test(`${name}, when it is left out`, requirement('REF-6', 'REF-2'), async ({ customers, people }) => {
      const person = { ...people.plain(), vip: TRACE };
      const body = Object.fromEntries(Object.entries(person).filter(([key]) => key !== name));

      await expectWhole(customers, await customers.send(`create without ${name}`, { body }), person.externalId);
    });

    test(`${name}, when it is null`, requirement('REF-6', 'REF-2'), async ({ customers, people }) => {
      const person = { ...people.plain(), vip: TRACE };

      await expectWhole(
        customers,
        await customers.send(`create with ${name} null`, { body: { ...person, [name]: null } }),
        person.externalId,
      );
    });

    test(`${name}, when an update sets it to null`, requirement('REF-6'), async ({ customers }) => {
      const customer = await customers.given();

      const answer = await customers.update(customer, 'customerId', { [name]: null });

      expect(answer).toBeAcceptedOrRefused();
      if (!answer.refused) expect(answer).toValidate();
      await expect(customers.stored(customer)).toHaveStored(pick(customer.state, requiredProperties));
    });
  }

  test('the required properties, when the query names no customer', requirement('REF-6', 'REF-2'), async ({ customers, people }) => {
    const { externalId } = people.plain();

    const answer = await customers.send('create by the query without anything', { body: { vip: TRACE }, query: { externalId } });

    await expectWhole(customers, answer, externalId);
  });

  for (const [object, key] of [
    ['driverLicense', 'number'],
    ['driverLicense', 'state'],
    ['address', 'country'],
  ] as const) {
    test(`${object}.${key}, when an update leaves it out`, requirement('REF-6'), async ({ customers, people }) => {
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
      const wrong = { ...changes, vip: null, phone: { number: 1 } };

      await customers
        .send(`update with a wrong type ${how}`, naming(customer, by, wrong))
        .refusedOrNotApplicable('the target coerces an object to a phone number');

      await expect(customers.stored(customer)).toMatchCustomer(customer.state);
    });

    test(`for the next update to find, ${how}`, requirement('REF-1'), async ({ customers, people }) => {
      const customer = await customers.given({}, people.full());
      const { externalId: _own, phone: _phone, ...changes } = people.full('CA');
      // What is wrong comes last: a server that takes one property after the other has taken all of them by then.
      const wrong = { ...changes, vip: null, phone: { number: 1 } };
      await customers
        .send(`update with a wrong type ${how}`, naming(customer, by, wrong))
        .refusedOrNotApplicable('the target coerces an object to a phone number');

      let known = customer;
      for (const [index, [next]] of selectors.entries()) {
        const later = { externalTier: `tier ${index}` };
        await customers.update(known, next, later).orNotTestable();
        known = withChanges(known, later);
        await expect(customers.stored(known)).toMatchCustomer(known.state);
      }
    });

    test(`when the body is cut off, ${how}`, requirement('REF-4', 'REF-1'), async ({ customers, people }) => {
      const customer = await customers.given({}, people.full());
      const { body, ...query } = naming(customer, by, { ...people.optional(), vip: '1' });

      const answer = await customers.send(`send a body that is cut off ${how}`, {
        body: Buffer.from(JSON.stringify(body).slice(0, -1)),
        ...query,
      });

      expect(answer, of('REF-4', 'the body')).toBeRefused();
      await expect(customers.stored(customer), of('REF-1', 'the customer')).toMatchCustomer(customer.state);
    });
  }

  test('when another customer has its new externalId', requirement('REF-1'), async ({ customers }) => {
    const owner = await customers.given();
    const customer = await customers.given({ externalTier: 'Gold' });

    await customers
      .update(customer, 'customerId', { externalId: owner.externalId, vip: '6', externalTier: null })
      .refusedOrNotApplicable('an externalId that another customer has is accepted');

    await expect(customers.stored(customer)).toMatchCustomer(customer.state);
    await expect(customers.stored(owner), of('REF-2', 'its owner')).toMatchCustomer(owner.state);
  });

  for (const [what, wrong] of [
    ['a wrong optional property', { dateOfBirth: { year: 1980 } }],
    ['a wrong driver license', { driverLicense: { number: ['1'], state: 'CA' } }],
    ['an unknown customerId', { customerId: '999999999999999999' }],
    ['an address that is not an object', { address: 'Boston' }],
    ['an address without its country', { address: { address1: '1 Beacon St', city: 'Boston', state: 'MA', zip: '02108' } }],
    ['an invalid country code', { address: { address1: '1 Beacon St', city: 'Boston', state: 'MA', zip: '02108', country: 'USA' } }],
    ['a wrong name', { name: ['Ann', 'Smith'] }],
    ['a wrong phone', { phone: { number: 1 } }],
    ['a wrong customData', { customData: 'x' }],
  ] as const) {
    test(`and creates no customer, with ${what}`, requirement('REF-2'), async ({ customers, people }) => {
      const person = { ...people.plain(), vip: TRACE };

      await customers
        .send(`create with ${what}`, { body: { ...person, ...wrong } })
        .refusedOrNotApplicable(`a create with ${what} is accepted`);

      await expectNobody(customers, person.externalId);
    });
  }

  test('on any other customer, and creates no customer', requirement('REF-2'), async ({ customers, people }) => {
    const bystander = await customers.given({}, people.full());
    const { externalId } = people.plain();

    await customers
      .send('create with a wrong type', {
        body: { ...people.plain(), externalId, vip: TRACE, email: { address: 'x' } },
      })
      .refusedOrNotApplicable('the target coerces an object to an e-mail address');

    await expect(customers.stored(bystander)).toMatchCustomer(bystander.state);
    await expectNobody(customers, externalId);
  });
});
