import fc from 'fast-check';
import { plain } from '../../generators/arbitraries.ts';
import { removableProperties } from '../../generators/customers.ts';
import { type Fault, faultKinds } from '../../generators/faults.ts';
import { apply, type Changes, compare, type Difference, isOwned, type State } from '../../generators/model.ts';
import type { Customer, JsonObject } from '../../schemas/contract.ts';
import type { Answer } from '../../target/answer.ts';
import { holdAccepted, holdAnswered, holdNamed, holdState } from './blame.ts';
import { type Customers, type Known, pick, type Selector, selectors } from './customers.ts';
import { Broken } from './generated.ts';

/** A customer of a history: what it is known to be, and which request made it so. */
type Member = Known & {
  /** For each property, the request on this customer that set or removed it last; the create is 0. */
  writer: Map<string, number>;
  /** How many requests on this customer were accepted, and what each began with. */
  count: number;
  befores: State[];
  /** Properties of refused requests since the customer was read. */
  refused: Set<string>;
  /** Whether it was read since the last request on it. */
  verified: boolean;
};

/** What a history has come to. */
export type Model = { members: Member[]; last: Member | undefined };
/** Where a history is performed. */
export type Real = { customers: Customers };

/** One request of a history. Numbers pick a customer among those that there are. */
type Step =
  | { kind: 'create'; by: 'body' | 'query' | 'nothing'; optional: Partial<Customer> }
  | { kind: 'update'; which: number; by: Selector; changes: Changes; alone: boolean }
  | { kind: 'rename'; which: number; by: Selector }
  | { kind: 'take'; which: number; whose: number }
  | { kind: 'fault'; which: number; by: Selector; changes: Changes; fault: Fault }
  | { kind: 'read'; which: number };

const named = { customerId: 'IDY-1', externalId: 'IDY-2', query: 'IDY-3' } as const;

const selector = fc.constantFrom(...selectors.map(([by]) => by));
const which = fc.nat(3);
const values = fc.record(plain as unknown as Record<string, fc.Arbitrary<unknown>>, {
  requiredKeys: [],
  noNullPrototype: true,
}) as fc.Arbitrary<Partial<Customer>>;
const changes: fc.Arbitrary<Changes> = fc
  .tuple(values, fc.subarray([...removableProperties]))
  .map(([set, removed]) => ({ ...set, ...(Object.fromEntries(removed.map((name) => [name, null])) as Changes) }));
const optional = values.map((set) => pick(set, removableProperties) as Partial<Customer>);
const refused = fc
  .constantFrom(...faultKinds)
  .chain(({ faults }) => faults)
  .filter(({ must, create, property }) => must === 'refuse' && !create && property === undefined);

const steps = {
  create: fc.record({
    kind: fc.constant('create' as const),
    by: fc.constantFrom('body' as const, 'query' as const, 'nothing' as const),
    optional,
  }),
  update: fc.record({ kind: fc.constant('update' as const), which, by: selector, changes, alone: fc.boolean() }),
  rename: fc.record({ kind: fc.constant('rename' as const), which, by: fc.constantFrom('customerId' as const, 'query' as const) }),
  take: fc.record({ kind: fc.constant('take' as const), which, whose: which }),
  fault: fc.record({ kind: fc.constant('fault' as const), which, by: selector, changes, fault: refused }),
  read: fc.record({ kind: fc.constant('read' as const), which }),
} satisfies { [Kind in Step['kind']]: fc.Arbitrary<Step> };

/** Any sequence of requests on several customers, an update as likely as all others. */
export function histories(replayPath?: string): fc.Arbitrary<Iterable<fc.AsyncCommand<Model, Real>>> {
  const { update, create, ...others } = steps;
  const drawn: fc.Arbitrary<Step>[] = [update, create, update, ...Object.values(others), update, update];
  const commands = drawn.map((step) => step.map((one): fc.AsyncCommand<Model, Real> => new Command(one)));
  return fc.commands<Model, Real, false>(commands, { maxCommands: 14, size: 'max', ...(replayPath !== undefined && { replayPath }) });
}

/** The start of every history: one plain customer. */
export async function begin(customers: Customers): Promise<{ model: Model; real: Real }> {
  const model: Model = { members: [], last: undefined };
  const body = customers.people.plain();
  const answer = await customers.create(body);
  if (!answer.customer) customers.notTestable(`no customer could be created: ${answer}`);
  add(model, customers.known(answer, body));
  return { model, real: { customers } };
}

/** The end of every history: each customer is as its requests made it, those first that the last request did not name. */
export async function end(model: Model, { customers }: Real): Promise<void> {
  for (const member of model.members) if (member !== model.last) await verify(customers, member, true);
  if (model.last) await verify(customers, model.last, false);
}

class Command implements fc.AsyncCommand<Model, Real> {
  readonly #step: Step;

  constructor(step: Step) {
    this.#step = step;
  }

  check({ members }: Readonly<Model>): boolean {
    const step = this.#step;
    return step.kind !== 'take' || members[step.which % members.length] !== members[step.whose % members.length];
  }

  async run(model: Model, { customers }: Real): Promise<void> {
    const step = this.#step;
    const member = step.kind === 'create' ? undefined : (model.members[step.which % model.members.length] as Member);
    // From here on what is wrong with the customer of before may be the other's doing.
    if (model.last && model.last !== member && !model.last.verified) await verify(customers, model.last, false);
    if (step.kind === 'create') return await create(model, customers, step);
    if (!member) return;
    // What others' requests did to it is seen before its own.
    if (member !== model.last) await verify(customers, member, true);
    model.last = member;
    if (step.kind === 'update') await update(customers, member, step);
    else if (step.kind === 'rename') await rename(customers, member, step.by);
    else if (step.kind === 'take') await take(customers, member, model.members[step.whose % model.members.length] as Member);
    else if (step.kind === 'fault') await fail(customers, member, step);
    else if (!member.verified) await verify(customers, member, false);
  }

  toString(): string {
    const { kind, ...details } = this.#step;
    return `${kind}(${fc.stringify(details)})`;
  }
}

function add(model: Model, known: Known): void {
  const shown = known.created.customer ?? {};
  // What a create loses is its own failure, told by its own checks.
  const lost = compare(known.state, pick(shown, Object.keys(shown).filter(isOwned))).map(({ property }) => property.split('.')[0]);
  const state = Object.fromEntries(Object.entries(known.state).filter(([name]) => !lost.includes(name))) as State;
  const writer = new Map(Object.keys(state).map((name) => [name, 0]));
  const member = { ...known, state, writer, count: 1, befores: [{}], refused: new Set<string>(), verified: false };
  model.members.push(member);
  model.last = member;
}

async function create(model: Model, customers: Customers, { by, optional: set }: Step & { kind: 'create' }): Promise<void> {
  const body = { ...customers.people.plain(), ...set };
  const { externalId, ...rest } = body;
  const answer =
    by === 'query'
      ? await customers.upsert('create by the query', rest, { externalId })
      : await customers.create(by === 'body' ? body : rest);
  holdAnswered(answer);
  // A create by the query, or without an externalId, is left open; a plain one is not.
  if (by !== 'body' && answer.refused) return;
  holdAccepted('CRE-1', answer);
  const { customer } = answer;
  if (!customer) return;
  if (model.members.some(({ customerId }) => customerId === customer.customerId)) {
    throw new Broken(
      'CRE-2',
      'a new customer has the customerId of another',
      [{ expected: 'a new customerId', actual: customer.customerId }],
      answer,
    );
  }
  const sent = customer.externalId === externalId ? body : rest;
  add(model, customers.known(answer, sent));
}

async function update(customers: Customers, member: Member, step: Step & { kind: 'update' }): Promise<void> {
  const by = member.externalId === '' ? 'customerId' : step.by;
  // Whether what is not there can be removed is left open, and what the settings demand is not removed.
  const sent = Object.fromEntries(
    Object.entries(step.changes).filter(
      ([name, value]) => value !== null || (name in member.state && !customers.people.demanded.includes(name)),
    ),
  ) as Changes;
  const query = by === 'query' ? { externalId: member.externalId } : undefined;
  const alone = { ...sent, ...(by !== 'query' && { [by]: member[by] }) };
  let answer = step.alone ? await customers.upsert(`update ${by}`, alone, query) : await customers.update(member, by, sent);
  holdAnswered(answer);
  // An update of some properties alone may be refused.
  if (step.alone && answer.refused) answer = await customers.update(member, by, sent);
  holdAccepted('UPD-1', answer);
  holdNamed(named[by], answer, member);
  await settle(customers, member, answer, sent);
}

/** Takes an accepted update over into what the customer is known to be, and looks whether the answer shows it. */
async function settle(customers: Customers, member: Member, answer: Answer, sent: Changes): Promise<void> {
  const before = member.state;
  const expected = apply(before, sent);
  member.befores.push(before);
  for (const name of Object.keys(sent)) member.writer.set(name, member.count);
  member.count += 1;
  member.state = expected;
  member.verified = false;
  const shown: State = answer.customer ?? {};
  if (compare(expected, shown, before).length > 0) {
    await verify(customers, member, false);
    customers.shows(answer, expected, before);
  }
  // A merge keeps the keys that were not sent, a replacement drops them: from now on what this one did.
  for (const name of ['address', 'customData', 'driverLicense'] as const) {
    if (sent[name] && before[name] && shown[name]) {
      const both = { ...(before[name] as JsonObject), ...(sent[name] as JsonObject) };
      const kept = Object.fromEntries(Object.entries(both).filter(([key]) => Object.hasOwn(shown[name] as object, key)));
      member.state = { ...member.state, [name]: kept };
    }
  }
}

/** Whether an externalId can be changed is left open; where it is, the customer goes by the new one. */
async function rename(customers: Customers, member: Member, wanted: Selector): Promise<void> {
  const by = member.externalId === '' ? 'customerId' : wanted;
  const externalId = customers.people.externalId();
  const answer = await customers.update(member, by, { externalId });
  holdAnswered(answer);
  if (!answer.customer) return;
  holdNamed(named[by], answer, member);
  const changed = answer.customer.externalId === externalId;
  await settle(customers, member, answer, changed ? { externalId } : {});
  if (changed) member.externalId = externalId;
}

/** Whatever comes of a request for another's externalId, the two do not share it. */
async function take(customers: Customers, member: Member, owner: Member): Promise<void> {
  const { externalId, customerId } = owner;
  if (externalId === '') return;
  const answer = await customers.upsert("ask for another's externalId", { customerId: member.customerId, externalId });
  holdAnswered(answer);
  member.refused.add('externalId');
  member.verified = false;
  if (answer.customer && answer.customer.externalId === externalId && answer.customer.customerId !== customerId) {
    throw new Broken('IDY-7', 'two customers have one externalId', [{ expected: 'another externalId', actual: externalId }], answer);
  }
}

async function fail(customers: Customers, member: Member, step: Step & { kind: 'fault' }): Promise<void> {
  const by = member.externalId === '' ? 'customerId' : step.by;
  const body = { ...customers.essentials(member.state), ...step.changes, ...(by !== 'query' && { [by]: member[by] }) };
  const answer = await customers.send(`update by ${by}, where ${step.fault.label}`, {
    ...step.fault.spoil(body as JsonObject),
    ...(by === 'query' && { query: { externalId: member.externalId } }),
  });
  holdAnswered(answer);
  if (!answer.refused) throw new Broken('REF-4', `the request was not refused, where ${step.fault.label}`, [], answer);
  for (const name of Object.keys(step.changes)) member.refused.add(name);
  member.verified = false;
}

/** Reads a customer and holds it to its requests, or, as a `bystander`, to what it was when it was last read. */
async function verify(customers: Customers, member: Member, bystander: boolean): Promise<void> {
  await holdState(customers.stored(member), member.state, (difference) => (bystander ? 'UPD-10' : blame(difference, member)));
  member.verified = true;
  member.refused.clear();
}

/** The requirement that a difference breaks, by the request that wrote the property last. */
function blame({ property }: Difference, { writer, count, befores, state, refused: tried }: Member): string {
  const name = property.split('.')[0] ?? '';
  if (tried.has(name)) return 'REF-1';
  const by = writer.get(name);
  const isLast = by === count - 1;
  if (!(name in state)) return by === undefined ? 'UPD-4' : isLast ? 'NULL-1' : 'NULL-3';
  if (by === 0) return count === 1 ? 'CRE-3' : 'UPD-4';
  if (by === undefined || !isLast) return 'UPD-4';
  if (name in (befores[by] ?? {})) return 'UPD-2';
  return befores.slice(0, by).some((before) => name in before) ? 'NULL-4' : 'UPD-3';
}
