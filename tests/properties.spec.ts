import fc from 'fast-check';
import { plain, unusual } from '../generators/arbitraries.ts';
import { type Fault, faultKinds, faults } from '../generators/faults.ts';
import { type Changes, type Difference, keptBy } from '../generators/model.ts';
import type { Customer, Json, JsonObject } from '../schemas/contract.ts';
import { type Removable, removableProperties } from '../schemas/properties.ts';
import type { Answer } from '../target/answer.ts';
import { assert } from './support/assert.ts';
import { attributeUpdate, selectorRequirement } from './support/attribution.ts';
import type { Customers } from './support/customers.ts';
import { generatedCheck, test } from './support/fixtures.ts';
import type { CheckRequest } from './support/sender.ts';
import { naming, type Selector, selectors, stateAfter, type TestCustomer, withChanges } from './support/test-customer.ts';

/** A body as the JSON that it is. */
const json = (body: object) => body as JsonObject;

/** Any selector. */
const selector = fc.constantFrom(...selectors.map(([by]) => by));

/** One to three properties with unusual values, so that the refusal of one leaves others to see. */
const unusualValues = fc
  .subarray(Object.keys(unusual) as (keyof typeof unusual)[], { minLength: 1, maxLength: 3 })
  .chain((names) => fc.record(Object.fromEntries(names.map((name) => [name, unusual[name]])), { noNullPrototype: true })) as fc.Arbitrary<
  Partial<Customer>
>;

/** Plain values for any of the optional properties. */
const someOptional = fc.record(
  Object.fromEntries(removableProperties.map((name) => [name, plain[name]])) as {
    [Name in Removable]: fc.Arbitrary<Required<Customer>[Name]>;
  },
  { requiredKeys: [], noNullPrototype: true },
) as fc.Arbitrary<Partial<Customer>>;

/** Plain values for every optional property. */
const everyOptional = fc.record(
  Object.fromEntries(removableProperties.map((name) => [name, plain[name]])) as {
    [Name in Removable]: fc.Arbitrary<Required<Customer>[Name]>;
  },
  { noNullPrototype: true },
) as fc.Arbitrary<Partial<Customer>>;

/** An update: new plain values, and removals. */
const someChanges: fc.Arbitrary<Changes> = fc
  .tuple(
    fc.record(
      { ...(plain as unknown as Record<string, fc.Arbitrary<unknown>>) },
      { requiredKeys: [], noNullPrototype: true },
    ) as fc.Arbitrary<Partial<Customer>>,
    fc.subarray([...removableProperties]),
  )
  .map(([values, removed]) => ({ ...values, ...(Object.fromEntries(removed.map((name) => [name, null])) as Changes) }));

/** Removals as changes, of what the settings do not demand. */
const removals = (customers: Customers, names: readonly string[]) =>
  Object.fromEntries(names.filter((name) => !customers.people.demanded.includes(name)).map((name) => [name, null])) as Changes;

/** The changes without removals that the settings forbid, and without those of what is not there, which are left open. */
const allowed = (customers: Customers, changes: Changes, { state }: TestCustomer) =>
  Object.fromEntries(
    Object.entries(changes).filter(([name, value]) => value !== null || (name in state && !customers.people.demanded.includes(name))),
  ) as Changes;

/** Updates a customer plainly, and asserts that the answer names it and that the customer is as the model says. */
async function change(customers: Customers, customer: TestCustomer, by: Selector, changes: Changes): Promise<TestCustomer> {
  const answer = await customers.update(customer, by, changes);
  assert(answer, 'REF-3').toBeAcceptedOrRefused();
  assert(answer, 'UPD-1').toBeAccepted();
  assert(answer, selectorRequirement[by]).toName(customer.customerId);
  const changed = withChanges(customer, changes);
  const before = customer.state;
  await assert(customers.stored(changed), (difference) => attributeUpdate(difference, { changes, before })).toMatchCustomer(
    changed.state,
    before,
  );
  customers.assertShown(answer, changed.state, before);
  return changed;
}

test.describe('generated customers', () => {
  test('what is accepted reads back as it was sent', generatedCheck('CRE-3', 'VAL-5', 'VAL-6'), async ({ cases }) => {
    await cases.run(
      { cases: 100 },
      () => unusualValues,
      async (customers, values) => {
        await customers.assumeKept(Object.keys(values));
        const sent = { ...customers.people.plain(), ...values };
        const created = await customers.create(sent);
        assert(created, 'REF-3').toBeAcceptedOrRefused();
        if (!created.customer) return;
        const of = (difference: Difference) => keptBy(difference, 'CRE-3');
        await assert(customers.stored(customers.fromCreate(created, sent)), of).toMatchCustomer(sent);
      },
    );
  });

  test(
    'an update with unusual values is taken or refused whole',
    generatedCheck('UPD-2', 'UPD-3', 'UPD-4', 'VAL-5', 'REF-1'),
    async ({ cases }) => {
      await cases.run(
        { cases: 50 },
        () => fc.tuple(unusualValues, selector, someOptional),
        async (customers, [values, by, optional]) => {
          await customers.assumeKept(Object.keys(values));
          const customer = await customers.given(optional);
          const answer = await customers.update(customer, by, values);
          assert(answer, 'REF-3').toBeAcceptedOrRefused();
          const expected = answer.refused ? customer.state : stateAfter(customer, values);
          const of = (difference: Difference) => {
            if (answer.refused) return 'REF-1';
            const id = attributeUpdate(difference, { changes: values, before: customer.state });
            return id === 'UPD-4' ? id : keptBy(difference, id);
          };
          await assert(customers.stored(customer), of).toMatchCustomer(expected, customer.state);
        },
      );
    },
  );

  test(
    'any optional properties can be removed and the rest stays',
    generatedCheck('NULL-1', 'NULL-2', 'NULL-3', 'NULL-4', 'NULL-5'),
    async ({ cases }) => {
      const removalOf = fc.tuple(
        everyOptional,
        fc.subarray([...removableProperties], { minLength: 1 }),
        fc.tuple(selector, selector, selector),
        someOptional,
      );
      await cases.run(
        { cases: 30 },
        () => removalOf,
        async (customers, [optional, names, [first, second, third], again]) => {
          const changes = removals(customers, names);
          const removed = new Set(Object.keys(changes));
          const customer = await customers.given(optional);
          const request = customers.update(customer, first, changes);
          assert(await request, names.length > 1 ? 'NULL-2' : 'NULL-1').toBeAccepted();
          await request.orNotTestable();
          let known = withChanges(customer, changes);
          await assert(customers.stored(known), (difference) => {
            const id = attributeUpdate(difference, { changes, before: customer.state });
            return id === 'NULL-1' && removed.size > 1 ? 'NULL-2' : id;
          }).toMatchCustomer(known.state);
          for (const [by, later] of [
            [second, { externalTier: 'Bronze' }],
            [third, again],
          ] as const) {
            const update = customers.update(known, by, later);
            assert(await update, 'UPD-1').toBeAccepted();
            await update.orNotTestable();
            const before = known.state;
            known = withChanges(known, later);
            const attribute = (difference: Difference) => attributeUpdate(difference, { changes: later, before, removed });
            await assert(customers.stored(known), attribute).toMatchCustomer(known.state, before);
          }
        },
      );
    },
  );

  test(
    'an update is what was there, with what was sent, without what was null',
    generatedCheck('UPD-2', 'UPD-3', 'UPD-4', 'NULL-1', 'NULL-5'),
    async ({ cases }) => {
      await cases.run(
        { cases: 40 },
        () => fc.tuple(someOptional, someChanges, selector),
        async (customers, [optional, changes, by]) => {
          const customer = await customers.given(optional);
          await change(customers, customer, by, allowed(customers, changes, customer));
        },
      );
    },
  );

  test('repeating an update changes nothing', generatedCheck('UPD-8'), async ({ cases }) => {
    await cases.run(
      { cases: 15 },
      () => fc.tuple(someOptional, someChanges, selector, selector),
      async (customers, [optional, drawn, by, again]) => {
        const customer = await customers.given(optional);
        const changes = allowed(customers, drawn, customer);
        const known = await change(customers, customer, by, changes);
        const answer = await customers.update(customer, again, changes);
        assert(answer, 'REF-3').toBeAcceptedOrRefused();
        await assert(customers.stored(known), 'UPD-8').toMatchCustomer(known.state, customer.state);
      },
    );
  });

  test('disjoint updates commute', generatedCheck('UPD-9'), async ({ cases }) => {
    await cases.run(
      { cases: 15 },
      () => fc.tuple(someOptional, someChanges, fc.nat(2 ** 16 - 1), selector, selector),
      async (customers, [optional, drawn, side, one, other]) => {
        for (const order of [
          [true, false],
          [false, true],
        ]) {
          let known = await customers.given(optional);
          const start = known.state;
          const changes = Object.entries(allowed(customers, drawn, known));
          for (const [index, left] of order.entries()) {
            const part = Object.fromEntries(changes.filter((_entry, at) => ((side >> at) % 2 === 1) === left)) as Changes;
            const request = customers.update(known, index ? other : one, part);
            assert(await request, 'REF-3').toBeAcceptedOrRefused();
            await request.orNotTestable();
            known = withChanges(known, part);
          }
          await assert(customers.stored(known), 'UPD-9').toMatchCustomer(known.state, start);
        }
      },
    );
  });

  test('an update in parts ends as the whole', generatedCheck('UPD-9'), async ({ cases }) => {
    await cases.run(
      { cases: 15 },
      () => fc.tuple(someOptional, someChanges, fc.array(selector, { minLength: 3, maxLength: 3 })),
      async (customers, [optional, drawn, by]) => {
        const customer = await customers.given(optional);
        let known = customer;
        for (const [index, [name, value]] of Object.entries(allowed(customers, drawn, customer)).entries()) {
          const part = { [name]: value } as Changes;
          const request = customers.update(known, by[index % by.length] ?? 'customerId', part);
          assert(await request, 'REF-3').toBeAcceptedOrRefused();
          assert(await request, 'UPD-1').toBeAccepted();
          await request.orNotTestable();
          known = withChanges(known, part);
        }
        await assert(customers.stored(known), 'UPD-9').toMatchCustomer(known.state, customer.state);
      },
    );
  });

  test('the same JSON in other bytes is the same customer', generatedCheck('CRE-3', 'UPD-2', 'IDY-2'), async ({ cases }) => {
    const spelling = fc.record({
      order: fc.nat(),
      space: fc.constantFrom('', ' ', '\n\t', '\r\n  '),
      escapes: fc.constantFrom('none', 'some', 'all' as const),
    });
    await cases.run(
      { cases: 25 },
      () => fc.tuple(everyOptional, someOptional, spelling),
      async (customers, [optional, changes, how]) => {
        const sent = { ...customers.people.plain(), ...optional };
        const created = await customers.create(sent, spell(json(sent), how));
        assert(created, 'CRE-1').toBeAccepted();
        const known = customers.fromCreate(created, sent);
        await assert(customers.stored(known), 'CRE-3').toMatchCustomer(sent);
        const body = { ...customers.essentials(sent), ...changes, externalId: known.externalId };
        const answer = await customers.send('update the customer', { body: spell(json(body), how) });
        assert(answer, 'UPD-1').toBeAccepted();
        assert(answer, 'IDY-2').toName(known.customerId);
        const attribute = (difference: Difference) => attributeUpdate(difference, { changes, before: sent });
        await assert(customers.stored(known), attribute).toMatchCustomer(stateAfter(known, changes), sent);
      },
    );
  });
});

test.describe('generated faults', () => {
  const fault = fc.oneof(
    faults,
    fc.constantFrom(...faultKinds).chain(({ faults: ofKind }) => ofKind),
  );

  test('a fault in an update is refused and leaves no trace', generatedCheck('REF-1', 'REF-3', 'REF-4', 'REF-5'), async ({ cases }) => {
    await cases.run(
      { cases: 70 },
      () => fc.tuple(fault, selector, everyOptional, someOptional),
      async (customers, [wrong, by, optional, sound]) => {
        const customer = await customers.given(optional);
        const { body, ...query } = naming(customer, by, { ...customers.essentials(customer.state), ...sound });
        const intent = `update by ${by} (fault: ${wrong.label})`;
        const answer = await sendFault(customers, intent, wrong, { ...wrong.spoil(json(body)), ...query });
        if (!answer || answer.refused) {
          await assert(customers.stored(customer), 'REF-1').toMatchCustomer(customer.state);
        } else if (wrong.must === 'refuse' && !wrong.create) {
          assert(answer, 'REF-4', ` (fault: ${wrong.label})`).toBeRefused();
        }
      },
    );
  });

  test('a fault in a create is refused and creates nobody', generatedCheck('REF-2', 'REF-3', 'REF-4', 'REF-6'), async ({ cases }) => {
    await cases.run(
      { cases: 60 },
      () => fc.tuple(fault, everyOptional),
      async (customers, [wrong, optional]) => {
        const person = { ...customers.people.plain(), ...optional };
        const answer = await sendFault(customers, `create (fault: ${wrong.label})`, wrong, wrong.spoil(json(person)));
        if (answer?.ok() && wrong.must === 'refuse') {
          // A target may have a value of its own for what is missing; the schema holds its answer all the same.
          if (wrong.create && wrong.property) return;
          assert(answer, 'REF-4', ` (fault: ${wrong.label})`).toBeRefused();
        }
        if (answer?.ok() || wrong.property === 'externalId') return;
        const anew = { ...customers.people.plain(), externalId: person.externalId };
        const created = await customers.create(anew);
        if (created.refused && (await customers.create(customers.people.plain())).refused)
          customers.notTestable(`no customer could be created: ${created}`);
        assert(created, 'REF-2').toBeAccepted();
        const known = customers.fromCreate(created, anew);
        await assert(customers.stored(known), 'REF-2').toMatchCustomer(anew);
      },
    );
  });
});

/** Sends what is wrong. Where its size alone is, the end of the connection is a refusal too: then there is no answer. */
async function sendFault(
  customers: Customers,
  intent: string,
  { oversized = false }: Fault,
  request: CheckRequest,
): Promise<Answer | undefined> {
  const answer = await customers.send(intent, { ...request, oversized });
  if (answer.status() === 0) return undefined;
  assert(answer, 'REF-3').toBeAcceptedOrRefused();
  return answer;
}

type JsonSpelling = { order: number; space: string; escapes: string };

/** An object as JSON: its keys in another order, with other white space, and characters written as escapes. */
function spell(value: Json, how: JsonSpelling): Buffer {
  return Buffer.from(`${how.space}${spellValue(value, how)}${how.space}`);
}

function spellValue(value: Json, how: JsonSpelling): string {
  const { order, space, escapes } = how;
  if (typeof value === 'string') return spellText(value, escapes);
  if (Array.isArray(value)) return `[${space}${value.map((item) => spellValue(item, how)).join(`${space},${space}`)}${space}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value);
  const turned = entries.map((_entry, index) => entries[(index + order) % entries.length] as [string, Json]);
  const members = turned.map(([key, inner]) => `${spellText(key, escapes)}${space}:${space}${spellValue(inner, how)}`);
  return `{${space}${members.join(`${space},${space}`)}${space}}`;
}

function spellText(text: string, escapes: string): string {
  if (escapes === 'none') return JSON.stringify(text);
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  const units = text.split('');
  return `"${units.map((unit, index) => (escapes === 'all' || index % 3 === 0 || /["\\\p{Cc}]/u.test(unit) ? escaped(unit) : unit)).join('')}"`;
}
