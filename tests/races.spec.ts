import fc from 'fast-check';
import { plain } from '../generators/arbitraries.ts';
import type { Plain } from '../generators/customers.ts';
import { apply, type Changes, compare, type State } from '../generators/model.ts';
import { nestedProperties, removableProperties } from '../schemas/properties.ts';
import type { RequirementId } from '../schemas/requirement-id.ts';
import { assert } from './support/assert.ts';
import type { Cases } from './support/cases.ts';
import type { Customers } from './support/customers.ts';
import { generatedCheck, test } from './support/fixtures.ts';
import { linesOf } from './support/matchers.ts';
import { type Selector, selectors, type TestCustomer } from './support/test-customer.ts';
import { Violation } from './support/violation.ts';

/**
 * Properties of one value each: an update of a nested object may merge or replace it, which no order decides. None of those that every
 * update carries is among them.
 */
const flat = removableProperties.filter((name) => !(nestedProperties as readonly string[]).includes(name));

const selector = fc.constantFrom(...selectors.map(([by]) => by));
const values = fc.record(Object.fromEntries(flat.map((name) => [name, plain[name]])) as Record<string, fc.Arbitrary<unknown>>, {
  requiredKeys: [],
  noNullPrototype: true,
}) as fc.Arbitrary<State>;
const update: fc.Arbitrary<{ by: Selector; changes: Changes }> = fc
  .tuple(selector, values, fc.subarray([...flat], { maxLength: 3 }))
  .map(([by, set, removed]) => ({ by, changes: { ...set, ...(Object.fromEntries(removed.map((name) => [name, null])) as Changes) } }))
  .filter(({ changes }) => Object.keys(changes).length > 0);

/** Sends updates of a customer at once; what comes of it are those that were accepted. */
async function updateAtOnce(
  customers: Customers,
  known: TestCustomer,
  updates: readonly { by: Selector; changes: Changes }[],
): Promise<Changes[]> {
  const allowed = updates.map(({ by, changes }) => ({
    by,
    changes: Object.fromEntries(
      Object.entries(changes).filter(([name, value]) => value !== null || !customers.people.demanded.includes(name)),
    ) as Changes,
  }));
  const answers = await Promise.all(allowed.map(({ by, changes }) => customers.update(known, by, changes)));
  for (const answer of answers) assert(answer, 'REF-3').toBeAcceptedOrRefused();
  return allowed.map(({ changes }) => changes).filter((_changes, index) => answers[index]?.customer);
}

function createByQuery(customers: Customers, { externalId, ...body }: Plain) {
  return customers.upsert('create by the query', { body, query: { externalId } });
}

/** Every order of some requests. */
function orders(requests: readonly Changes[]): Changes[][] {
  if (requests.length <= 1) return [[...requests]];
  return requests.flatMap((first, index) => orders(requests.toSpliced(index, 1)).map((rest) => [first, ...rest]));
}

/** Holds a customer to the end of some order of the requests. */
async function assertSomeOrder(
  customers: Customers,
  known: TestCustomer,
  accepted: readonly Changes[],
  others: RequirementId,
): Promise<void> {
  const ends = orders(accepted).map((order) => order.reduce<State>((state, changes) => apply(state, changes), known.state));
  const stored = customers.stored(known);
  const answer = await stored.settle(known.state, ({ customer }) => ends.some((end) => compare(end, customer ?? {}).length === 0));
  const differences = ends.map((end) => compare(end, answer.customer ?? {})).sort((a, b) => a.length - b.length)[0] ?? [];
  if (differences.length === 0) return;
  const foreign = differences.every(({ property }) => accepted.every((changes) => !(property in changes)));
  throw new Violation(foreign ? others : 'UPD-11', 'no order of the requests explains the stored customer', linesOf(differences), answer);
}

/** A race needs two requests in flight. */
function slotsOf(cases: Cases, wanted: number): number {
  if (cases.concurrency < 2) cases.notApplicable('TRUSTLY_CONCURRENCY is 1');
  return Math.min(wanted, cases.concurrency);
}

test.describe('at once', () => {
  test('creates of one new externalId end with one customer', generatedCheck('IDY-8', 'IDY-7'), async ({ cases }) => {
    const slots = slotsOf(cases, 6);
    const race = fc.tuple(fc.array(fc.tuple(values, fc.boolean()), { minLength: slots, maxLength: slots }), fc.nat(slots - 1));
    await cases.run(
      { cases: 10, shrinks: false },
      () => race,
      async (customers, [creates, sure], atOnce) => {
        const externalId = customers.people.externalId();
        const bodies = creates.map(([set]) => ({ ...customers.people.plain(), ...set, externalId }));
        const answers = await atOnce(slots, () =>
          Promise.all(
            bodies.map((body, index) =>
              // One is by the body, which no target may refuse.
              index !== sure && creates[index]?.[1] ? createByQuery(customers, body) : customers.create(body),
            ),
          ),
        );
        for (const answer of answers) assert(answer, 'REF-3').toBeAcceptedOrRefused();
        const created = answers.filter(({ customer }) => customer?.externalId === externalId);
        const [first] = created;
        const last = answers.at(-1);
        if (!first?.customer) {
          if (last) throw new Violation('IDY-8', 'none of the creates is accepted', [{ expected: 'at least one', actual: 'none' }], last);
          return;
        }
        const ids = [...new Set(created.map(({ customer }) => customer?.customerId))];
        if (ids.length > 1) {
          throw new Violation(
            'IDY-8',
            'creates with the same externalId result in several customers',
            [{ expected: 'one', actual: ids.join(', ') }],
            first,
          );
        }
        const found = await customers.find(externalId);
        if (found && found.length !== 1) {
          throw new Violation(
            'IDY-8',
            'the list does not have exactly one customer with the externalId',
            [{ expected: '1', actual: String(found.length) }],
            first,
          );
        }
      },
    );
  });

  test(
    'creates of several customers are answered each with its own',
    generatedCheck('ANS-5', 'CRE-1', 'CRE-2', 'UPD-10'),
    async ({ cases }) => {
      const slots = slotsOf(cases, 5);
      const race = fc.array(values, { minLength: slots, maxLength: slots });
      await cases.run(
        { cases: 10, shrinks: false },
        () => race,
        async (customers, sets, atOnce) => {
          const bodies = sets.map((set) => ({ ...customers.people.plain(), ...set }));
          const answers = await atOnce(slots, () => Promise.all(bodies.map((body) => customers.create(body))));
          for (const answer of answers) assert(answer, 'CRE-1').toBeAccepted();
          const ids = new Set(answers.map(({ customer }) => customer?.customerId));
          const [last] = answers.slice(-1);
          if (last && ids.size < answers.length) {
            throw new Violation(
              'CRE-2',
              'several customers have the same customerId',
              [{ expected: String(answers.length), actual: String(ids.size) }],
              last,
            );
          }
          for (const [index, answer] of answers.entries()) {
            const body = bodies[index];
            if (!body) continue;
            if (answer.customer?.externalId !== undefined && answer.customer.externalId !== body.externalId) {
              const lines = [{ expected: `externalId ${body.externalId}`, actual: `externalId ${answer.customer.externalId}` }];
              throw new Violation('ANS-5', 'the answer shows the customer of another request', lines, answer);
            }
            await assert(customers.stored(customers.fromCreate(answer, body)), 'UPD-10').toMatchCustomer(body);
          }
        },
      );
    },
  );

  test('updates of one customer end as some order of them says', generatedCheck('UPD-11'), async ({ cases }) => {
    const slots = slotsOf(cases, 4);
    const race = fc.tuple(values, fc.array(update, { minLength: 2, maxLength: slots }));
    await cases.run(
      { cases: 25, shrinks: false },
      () => race,
      async (customers, [set, updates], atOnce) => {
        const known = await customers.given(set);
        const accepted = await atOnce(updates.length, () => updateAtOnce(customers, known, updates));
        await assertSomeOrder(customers, known, accepted, 'UPD-11');
      },
    );
  });

  test('updates of two customers touch no third and not each other', generatedCheck('UPD-10', 'UPD-11'), async ({ cases }) => {
    const slots = slotsOf(cases, 4);
    const race = fc.tuple(
      values,
      fc.array(update, { minLength: 1, maxLength: Math.ceil(slots / 2) }),
      fc.array(update, { minLength: 1, maxLength: Math.ceil(slots / 2) }),
    );
    await cases.run(
      { cases: 12, shrinks: false },
      () => race,
      async (customers, [set, left, right], atOnce) => {
        const shared = set;
        const first = await customers.given(shared);
        const second = await customers.given(shared);
        const third = await customers.given(shared);
        const [ofFirst, ofSecond] = await atOnce(left.length + right.length, () =>
          Promise.all([updateAtOnce(customers, first, left), updateAtOnce(customers, second, right)]),
        );
        await assertSomeOrder(customers, first, ofFirst, 'UPD-10');
        await assertSomeOrder(customers, second, ofSecond, 'UPD-10');
        await assert(customers.stored(third), 'UPD-10').toMatchCustomer(third.state);
      },
    );
  });
});
