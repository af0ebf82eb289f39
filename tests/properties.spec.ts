import fc from 'fast-check';
import { plain, unusual } from '../generators/arbitraries.ts';
import { type Removable, removableProperties } from '../generators/customers.ts';
import { type Fault, faultKinds, faults } from '../generators/faults.ts';
import { apply, type Changes, type Difference, keptBy } from '../generators/model.ts';
import type { Customer, Json, JsonObject } from '../schemas/contract.ts';
import type { Answer } from '../target/answer.ts';
import type { Outgoing as Request } from '../target/client.ts';
import { assertAccepted, assertAcceptedOrRefused, assertNamed, assertState } from './support/assertions.ts';
import { attributeUpdate } from './support/attribution.ts';
import { Violation } from './support/cases.ts';
import { type Customers, type Selector, selectors, stateAfter, type TestCustomer } from './support/customers.ts';
import { generatedCheck, test } from './support/fixtures.ts';

const named = { customerId: 'IDY-1', externalId: 'IDY-2', query: 'IDY-3' } as const;

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

/** Updates a customer plainly, and holds the answer to name it. */
async function change(customers: Customers, known: TestCustomer, by: Selector, changes: Changes): Promise<TestCustomer> {
  const answer = await customers.update(known, by, changes);
  assertAcceptedOrRefused(answer);
  assertAccepted('UPD-1', answer);
  assertNamed(named[by], answer, known);
  const state = apply(known.state, changes);
  const later = { ...known, state };
  await assertState(
    customers.stored(later),
    state,
    (difference) => attributeUpdate(difference, { changes, before: known.state }),
    known.state,
  );
  customers.assertShown(answer, state, known.state);
  return later;
}

test.describe('generated customers', () => {
  test('what is accepted reads back as it was sent', generatedCheck('CRE-3', 'VAL-5', 'VAL-6'), async ({ cases }) => {
    await cases.hold(
      { cases: 100 },
      () => unusualValues,
      async (customers, values) => {
        await customers.assumeKept(Object.keys(values));
        const sent = { ...customers.people.plain(), ...values };
        const created = await customers.create(sent);
        assertAcceptedOrRefused(created);
        if (!created.customer) return;
        const of = (difference: Difference) => keptBy(difference, 'CRE-3');
        await assertState(customers.stored(customers.fromCreate(created, sent)), sent, of);
      },
    );
  });

  test(
    'an update with unusual values is taken or refused whole',
    generatedCheck('UPD-2', 'UPD-3', 'UPD-4', 'VAL-5', 'REF-1'),
    async ({ cases }) => {
      await cases.hold(
        { cases: 50 },
        () => fc.tuple(unusualValues, selector, someOptional),
        async (customers, [values, by, optional]) => {
          await customers.assumeKept(Object.keys(values));
          const customer = await customers.given(optional);
          const answer = await customers.update(customer, by, values);
          assertAcceptedOrRefused(answer);
          const expected = answer.refused ? customer.state : stateAfter(customer, values);
          const of = (difference: Difference) => {
            if (answer.refused) return 'REF-1';
            const id = attributeUpdate(difference, { changes: values, before: customer.state });
            return id === 'UPD-4' ? id : keptBy(difference, id);
          };
          await assertState(customers.stored(customer), expected, of, customer.state);
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
      await cases.hold(
        { cases: 30 },
        () => removalOf,
        async (customers, [optional, names, [first, second, third], again]) => {
          const changes = removals(customers, names);
          const customer = await customers.given(optional);
          const gone = await customers.update(customer, first, changes);
          assertAccepted(names.length > 1 ? 'NULL-2' : 'NULL-1', gone);
          customers.assumeUpdated(customer, gone);
          const removed = new Set(Object.keys(changes));
          let known: TestCustomer = { ...customer, state: stateAfter(customer, changes) };
          await assertState(customers.stored(known), known.state, (difference) => {
            const id = attributeUpdate(difference, { changes, before: customer.state });
            return id === 'NULL-1' && removed.size > 1 ? 'NULL-2' : id;
          });
          for (const [by, later] of [
            [second, { externalTier: 'Bronze' }],
            [third, again],
          ] as const) {
            const answer = await customers.update(known, by, later);
            assertAccepted('UPD-1', answer);
            customers.assumeUpdated(known, answer);
            const was = known.state;
            known = { ...known, state: stateAfter(known, later) };
            await assertState(
              customers.stored(known),
              known.state,
              (difference) => attributeUpdate(difference, { changes: later, before: was, removed }),
              was,
            );
          }
        },
      );
    },
  );

  test(
    'an update is what was there, with what was sent, without what was null',
    generatedCheck('UPD-2', 'UPD-3', 'UPD-4', 'NULL-1', 'NULL-5'),
    async ({ cases }) => {
      await cases.hold(
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
    await cases.hold(
      { cases: 15 },
      () => fc.tuple(someOptional, someChanges, selector, selector),
      async (customers, [optional, drawn, by, again]) => {
        const customer = await customers.given(optional);
        const changes = allowed(customers, drawn, customer);
        const known = await change(customers, customer, by, changes);
        const answer = await customers.update(customer, again, changes);
        assertAcceptedOrRefused(answer);
        await assertState(customers.stored(known), known.state, () => 'UPD-8', customer.state);
      },
    );
  });

  test('disjoint updates commute', generatedCheck('UPD-9'), async ({ cases }) => {
    await cases.hold(
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
            const answer = await customers.update(known, index ? other : one, part);
            assertAcceptedOrRefused(answer);
            customers.assumeUpdated(known, answer);
            known = { ...known, state: stateAfter(known, part) };
          }
          await assertState(customers.stored(known), known.state, () => 'UPD-9', start);
        }
      },
    );
  });

  test('an update in parts ends as the whole', generatedCheck('UPD-9'), async ({ cases }) => {
    await cases.hold(
      { cases: 15 },
      () => fc.tuple(someOptional, someChanges, fc.array(selector, { minLength: 3, maxLength: 3 })),
      async (customers, [optional, drawn, by]) => {
        const customer = await customers.given(optional);
        let known = customer;
        for (const [index, [name, value]] of Object.entries(allowed(customers, drawn, customer)).entries()) {
          const part = { [name]: value } as Changes;
          const answer = await customers.update(known, by[index % by.length] ?? 'customerId', part);
          assertAcceptedOrRefused(answer);
          assertAccepted('UPD-1', answer);
          customers.assumeUpdated(known, answer);
          known = { ...known, state: stateAfter(known, part) };
        }
        await assertState(customers.stored(known), known.state, () => 'UPD-9', customer.state);
      },
    );
  });

  test('the same JSON in other bytes is the same customer', generatedCheck('CRE-3', 'UPD-2', 'IDY-2'), async ({ cases }) => {
    const spelling = fc.record({
      order: fc.nat(),
      space: fc.constantFrom('', ' ', '\n\t', '\r\n  '),
      escapes: fc.constantFrom('none', 'some', 'all' as const),
    });
    await cases.hold(
      { cases: 25 },
      () => fc.tuple(everyOptional, someOptional, spelling),
      async (customers, [optional, changes, how]) => {
        const sent = { ...customers.people.plain(), ...optional };
        const created = await customers.create(sent, spell(json(sent), how));
        assertAccepted('CRE-1', created);
        const known = customers.fromCreate(created, sent);
        await assertState(customers.stored(known), sent, () => 'CRE-3');
        const body = { ...customers.essentials(sent), ...changes, externalId: known.externalId };
        const answer = await customers.send('update the customer', { body: spell(json(body), how) });
        assertAccepted('UPD-1', answer);
        assertNamed('IDY-2', answer, known);
        await assertState(
          customers.stored(known),
          stateAfter(known, changes),
          (difference) => attributeUpdate(difference, { changes, before: sent }),
          sent,
        );
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
    await cases.hold(
      { cases: 70 },
      () => fc.tuple(fault, selector, everyOptional, someOptional),
      async (customers, [wrong, by, optional, sound]) => {
        const customer = await customers.given(optional);
        const body = { ...customers.essentials(customer.state), ...sound, ...(by === 'query' ? {} : { [by]: customer[by] }) };
        const answer = await sendFault(customers, `update ${by === 'query' ? 'by the query' : `by ${by}`}, where ${wrong.label}`, wrong, {
          ...wrong.spoil(json(body)),
          ...(by === 'query' && { query: { externalId: customer.externalId } }),
        });
        if (!answer || answer.refused) {
          await assertState(customers.stored(customer), customer.state, () => 'REF-1');
        } else if (wrong.must === 'refuse' && !wrong.create) {
          throw new Violation('REF-4', `the request was not refused, where ${wrong.label}`, [], answer);
        }
      },
    );
  });

  test('a fault in a create is refused and creates nobody', generatedCheck('REF-2', 'REF-3', 'REF-4', 'REF-6'), async ({ cases }) => {
    await cases.hold(
      { cases: 60 },
      () => fc.tuple(fault, everyOptional),
      async (customers, [wrong, optional]) => {
        const person = { ...customers.people.plain(), ...optional };
        const answer = await sendFault(customers, `create, where ${wrong.label}`, wrong, wrong.spoil(json(person)));
        if (answer?.ok() && wrong.must === 'refuse') {
          // A target may have a value of its own for what is missing; the schema holds its answer all the same.
          if (wrong.create && wrong.property) return;
          throw new Violation('REF-4', `the request was not refused, where ${wrong.label}`, [], answer);
        }
        if (answer?.ok() || wrong.property === 'externalId') return;
        const anew = { ...customers.people.plain(), externalId: person.externalId };
        const created = await customers.create(anew);
        if (created.refused && (await customers.create(customers.people.plain())).refused)
          customers.notTestable(`no customer could be created: ${created}`);
        assertAccepted('REF-2', created);
        const known = customers.fromCreate(created, anew);
        await assertState(customers.stored(known), anew, () => 'REF-2');
      },
    );
  });
});

/** Sends what is wrong. Where its size alone is, the end of the connection is a refusal too: then there is no answer. */
async function sendFault(
  customers: Customers,
  intent: string,
  { oversized = false }: Fault,
  outgoing: Outgoing,
): Promise<Answer | undefined> {
  const answer = await customers.send(intent, { ...outgoing, oversized });
  if (answer.status() === 0) return undefined;
  assertAcceptedOrRefused(answer);
  return answer;
}

type Outgoing = Omit<Request, 'authorization'>;

type Spelling = { order: number; space: string; escapes: string };

/** An object as JSON: its keys in another order, with other white space, and characters written as escapes. */
function spell(value: Json, how: Spelling): Buffer {
  return Buffer.from(`${how.space}${spellValue(value, how)}${how.space}`);
}

function spellValue(value: Json, how: Spelling): string {
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
