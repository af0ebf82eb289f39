import fc from 'fast-check';
import { plain } from '../generators/arbitraries.ts';
import type { Plain } from '../generators/customers.ts';
import { apply, type Changes, compare, type State } from '../generators/model.ts';
import type { RequirementId } from '../schemas/requirement-id.ts';
import { holdAccepted, holdAnswered, holdState } from './support/blame.ts';
import { type Customers, type Known, type Selector, selectors } from './support/customers.ts';
import { generated, test } from './support/fixtures.ts';
import { type Generated, Violation } from './support/generated.ts';
import { told } from './support/matchers.ts';

/**
 * Properties of one value each: an update of a nested object may merge or replace it, which no order decides. None of those that every
 * update carries is among them.
 */
const flat = ['dateOfBirth', 'enrollDate', 'vip', 'currency', 'balance', 'organizationNumber', 'externalTier', 'nationalId'] as const;

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
  known: Known,
  updates: readonly { by: Selector; changes: Changes }[],
): Promise<Changes[]> {
  const allowed = updates.map(({ by, changes }) => ({
    by,
    changes: Object.fromEntries(
      Object.entries(changes).filter(([name, value]) => value !== null || !customers.people.demanded.includes(name)),
    ) as Changes,
  }));
  const answers = await Promise.all(allowed.map(({ by, changes }) => customers.update(known, by, changes)));
  for (const answer of answers) holdAnswered(answer);
  return allowed.map(({ changes }) => changes).filter((_changes, index) => answers[index]?.customer);
}

function createByQuery(customers: Customers, { externalId, ...body }: Plain) {
  return customers.upsert('create by the query', body, { externalId });
}

/** Every order of some requests. */
function orders(requests: readonly Changes[]): Changes[][] {
  if (requests.length <= 1) return [[...requests]];
  return requests.flatMap((first, index) => orders(requests.toSpliced(index, 1)).map((rest) => [first, ...rest]));
}

/** Holds a customer to the end of some order of the requests. */
async function holdSomeOrder(customers: Customers, known: Known, accepted: readonly Changes[], others: RequirementId): Promise<void> {
  const ends = orders(accepted).map((order) => order.reduce<State>((state, changes) => apply(state, changes), known.state));
  const stored = customers.stored(known);
  const answer = await stored.settle(known.state, ({ customer }) => ends.some((end) => compare(end, customer ?? {}).length === 0));
  const differences = ends.map((end) => compare(end, answer.customer ?? {})).sort((a, b) => a.length - b.length)[0] ?? [];
  if (differences.length === 0) return;
  const foreign = differences.every(({ property }) => accepted.every((changes) => !(property in changes)));
  throw new Violation(foreign ? others : 'UPD-11', 'no order of the requests explains the stored customer', told(differences), answer);
}

/** A race needs two requests in flight. */
function slotsOf(generated: Generated, wanted: number): number {
  if (generated.concurrency < 2) generated.notApplicable('TRUSTLY_CONCURRENCY is 1');
  return Math.min(wanted, generated.concurrency);
}

test.describe('at once', () => {
  test('creates of one new externalId end with one customer', generated('IDY-8', 'IDY-7'), async ({ generated }) => {
    const slots = slotsOf(generated, 6);
    const race = fc.tuple(fc.array(fc.tuple(values, fc.boolean()), { minLength: slots, maxLength: slots }), fc.nat(slots - 1));
    await generated.hold(
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
        for (const answer of answers) holdAnswered(answer);
        const created = answers.filter(({ customer }) => customer?.externalId === externalId);
        const [first] = created;
        const last = answers.at(-1);
        if (!first?.customer) {
          if (last) throw new Violation('IDY-8', 'none of the creates is accepted', [{ expected: 'one at least', actual: 'none' }], last);
          return;
        }
        const ids = [...new Set(created.map(({ customer }) => customer?.customerId))];
        if (ids.length > 1) {
          throw new Violation(
            'IDY-8',
            'creates of one externalId make several customers',
            [{ expected: 'one', actual: ids.join(', ') }],
            first,
          );
        }
        const found = await customers.find(externalId);
        if (found && found.length !== 1) {
          throw new Violation(
            'IDY-8',
            'the list has not one customer of the externalId',
            [{ expected: '1', actual: String(found.length) }],
            first,
          );
        }
      },
    );
  });

  test(
    'creates of several customers are answered each with its own',
    generated('ANS-5', 'CRE-1', 'CRE-2', 'UPD-10'),
    async ({ generated }) => {
      const slots = slotsOf(generated, 5);
      const race = fc.array(values, { minLength: slots, maxLength: slots });
      await generated.hold(
        { cases: 10, shrinks: false },
        () => race,
        async (customers, sets, atOnce) => {
          const bodies = sets.map((set) => ({ ...customers.people.plain(), ...set }));
          const answers = await atOnce(slots, () => Promise.all(bodies.map((body) => customers.create(body))));
          for (const answer of answers) holdAccepted('CRE-1', answer);
          const ids = new Set(answers.map(({ customer }) => customer?.customerId));
          const [last] = answers.slice(-1);
          if (last && ids.size < answers.length) {
            throw new Violation(
              'CRE-2',
              'customers have one customerId',
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
            await holdState(customers.stored(customers.known(answer, body)), body, () => 'UPD-10');
          }
        },
      );
    },
  );

  test('updates of one customer end as some order of them says', generated('UPD-11'), async ({ generated }) => {
    const slots = slotsOf(generated, 4);
    const race = fc.tuple(values, fc.array(update, { minLength: 2, maxLength: slots }));
    await generated.hold(
      { cases: 25, shrinks: false },
      () => race,
      async (customers, [set, updates], atOnce) => {
        const known = await customers.given(set);
        const accepted = await atOnce(updates.length, () => updateAtOnce(customers, known, updates));
        await holdSomeOrder(customers, known, accepted, 'UPD-11');
      },
    );
  });

  test('updates of two customers touch no third and not each other', generated('UPD-10', 'UPD-11'), async ({ generated }) => {
    const slots = slotsOf(generated, 4);
    const race = fc.tuple(
      values,
      fc.array(update, { minLength: 1, maxLength: Math.ceil(slots / 2) }),
      fc.array(update, { minLength: 1, maxLength: Math.ceil(slots / 2) }),
    );
    await generated.hold(
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
        await holdSomeOrder(customers, first, ofFirst, 'UPD-10');
        await holdSomeOrder(customers, second, ofSecond, 'UPD-10');
        await holdState(customers.stored(third), third.state, () => 'UPD-10');
      },
    );
  });
});
