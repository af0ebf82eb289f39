import type { Json, JsonObject } from './json.ts';

/** A customer as it is kept: the properties that the merchant sent and those that the server gives. */
export interface Customer extends JsonObject {
  customerId: string;
  merchantId: string;
  /** Milliseconds since 1970. */
  createdAt: number;
  /** Milliseconds since 1970. */
  updatedAt: number;
}

interface Records {
  customers: Map<string, Customer>;
  customerIds: Map<string, string>;
}

/** The customers of every merchant, in memory. A customer is never changed in place: `put` replaces it. */
export class Store {
  #records = new Map<string, Records>();
  #lastId = 1002580962;

  /** A `customerId` that no customer of any merchant has had. */
  nextId(): string {
    this.#lastId += 1;
    return String(this.#lastId);
  }

  /** The merchant's customer with exactly this `customerId`. */
  byId(merchantId: string, customerId: string): Customer | undefined {
    return this.#of(merchantId).customers.get(customerId);
  }

  /** The merchant's customer with exactly this `externalId`. */
  byExternalId(merchantId: string, externalId: string): Customer | undefined {
    const { customers, customerIds } = this.#of(merchantId);
    const customerId = customerIds.get(externalId);
    return customerId === undefined ? undefined : customers.get(customerId);
  }

  /** All customers of the merchant, the oldest first. */
  all(merchantId: string): Customer[] {
    return [...this.#of(merchantId).customers.values()];
  }

  /** Keeps the customer in the place of the one with its `customerId`. */
  put(customer: Customer): void {
    const { customers, customerIds } = this.#of(customer.merchantId);
    const { customerId } = customer;
    const before: Json | undefined = customers.get(customerId)?.externalId;
    if (typeof before === 'string' && customerIds.get(before) === customerId) customerIds.delete(before);
    if (typeof customer.externalId === 'string') customerIds.set(customer.externalId, customerId);
    customers.set(customerId, customer);
  }

  #of(merchantId: string): Records {
    let records = this.#records.get(merchantId);
    if (!records) {
      records = { customers: new Map(), customerIds: new Map() };
      this.#records.set(merchantId, records);
    }
    return records;
  }
}

/** What a behaviour remembers: apart for each store, as servers that share the behaviour share nothing else. */
export function perStore<State>(make: () => State): (store: Store) => State {
  const states = new WeakMap<Store, { state: State }>();
  return (store) => {
    const held = states.get(store) ?? { state: make() };
    states.set(store, held);
    return held.state;
  };
}
