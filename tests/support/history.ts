import fc from 'fast-check';
import { plain } from '../../generators/arbitraries.ts';
import { faultKinds } from '../../generators/faults.ts';
import type { Changes } from '../../generators/model.ts';
import type { Customer } from '../../schemas/contract.ts';
import { isRemovable, removableProperties } from '../../schemas/properties.ts';
import { assert } from './assert.ts';
import { Create, Faulty, Read, Rename, SAME, Take, Update } from './commands.ts';
import type { Customers } from './customers.ts';
import { type Model, memberOf, type Real } from './member.ts';
import { selectors } from './test-customer.ts';

const selector = fc.constantFrom(...selectors.map(([by]) => by));
const which = fc.nat(SAME * 2 - 1);
/** A plain value. Text and numbers are not shrunk, because any value is as good as another. */
const value = (name: keyof typeof plain): fc.Arbitrary<unknown> =>
  name === 'address' || name === 'customData' ? plain[name] : fc.noShrink<unknown>(plain[name]);
/** Something for some of these properties; which ones is made shorter first, many at a time. */
const someOf = (names: readonly (keyof typeof plain)[], draw: (name: keyof typeof plain) => fc.Arbitrary<unknown>) =>
  fc.subarray([...names]).chain((some) => fc.record(Object.fromEntries(some.map((name) => [name, draw(name)])), { noNullPrototype: true }));
const optional = someOf(removableProperties, value) as fc.Arbitrary<Partial<Customer>>;
const changes = someOf(Object.keys(plain) as (keyof typeof plain)[], (name) =>
  isRemovable(name) ? fc.option(value(name), { freq: 2 }) : value(name),
) as fc.Arbitrary<Changes>;
const fault = fc
  .constantFrom(...faultKinds)
  .chain(({ faults }) => faults)
  .filter(({ must, create, property }) => must === 'refuse' && !create && property === undefined);

const createBy = fc.constantFrom('body' as const, 'query' as const, 'nothing' as const);
const renameBy = fc.constantFrom('customerId' as const, 'query' as const);

/** The commands, an update about as likely as all others. fast-check never drops the last one; if it is unneeded it shrinks to `Read`. */
const command: fc.Arbitrary<fc.AsyncCommand<Model, Real>> = fc.oneof(
  { withCrossShrink: true },
  { weight: 2, arbitrary: fc.constant({}).map((data) => new Read(data)) },
  { weight: 1, arbitrary: fc.record({ by: createBy, optional }).map((data) => new Create(data)) },
  { weight: 4, arbitrary: fc.record({ which, by: selector, changes, alone: fc.boolean() }).map((data) => new Update(data)) },
  { weight: 1, arbitrary: fc.record({ which, by: renameBy }).map((data) => new Rename(data)) },
  { weight: 1, arbitrary: fc.record({ which, whose: fc.nat(3) }).map((data) => new Take(data)) },
  { weight: 1, arbitrary: fc.record({ which, by: selector, changes, fault }).map((data) => new Faulty(data)) },
);

/** A customer, its optional properties at the create, and what is done after that. */
export type History = { start: Partial<Customer>; commands: Iterable<fc.AsyncCommand<Model, Real>> };

/** Any sequence of requests on several customers. */
export function histories(replayPath?: string): fc.Arbitrary<History> {
  const settings = { maxCommands: 16, size: 'max', ...(replayPath !== undefined && { replayPath }) } as const;
  // The first field is shrunk first: a property of the create may make a request that sets it unnecessary.
  return fc.record({ commands: fc.commands<Model, Real, false>([command], settings), start: optional });
}

/** The start of a history: one customer. */
export async function begin(customers: Customers, start: Partial<Customer>): Promise<{ model: Model; real: Real }> {
  const body = { ...customers.people.plain(), ...start };
  const answer = await customers.create(body);
  assert(answer, 'CRE-1').toBeAcceptedOrRefused();
  assert(answer, 'CRE-1').toBeAccepted();
  const first = memberOf(customers.fromCreate(answer, body));
  return { model: { members: [first], last: first }, real: { customers } };
}
