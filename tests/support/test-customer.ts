import { setTimeout as sleep } from 'node:timers/promises';
import { apply, type Changes, type State } from '../../generators/model.ts';
import type { Customer } from '../../schemas/contract.ts';
import type { Answer } from '../../target/answer.ts';

/** Names an existing customer in a request: by customerId or externalId in the body, or by externalId in the query. */
export type Selector = 'customerId' | 'externalId' | 'query';

/** The three selectors, and how a title names them. */
export const selectors = [
  ['customerId', 'by customerId'],
  ['externalId', 'by externalId in the body'],
  ['query', 'by externalId in the query'],
] as const satisfies readonly (readonly [Selector, string])[];

/** A customer of the run, with the state that its requests gave it. */
export type TestCustomer = {
  customerId: string;
  externalId: string;
  state: State;
  /** The answer that created it. */
  created: Answer;
};

/** Returns the request that names a customer by a selector and has these properties. */
export function naming<Properties extends object>(
  { customerId, externalId }: Pick<TestCustomer, 'customerId' | 'externalId'>,
  by: Selector,
  properties: Properties,
): { body: Properties & { customerId?: string; externalId?: string }; query?: { externalId: string } } {
  if (by === 'query') return { body: properties, query: { externalId } };
  return { body: { ...(by === 'customerId' ? { customerId } : { externalId }), ...properties } };
}

/** Returns these properties of a customer, of those that it has. */
export function pick(state: State, names: readonly string[]): State {
  return Object.fromEntries(names.flatMap((name) => (name in state ? [[name, state[name as keyof Customer]]] : []))) as State;
}

/** Returns the state of a customer after several requests, one after the other. */
export function stateAfter(customer: Pick<TestCustomer, 'state'>, ...requests: Changes[]): State {
  return requests.reduce<State>((state, changes) => apply(state, changes), customer.state);
}

/** Returns a customer as it is after several requests, one after the other. */
export function withChanges(customer: TestCustomer, ...requests: Changes[]): TestCustomer {
  return { ...customer, state: stateAfter(customer, ...requests) };
}

/** Waits until a new timestamp differs from that of the create: a millisecond, or a second if the target counts seconds. */
export async function tick({ created }: TestCustomer): Promise<void> {
  const { createdAt } = created.customer ?? {};
  if (createdAt === undefined) return;
  await sleep(createdAt < 1e11 || createdAt % 1000 === 0 ? 1_100 : 5);
}
