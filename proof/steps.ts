import { type Behaviour, conforming } from '../sandbox/behaviour.ts';
import { isObject, type JsonObject } from '../sandbox/json.ts';

/** What a POST names its customer by: its customerId, the externalId of the query, that of the body. */
export type SelectedBy = 'customerId' | 'query' | 'externalId' | 'none';

/** The first of the selectors that a POST has, which is the one that counts. */
export function selectorOf(query: URLSearchParams, body: JsonObject): SelectedBy {
  if (typeof body.customerId === 'string') return 'customerId';
  if (query.has('externalId')) return 'query';
  return typeof body.externalId === 'string' ? 'externalId' : 'none';
}

/** The conforming server, with other steps for a POST, which may depend on what it names its customer by. */
export function selectedBy(steps: (by: SelectedBy) => Partial<Behaviour> | false): Behaviour {
  return {
    ...conforming,
    upsert: (request, context) => {
      const body = conforming.parseBody(request.body, request.headers);
      const by = selectorOf(conforming.parseQuery(request.query), body);
      return conforming.upsert(request, { ...context, behaviour: { ...conforming, ...steps(by) } });
    },
  };
}

/** The object without these properties. */
export function without(object: JsonObject, ...names: string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}

/** The address of a customer; empty if it has none. */
export function addressOf({ address }: JsonObject): JsonObject {
  return isObject(address) ? address : {};
}
