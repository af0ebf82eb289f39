import fc from 'fast-check';
import { plain } from '../../generators/arbitraries.ts';
import { isRemovable, removableProperties } from '../../generators/customers.ts';
import { type Fault, faultKinds } from '../../generators/faults.ts';
import { apply, type Changes, compare, isOwned, type State } from '../../generators/model.ts';
import type { Customer, JsonObject } from '../../schemas/contract.ts';
import type { Answer } from '../../target/answer.ts';
import { assertAccepted, assertAcceptedOrRefused, assertNamed, assertState } from './assertions.ts';
import { attributeHistory } from './attribution.ts';
import { Violation } from './cases.ts';
import { type Customers, pick, type Selector, selectors, type TestCustomer } from './customers.ts';

/** A customer of a history: what it is known to be, and which request made it so. */
type Member = TestCustomer & {
  /** For each property, the request on this customer that set or removed it last; the create is 0. */
  writer: Map<string, number>;
  /** How many requests on this customer were accepted, and what each began with. */
  count: number;
  befores: State[];
  /** What refused requests had since the customer was read, each after so many accepted ones; and whether one was accepted since. */
  refused: { changes: Changes; count: number }[];
  accepted: boolean;
  /** Whether it was read since the last request on it. */
  verified: boolean;
};

/** What a history has come to: its customers, and that of the last request. */
export type Model = { members: Member[]; last: Member };
/** Where a history is performed. */
export type Real = { customers: Customers };

/** One request of a history. Numbers pick a customer: that of the request before, or another. */
type Step =
  | { kind: 'create'; by: 'body' | 'query' | 'nothing'; optional: Partial<Customer> }
  | { kind: 'update'; which: number; by: Selector; changes: Changes; alone: boolean }
  | { kind: 'rename'; which: number; by: Selector }
  | { kind: 'take'; which: number; whose: number }
  | { kind: 'fault'; which: number; by: Selector; changes: Changes; fault: Fault }
  | { kind: 'read' };

const named = { customerId: 'IDY-1', externalId: 'IDY-2', query: 'IDY-3' } as const;

const selector = fc.constantFrom(...selectors.map(([by]) => by));
const SAME = 3;
const which = fc.nat(SAME * 2 - 1);
/** A plain value. Of text and numbers one is as good as another, so that they are not made shorter. */
const value = (name: keyof typeof plain): fc.Arbitrary<unknown> =>
  name === 'address' || name === 'customData' ? plain[name] : fc.noShrink<unknown>(plain[name]);
/** Something for some of these properties; which ones is made shorter first, many at a time. */
const someOf = (names: readonly (keyof typeof plain)[], draw: (name: keyof typeof plain) => fc.Arbitrary<unknown>) =>
  fc.subarray([...names]).chain((some) => fc.record(Object.fromEntries(some.map((name) => [name, draw(name)])), { noNullPrototype: true }));
const optional = someOf(removableProperties, value) as fc.Arbitrary<Partial<Customer>>;
const changes = someOf(Object.keys(plain) as (keyof typeof plain)[], (name) =>
  isRemovable(name) ? fc.option(value(name), { freq: 2 }) : value(name),
) as fc.Arbitrary<Changes>;
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
  take: fc.record({ kind: fc.constant('take' as const), which, whose: fc.nat(3) }),
  fault: fc.record({ kind: fc.constant('fault' as const), which, by: selector, changes, fault: refused }),
  read: fc.constant({ kind: 'read' as const }),
} satisfies { [Kind in Step['kind']]: fc.Arbitrary<Step> };

const WEIGHTS = { read: 2, create: 1, update: 4, rename: 1, take: 1, fault: 1 } satisfies { [Kind in Step['kind']]: number };

/** A customer, what its create has beyond the plain properties, and what is done after that. */
export type History = { start: Partial<Customer>; commands: Iterable<fc.AsyncCommand<Model, Real>> };

/** Any sequence of requests on several customers, an update about as likely as all others. */
export function histories(replayPath?: string): fc.Arbitrary<History> {
  const kinds = Object.keys(WEIGHTS) as Step['kind'][];
  const weighted = kinds.map((kind) => ({ weight: WEIGHTS[kind], arbitrary: steps[kind] as fc.Arbitrary<Step> }));
  // Of the last request that was sent fast-check never lets go: what is not needed becomes a read, as the first of these.
  const command = fc.oneof({ withCrossShrink: true }, ...weighted).map((step): fc.AsyncCommand<Model, Real> => new Command(step));
  const settings = { maxCommands: 16, size: 'max', ...(replayPath !== undefined && { replayPath }) } as const;
  // What comes first here is made shorter first: what the create has may spare a request that sets it.
  return fc.record({ commands: fc.commands<Model, Real, false>([command], settings), start: optional });
}

/** The start of a history: one customer. */
export async function begin(customers: Customers, start: Partial<Customer>): Promise<{ model: Model; real: Real }> {
  const body = { ...customers.people.plain(), ...start };
  const answer = await customers.create(body);
  assertAcceptedOrRefused(answer);
  assertAccepted('CRE-1', answer);
  const first = member(customers.fromCreate(answer, body));
  return { model: { members: [first], last: first }, real: { customers } };
}

/** The end of every history, and any time before: each customer is as its requests made it, those first that the last one did not name. */
export async function end(model: Model, { customers }: Real): Promise<void> {
  for (const member of model.members) if (member !== model.last) await verify(customers, member, true);
  if (!model.last.verified) await verify(customers, model.last, false);
}

class Command implements fc.AsyncCommand<Model, Real> {
  readonly #step: Step;

  constructor(step: Step) {
    this.#step = step;
  }

  check({ members }: Readonly<Model>): boolean {
    return this.#step.kind !== 'take' || members.length > 1;
  }

  async run(model: Model, real: Real): Promise<void> {
    const step = this.#step;
    if (step.kind === 'read') return await end(model, real);
    const { customers } = real;
    const { last } = model;
    const member = step.kind === 'create' ? undefined : chosen(model, step.which);
    // What others' requests did to it is seen before its own.
    if (member && member !== last) await verify(customers, member, true);
    // From here on what is wrong with the customer of before may be the other's doing.
    if (member !== last && !last.verified) await verify(customers, last, false);
    if (step.kind === 'create') return await create(model, customers, step);
    if (!member) return;
    model.last = member;
    if (step.kind === 'update') await update(customers, member, step);
    else if (step.kind === 'rename') await rename(customers, member, step.by);
    else if (step.kind === 'take') await take(customers, member, other(model, step.whose, member));
    else await fail(customers, member, step);
  }

  toString(): string {
    const { kind, ...details } = this.#step;
    return `${kind}(${fc.stringify(details)})`;
  }
}

/** The customer of the request before, half the time, or another. A shorter history leaves most of its requests with the same one. */
function chosen(model: Model, which: number): Member {
  return which < SAME ? model.last : other(model, which - SAME, model.last);
}

/** Another customer, as far as there is one. */
function other({ members }: Model, which: number, member: Member): Member {
  const others = members.filter((one) => one !== member);
  return others[which % others.length] ?? member;
}

function member(known: TestCustomer): Member {
  const shown = pick(known.created.customer ?? {}, Object.keys(known.created.customer ?? {}).filter(isOwned));
  // What a create loses or changes is its own failure, told by its own checks.
  const wrong = compare(known.state, shown).map(({ property }) => property.split('.')[0] ?? '');
  const right = Object.keys(known.state).filter((name) => !wrong.includes(name));
  const state = { ...pick(known.state, right), ...pick(shown, wrong) };
  const writer = new Map(Object.keys(state).map((name) => [name, 0]));
  return { ...known, state, writer, count: 1, befores: [{}], refused: [], accepted: true, verified: false };
}

async function create(model: Model, customers: Customers, { by, optional: set }: Step & { kind: 'create' }): Promise<void> {
  const body = { ...customers.people.plain(), ...set };
  const { externalId, ...rest } = body;
  const answer =
    by === 'query'
      ? await customers.upsert('create by the query', rest, { externalId })
      : await customers.create(by === 'body' ? body : rest);
  assertAcceptedOrRefused(answer);
  // A create by the query, or without an externalId, is left open; a plain one is not.
  if (by !== 'body' && answer.refused) return;
  assertAccepted('CRE-1', answer);
  const { customer } = answer;
  if (!customer) return;
  if (model.members.some(({ customerId }) => customerId === customer.customerId)) {
    throw new Violation(
      'CRE-2',
      'a new customer has the customerId of another',
      [{ expected: 'a new customerId', actual: customer.customerId }],
      answer,
    );
  }
  const sent = customer.externalId === externalId ? body : rest;
  model.last = member(customers.fromCreate(answer, sent));
  model.members.push(model.last);
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
  assertAcceptedOrRefused(answer);
  // An update of some properties alone may be refused.
  if (step.alone && answer.refused) answer = await customers.update(member, by, sent);
  assertAccepted('UPD-1', answer);
  assertNamed(named[by], answer, member);
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
  member.accepted = true;
  member.verified = false;
  const shown: State = answer.customer ?? {};
  if (compare(expected, shown, before).length > 0) {
    await verify(customers, member, false);
    customers.assertShown(answer, expected, before);
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
  assertAcceptedOrRefused(answer);
  if (!answer.customer) return;
  assertNamed(named[by], answer, member);
  const changed = answer.customer.externalId === externalId;
  await settle(customers, member, answer, changed ? { externalId } : {});
  if (changed) member.externalId = externalId;
}

/** Whatever comes of a request for another's externalId, the two do not share it. */
async function take(customers: Customers, member: Member, owner: Member): Promise<void> {
  const { externalId, customerId } = owner;
  if (externalId === '') return;
  const answer = await customers.upsert("ask for another's externalId", { customerId: member.customerId, externalId });
  assertAcceptedOrRefused(answer);
  member.refused.push({ changes: { externalId }, count: member.count });
  member.verified = false;
  if (answer.customer && answer.customer.externalId === externalId && answer.customer.customerId !== customerId) {
    throw new Violation('IDY-7', 'two customers have one externalId', [{ expected: 'another externalId', actual: externalId }], answer);
  }
}

async function fail(customers: Customers, member: Member, step: Step & { kind: 'fault' }): Promise<void> {
  const by = member.externalId === '' ? 'customerId' : step.by;
  const body = { ...customers.essentials(member.state), ...step.changes, ...(by !== 'query' && { [by]: member[by] }) };
  const answer = await customers.send(`update by ${by}, where ${step.fault.label}`, {
    ...step.fault.spoil(body as JsonObject),
    ...(by === 'query' && { query: { externalId: member.externalId } }),
  });
  assertAcceptedOrRefused(answer);
  if (!answer.refused) throw new Violation('REF-4', `the request was not refused, where ${step.fault.label}`, [], answer);
  member.refused.push({ changes: step.changes, count: member.count });
  member.verified = false;
}

/** Reads a customer and holds it to its requests, or, as a `bystander`, to what it was when it was last read. */
async function verify(customers: Customers, member: Member, bystander: boolean): Promise<void> {
  await assertState(customers.stored(member), member.state, (difference) => (bystander ? 'UPD-10' : attributeHistory(difference, member)));
  Object.assign(member, { refused: [], accepted: false, verified: true });
}
