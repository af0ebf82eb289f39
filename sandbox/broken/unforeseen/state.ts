import { type Behaviour, conforming } from '../../behaviour.ts';
import type { JsonObject } from '../../json.ts';

/** What a POST names its customer by: its customerId, the externalId of the query, that of the body. */
export type Selector = 'customerId' | 'query' | 'externalId' | 'none';

/** The first of the selectors that a POST has, which is the one that counts. */
export function selectorOf(query: URLSearchParams, body: JsonObject): Selector {
  if (typeof body.customerId === 'string') return 'customerId';
  if (query.has('externalId')) return 'query';
  return typeof body.externalId === 'string' ? 'externalId' : 'none';
}

/** The conforming server, with other steps for a POST, which may depend on what it names its customer by. */
export function selectedBy(steps: (by: Selector) => Partial<Behaviour> | false): Behaviour {
  return {
    ...conforming,
    upsert: (request, context) => {
      const body = conforming.parseBody(request.body, request.headers);
      const by = selectorOf(conforming.parseQuery(request.query), body);
      return conforming.upsert(request, { ...context, behaviour: { ...conforming, ...steps(by) } });
    },
  };
}
