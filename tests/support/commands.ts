import fc from 'fast-check';
import type { Fault } from '../../generators/faults.ts';
import type { Changes } from '../../generators/model.ts';
import type { Customer, JsonObject } from '../../schemas/contract.ts';
import { assert } from './assert.ts';
import { selectorRequirement } from './attribution.ts';
import type { Customers } from './customers.ts';
import { applyUpdate, type Member, type Model, memberOf, noteRefused, type Real, verify, verifyBystander } from './member.ts';
import { naming, type Selector } from './test-customer.ts';
import { Violation } from './violation.ts';

/** Numbers below this pick the customer of the previous request; as many numbers above pick another one. */
export const SAME = 3;

/** Asserts that each customer of a history is as its requests made it, starting with those that the last request did not name. */
export async function verifyAll(model: Model, { customers }: Real): Promise<void> {
  for (const member of model.members) if (member !== model.last) await verifyBystander(customers, member);
  if (!model.last.verified) await verify(customers, model.last);
}

/** A command of a history, in fast-check's form: the class defines what it does, and the constructor takes its data. */
abstract class HistoryCommand<Data> implements fc.AsyncCommand<Model, Real> {
  protected readonly data: Data;

  constructor(data: Data) {
    this.data = data;
  }

  check(_model: Readonly<Model>): boolean {
    return true;
  }

  abstract run(model: Model, real: Real): Promise<void>;

  toString(): string {
    return `${this.constructor.name}(${fc.stringify(this.data)})`;
  }
}

/** Reads every customer. */
export class Read extends HistoryCommand<Record<string, never>> {
  override async run(model: Model, real: Real): Promise<void> {
    await verifyAll(model, real);
  }
}

/** Creates another customer. */
export class Create extends HistoryCommand<{ by: 'body' | 'query' | 'nothing'; optional: Partial<Customer> }> {
  override async run(model: Model, { customers }: Real): Promise<void> {
    if (!model.last.verified) await verify(customers, model.last);
    const { by, optional } = this.data;
    const body = { ...customers.people.plain(), ...optional };
    const { externalId, ...rest } = body;
    const answer =
      by === 'query'
        ? await customers.upsert('create by the query', { body: rest, query: { externalId } })
        : await customers.create(by === 'body' ? body : rest);
    assert(answer, 'CRE-1').toBeAcceptedOrRefused();
    // A create by the query, or without an externalId, is left open; a plain one is not.
    if (by !== 'body' && answer.refused) return;
    assert(answer, 'CRE-1').toBeAccepted();
    const { customer } = answer;
    if (!customer) return;
    if (model.members.some(({ customerId }) => customerId === customer.customerId)) {
      const line = { expected: 'a new customerId', actual: customer.customerId };
      throw new Violation('CRE-2', 'a new customer has the customerId of another', [line], answer);
    }
    model.last = memberOf(customers.fromCreate(answer, customer.externalId === externalId ? body : rest));
    model.members.push(model.last);
  }
}

/** A command on one of the customers. A shorter history leaves most of its requests with the same one. */
abstract class MemberCommand<Data> extends HistoryCommand<Data & { which: number }> {
  override async run(model: Model, { customers }: Real): Promise<void> {
    const { which } = this.data;
    const { last } = model;
    const member = which < SAME ? last : otherThan(last, model, which - SAME);
    if (member !== last) {
      // What others' requests did to it is seen before its own.
      await verifyBystander(customers, member);
      // From here on what is wrong with the customer of before may be the other's doing.
      if (!last.verified) await verify(customers, last);
    }
    model.last = member;
    await this.request(customers, member, model);
  }

  protected abstract request(customers: Customers, member: Member, model: Model): Promise<void>;
}

/** Sets and removes properties. With `alone` the request has no other properties; a target may refuse that. */
export class Update extends MemberCommand<{ by: Selector; changes: Changes; alone: boolean }> {
  override async request(customers: Customers, member: Member): Promise<void> {
    const { alone } = this.data;
    const by = selectorOf(member, this.data.by);
    // Whether what is not there can be removed is left open, and what the settings demand is not removed.
    const removable = (name: string) => name in member.state && !customers.people.demanded.includes(name);
    const sent = Object.fromEntries(
      Object.entries(this.data.changes).filter(([name, value]) => value !== null || removable(name)),
    ) as Changes;
    let answer = alone ? await customers.upsert(`update ${by}`, naming(member, by, sent)) : await customers.update(member, by, sent);
    assert(answer, 'UPD-1').toBeAcceptedOrRefused();
    if (alone && answer.refused) answer = await customers.update(member, by, sent);
    assert(answer, 'UPD-1').toBeAccepted();
    assert(answer, selectorRequirement[by]).toName(member.customerId);
    await applyUpdate(customers, member, answer, sent);
  }
}

/** Changes the externalId, which a target may refuse or ignore. If it does neither, the customer has the new one. */
export class Rename extends MemberCommand<{ by: 'customerId' | 'query' }> {
  override async request(customers: Customers, member: Member): Promise<void> {
    const by = selectorOf(member, this.data.by);
    const externalId = customers.people.externalId();
    const answer = await customers.update(member, by, { externalId });
    assert(answer, 'UPD-1').toBeAcceptedOrRefused();
    if (!answer.customer) return;
    assert(answer, selectorRequirement[by]).toName(member.customerId);
    const changed = answer.customer.externalId === externalId;
    await applyUpdate(customers, member, answer, changed ? { externalId } : {});
    if (changed) member.externalId = externalId;
  }
}

/** Asks for the externalId of another customer: whatever the answer, the two do not share it. */
export class Take extends MemberCommand<{ whose: number }> {
  override check({ members }: Readonly<Model>): boolean {
    return members.length > 1;
  }

  override async request(customers: Customers, member: Member, model: Model): Promise<void> {
    const { externalId, customerId } = otherThan(member, model, this.data.whose);
    if (externalId === '') return;
    const body = { customerId: member.customerId, externalId };
    const answer = await customers.upsert("request another customer's externalId", { body });
    assert(answer, 'IDY-7').toBeAcceptedOrRefused();
    noteRefused(member, { externalId });
    if (answer.customer && answer.customer.externalId === externalId && answer.customer.customerId !== customerId) {
      const line = { expected: 'another externalId', actual: externalId };
      throw new Violation('IDY-7', 'two customers have the same externalId', [line], answer);
    }
  }
}

/** Sends an update with something wrong in it. */
export class Faulty extends MemberCommand<{ by: Selector; changes: Changes; fault: Fault }> {
  override async request(customers: Customers, member: Member): Promise<void> {
    const { changes, fault } = this.data;
    const by = selectorOf(member, this.data.by);
    const { body, ...query } = naming(member, by, { ...customers.essentials(member.state), ...changes });
    const answer = await customers.send(`update by ${by}, where ${fault.label}`, { ...fault.spoil(body as JsonObject), ...query });
    assert(answer, 'REF-4').toBeAcceptedOrRefused();
    assert(answer, 'REF-4', ` (fault: ${fault.label})`).toBeRefused();
    noteRefused(member, changes);
  }
}

/** A customer without an externalId can only be named by its customerId. */
const selectorOf = ({ externalId }: Member, wanted: Selector): Selector => (externalId === '' ? 'customerId' : wanted);

/** Returns another customer, if there is one. */
function otherThan(member: Member, { members }: Model, which: number): Member {
  const others = members.filter((one) => one !== member);
  return others[which % others.length] ?? member;
}
