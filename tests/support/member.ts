import { apply, type Changes, compare, type State } from '../../generators/model.ts';
import type { JsonObject } from '../../schemas/contract.ts';
import { isOwned, nestedProperties } from '../../schemas/properties.ts';
import type { Answer } from '../../target/answer.ts';
import { assert } from './assert.ts';
import { attributeHistory } from './attribution.ts';
import type { Customers } from './customers.ts';
import { pick, type TestCustomer } from './test-customer.ts';

/** A customer of a history: its expected state, and which request made it so. */
export type Member = TestCustomer & {
  /** For each property, the request on this customer that set or removed it last; the create is 0. */
  writer: Map<string, number>;
  /** How many requests on this customer were accepted, and the state before each. */
  count: number;
  befores: State[];
  /** What refused requests had since the customer was read, each after so many accepted ones; and whether one was accepted since. */
  refused: { changes: Changes; count: number }[];
  accepted: boolean;
  /** Whether it was read since the last request on it. */
  verified: boolean;
};

/** The model of a history: its customers, and the one that the last request named. */
export type Model = { members: Member[]; last: Member };
/** Where a history is performed. */
export type Real = { customers: Customers };

/** Returns a new customer as a member. A property that its create lost or changed has the value that the answer shows. */
export function memberOf(customer: TestCustomer): Member {
  const answered = customer.created.customer ?? {};
  const shown = pick(answered, Object.keys(answered).filter(isOwned));
  // What a create loses or changes is its own failure, with its own checks.
  const wrong = compare(customer.state, shown).map(({ property }) => property.split('.')[0] ?? '');
  const right = Object.keys(customer.state).filter((name) => !wrong.includes(name));
  const state = { ...pick(customer.state, right), ...pick(shown, wrong) };
  const writer = new Map(Object.keys(state).map((name) => [name, 0]));
  return { ...customer, state, writer, count: 1, befores: [{}], refused: [], accepted: true, verified: false };
}

/** Applies an accepted update to a member's expected state, and checks that the answer shows it. */
export async function applyUpdate(customers: Customers, member: Member, answer: Answer, sent: Changes): Promise<void> {
  const before = member.state;
  const expected = apply(before, sent);
  member.befores.push(before);
  for (const name of Object.keys(sent)) member.writer.set(name, member.count);
  Object.assign(member, { count: member.count + 1, state: expected, accepted: true, verified: false });
  const shown: State = answer.customer ?? {};
  if (compare(expected, shown, before).length > 0) {
    await verify(customers, member);
    customers.assertShown(answer, expected, before);
  }
  // A merge keeps the keys that were not sent, a replacement drops them: from now on what this one did.
  for (const name of nestedProperties) {
    if (sent[name] && before[name] && shown[name]) {
      const both = { ...(before[name] as JsonObject), ...(sent[name] as JsonObject) };
      const kept = Object.fromEntries(Object.entries(both).filter(([key]) => Object.hasOwn(shown[name] as object, key)));
      member.state = { ...member.state, [name]: kept };
    }
  }
}

/** Takes note of a refused request: nothing of it may be stored. */
export function noteRefused(member: Member, changes: Changes): void {
  member.refused.push({ changes, count: member.count });
  member.verified = false;
}

/** Reads a member and asserts that it is as its own requests made it. */
export async function verify(customers: Customers, member: Member): Promise<void> {
  await assert(customers.stored(member), (difference) => attributeHistory(difference, member)).toMatchCustomer(member.state);
  Object.assign(member, { refused: [], accepted: false, verified: true });
}

/** Reads a member that the last request did not name, and asserts that it is as it was when it was last read. */
export async function verifyBystander(customers: Customers, member: Member): Promise<void> {
  await assert(customers.stored(member), 'UPD-10').toMatchCustomer(member.state);
  Object.assign(member, { refused: [], accepted: false, verified: true });
}
