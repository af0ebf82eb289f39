import type { Behaviour, Context } from '../../sandbox/behaviour.ts';
import { isObject, type Json, type JsonObject } from '../../sandbox/json.ts';
import { invalid, notFound } from '../../sandbox/refusal.ts';
import { perStore, type Store } from '../../sandbox/store.ts';
import { without } from '../steps.ts';
import { born, checking, DEEP, reading, refusing } from './change.ts';
import type { Latitude } from './latitude.ts';

/** Ways to name a customer. */
export const selector = [
  {
    name: 'unknown-customer-id-created-afresh',
    why: 'An unknown customerId is ignored.',
    limits: ['IDY-1', 'IDY-4', 'REF-7', 'REF-8'],
    steps: (base) => ({
      select(query, body, context) {
        const { customerId, ...others } = body;
        const isUnknown = typeof customerId === 'string' && !context.store.byId(context.merchant.merchantId, customerId);
        return base.select(query, isUnknown ? others : body, context);
      },
    }),
  },
  {
    name: 'unknown-customer-id-created-with-it',
    why: 'An unknown customerId becomes the id of the new customer.',
    limits: ['IDY-4', 'CRE-2', 'REF-7', 'REF-8'],
    steps: (base) => {
      const givenOf = perStore(() => new Set<string>());
      const free = (id: Json | undefined, { store }: Context) =>
        typeof id === 'string' && /^[\w-]{1,64}$/.test(id) && !givenOf(store).has(id);
      const next = (store: Store): string => {
        const id = store.nextId();
        return givenOf(store).has(id) ? next(store) : id;
      };
      return {
        select: (query, body, context) => base.select(query, free(body.customerId, context) ? without(body, 'customerId') : body, context),
        validate(body, selection, context) {
          const changes = base.validate(body, selection, context);
          return !selection.customer && typeof body.customerId === 'string' ? { ...changes, customerId: body.customerId } : changes;
        },
        save(properties, before, context) {
          const id = typeof properties.customerId === 'string' ? properties.customerId : next(context.store);
          givenOf(context.store).add(id);
          return base.save(properties, before ?? born(id, context), context);
        },
      };
    },
  },
  {
    name: 'unknown-customer-id-answered-404',
    why: 'An unknown customerId is answered with 404.',
    limits: ['IDY-1', 'IDY-4'],
    steps: (base) => refusing(base, (answer, { details }) => (details.location === 'customerId' ? { ...answer, status: 404 } : answer)),
  },
  {
    name: 'unknown-external-id-in-query-passed-over',
    why: 'The query only finds customers: a new customer gets its externalId from the body.',
    limits: ['IDY-3', 'CRE-4'],
    steps: (base) => ({
      select(query, body, context) {
        const { externalId } = base.select(query, without(body, 'externalId'), context);
        const found = externalId !== undefined && context.store.byExternalId(context.merchant.merchantId, externalId);
        return externalId === undefined || found ? base.select(query, body, context) : { customer: undefined, externalId: undefined };
      },
    }),
  },
  {
    name: 'unknown-external-id-in-query-refused',
    why: 'A query that finds no customer is an error.',
    limits: ['IDY-3'],
    steps: (base) => ({
      select(query, body, context) {
        const selection = base.select(query, body, context);
        if (!selection.customer && selection.externalId !== undefined)
          throw notFound('Could not find Customer using the externalId of the query');
        return selection;
      },
    }),
  },
  {
    name: 'customer-id-wins',
    why: 'If selectors disagree, the customerId wins.',
    limits: ['UPD-10', 'IDY-2'],
    steps: (base) => ({
      select(query, body, context) {
        const { customerId } = body;
        const customer = typeof customerId === 'string' ? context.store.byId(context.merchant.merchantId, customerId) : undefined;
        return customer ? { customer, externalId: undefined } : base.select(query, body, context);
      },
    }),
  },
  {
    name: 'external-id-wins',
    why: 'If selectors disagree, the externalId wins, the one in the query first.',
    limits: ['UPD-10', 'IDY-1'],
    steps: (base) => ({
      select(query, body, context) {
        const [externalId = body.externalId, ...more] = query.getAll('externalId');
        const found =
          typeof externalId === 'string' && more.length === 0 && context.store.byExternalId(context.merchant.merchantId, externalId);
        return found ? { customer: found, externalId: undefined } : base.select(query, body, context);
      },
    }),
  },
  {
    name: 'external-id-change-refused',
    why: 'The externalId of a customer never changes.',
    limits: ['UPD-2'],
    steps: (base) =>
      checking(base, ({ externalId }, { customer }) => {
        const before = customer?.externalId;
        if (before !== undefined && externalId !== undefined && externalId !== before)
          throw invalid('Invalid externalId: must not change', 'externalId');
      }),
  },
  {
    name: 'external-id-change-ignored',
    why: 'A new externalId for a customer that has one is ignored, null included.',
    limits: ['UPD-2', 'NULL-1'],
    steps: (base) =>
      reading(base, (body, { customer }) =>
        customer?.externalId !== undefined && (body.externalId === null || typeof body.externalId === 'string')
          ? without(body, 'externalId')
          : body,
      ),
  },
  {
    name: 'external-id-removable',
    why: 'An externalId set to null is removed like any other property.',
    limits: ['UPD-2', 'NULL-1'],
    steps: (base) => ({
      validate(body, selection, context) {
        if (body.externalId !== null || !selection.customer) return base.validate(body, selection, context);
        return { ...base.validate(without(body, 'externalId'), selection, context), externalId: null };
      },
    }),
  },
  {
    name: 'first-query-parameter-counts',
    why: 'The framework reads the first of repeated query parameters.',
    limits: ['IDY-3'],
    steps: (base) => ({ parseQuery: (query) => new URLSearchParams(Object.fromEntries([...base.parseQuery(query)].reverse())) }),
  },
  {
    name: 'last-query-parameter-counts',
    why: 'The framework reads the last of repeated query parameters.',
    limits: ['IDY-3'],
    steps: (base) => ({ parseQuery: (query) => new URLSearchParams(Object.fromEntries(base.parseQuery(query))) }),
  },
  {
    name: 'empty-query-parameter-ignored',
    why: 'An empty query parameter is treated as one that was not sent.',
    limits: ['IDY-3'],
    steps: (base) => ({ parseQuery: (query) => new URLSearchParams([...base.parseQuery(query)].filter(([, value]) => value !== '')) }),
  },
  {
    name: 'unknown-query-parameter-refused',
    why: 'An undocumented query parameter is an error.',
    limits: ['IDY-3'],
    steps: (base) => ({
      parseQuery(query) {
        const parameters = base.parseQuery(query);
        const unknown = [...parameters.keys()].some((name) => name !== 'externalId' && name !== 'customerId');
        if (unknown) throw invalid('Invalid query: unknown parameter');
        return parameters;
      },
    }),
  },
  {
    name: 'plus-in-query-literal',
    why: 'A plus sign in the query is read literally.',
    limits: ['IDY-6'],
    steps: (base) => ({ parseQuery: (query) => base.parseQuery(query.replaceAll('+', '%2B')) }),
  },
  {
    name: 'first-repeated-name-counts',
    why: 'The JSON parser keeps the first of repeated names in an object.',
    limits: ['CRE-3', 'UPD-2'],
    steps: (base) => repeating(base, false),
  },
  {
    name: 'repeated-names-refused',
    why: 'The JSON parser refuses an object in which a name is repeated.',
    limits: ['CRE-3', 'UPD-2'],
    steps: (base) => repeating(base, true),
  },
] as const satisfies readonly Latitude[];

/** Reads repeated names of a JSON object: the first of them counts, or `refuse`. */
function repeating(base: Behaviour, refuse: boolean): Partial<Behaviour> {
  let count = 0;
  const numbered = (text: string) =>
    text.replace(/("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?/g, (token, name: string, colon?: string) => {
      count += 1;
      return colon ? `"${count} ${name.slice(1)}${colon}` : token;
    });
  const first = (value: Json, depth = 0): Json => {
    if (depth > DEEP) throw invalid('Invalid body: nested too deep');
    if (Array.isArray(value)) return value.map((item) => first(item, depth + 1));
    if (!isObject(value)) return value;
    const unique = new Map<string, Json>();
    for (const [name, inner] of Object.entries(value)) {
      const sent = name.replace(/^\d+ /, '');
      if (refuse && unique.has(sent)) throw invalid('Invalid body: a name stands in it twice');
      if (!unique.has(sent)) unique.set(sent, first(inner, depth + 1));
    }
    return Object.fromEntries(unique);
  };
  return {
    parseBody(body, headers) {
      base.parseBody(body, headers);
      return first(JSON.parse(numbered(body.toString()))) as JsonObject;
    },
  };
}
