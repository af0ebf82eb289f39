import { setTimeout as pause } from 'node:timers/promises';
import { type Behaviour, type Context, conforming, type Selection } from '../behaviour.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { invalid } from '../refusal.ts';
import type { Store } from '../store.ts';
import type { Broken } from '../variant.ts';

/** The conforming server, with another way to find the customer that a POST names. */
function selecting(select: (query: URLSearchParams, body: JsonObject, context: Context) => Selection): Behaviour {
  return { ...conforming, select };
}

type Match = (asked: string, stored: string) => boolean;

/** The conforming server, except that an id that no customer has is compared loosely with those that there are. */
function matching(selector: 'customerId' | 'externalId' | 'query', matches: Match): Behaviour {
  return selecting((query, body, context) => {
    const id = selector === 'customerId' ? 'customerId' : 'externalId';
    const asked = selector === 'query' ? query.get(id) : body[id];
    const customers = typeof asked === 'string' ? context.store.all(context.merchant.merchantId) : [];
    const exact = customers.some((customer) => customer[id] === asked);
    const found = exact ? undefined : customers.find((customer) => matches(String(asked), String(customer[id] ?? '')))?.[id];
    if (found === undefined) return conforming.select(query, body, context);
    if (selector === 'query') return conforming.select(new URLSearchParams({ externalId: String(found) }), body, context);
    return conforming.select(query, { ...body, [id]: found }, context);
  });
}

/** Compares both ids in the same reduced form. */
function reduced(reduce: (id: string) => string | number): Match {
  return (asked, stored) => reduce(asked) === reduce(stored);
}

/** The conforming server, with another way to decode the externalId of a POST's query. */
function decoding(decode: (encoded: string) => string): Behaviour {
  return {
    ...conforming,
    upsert: (request, context) => {
      const parseQuery = (query: string) => {
        const decoded = conforming.parseQuery(query);
        const encoded = /(?:^|&)externalId=([^&]*)/.exec(query)?.[1];
        if (encoded !== undefined && decoded.getAll('externalId').length === 1) decoded.set('externalId', decode(encoded));
        return decoded;
      };
      return conforming.upsert(request, { ...context, behaviour: { ...conforming, parseQuery } });
    },
  };
}

function decodedTwice(encoded: string): string {
  const once = decodeURIComponent(encoded);
  try {
    return decodeURIComponent(once);
  } catch {
    return once;
  }
}

/** A set for each store, which is each mount. */
function perStore(): (store: Store) => Set<string> {
  const sets = new WeakMap<Store, Set<string>>();
  return (store) => {
    const set = sets.get(store) ?? new Set();
    sets.set(store, set);
    return set;
  };
}

function countryOf({ address }: JsonObject): Json | undefined {
  return isObject(address) ? address.country : undefined;
}

/** Servers that take one customer for another, or for none. */
export const identity: readonly Broken[] = [
  {
    name: 'customer-id-ignored',
    why: 'The customerId is read-only in the model of the body, and is dropped before the lookup.',
    breaks: ['IDY-1', 'UPD-1'],
    behaviour: selecting((query, { customerId: _, ...body }, context) => conforming.select(query, body, context)),
  },
  {
    name: 'both-ids-refused',
    why: 'A body with a customerId and an externalId counts as ambiguous even where they agree.',
    breaks: ['IDY-1', 'IDY-2', 'UPD-1'],
    behaviour: selecting((query, body, context) => {
      if (body.customerId && body.externalId) throw invalid('Send either customerId or externalId');
      return conforming.select(query, body, context);
    }),
  },
  {
    name: 'customer-id-lost-after-query-update',
    why: 'The update by the query deletes the entry of the customerId from the index and does not write it again.',
    breaks: ['IDY-1', 'UPD-9'],
    behaviour: (() => {
      const lostIn = perStore();
      return selecting((query, body, context) => {
        const lost = lostIn(context.store);
        if (lost.has(String(body.customerId))) throw invalid('Could not find Customer using Id', 'customerId');
        const selection = conforming.select(query, body, context);
        if (query.has('externalId') && selection.customer) lost.add(selection.customer.customerId);
        return selection;
      });
    })(),
  },

  {
    name: 'external-id-in-body-inserts',
    why: 'Only the customerId and the query are read as selectors, so that an externalId in the body is inserted again.',
    breaks: ['IDY-2', 'IDY-7'],
    behaviour: {
      ...selecting((query, body, context) =>
        conforming.select(query, query.has('externalId') ? body : { ...body, externalId: null }, context),
      ),
      checkUnique: (properties, before, context) => before && conforming.checkUnique(properties, before, context),
    },
  },
  {
    name: 'digits-taken-for-customer-id',
    why: 'An externalId of digits alone is looked up in the column of the customerId.',
    breaks: ['IDY-2'],
    behaviour: selecting((query, body, context) => {
      const { customerId, externalId } = body;
      if (customerId || query.has('externalId') || !/^\d+$/.test(String(externalId))) return conforming.select(query, body, context);
      return { customer: context.store.byId(context.merchant.merchantId, String(externalId)), externalId: undefined };
    }),
  },
  {
    name: 'external-id-in-body-conflicts',
    why: 'A body without a customerId is always a create, and its externalId is taken.',
    breaks: ['IDY-2', 'UPD-1'],
    behaviour: selecting((query, body, context) =>
      conforming.select(query, query.has('externalId') ? body : { ...body, externalId: null }, context),
    ),
  },

  {
    name: 'query-ignored',
    why: 'The route reads no parameters.',
    breaks: ['IDY-3'],
    behaviour: selecting((_query, body, context) => conforming.select(new URLSearchParams(), body, context)),
  },
  {
    name: 'query-and-body-refused',
    why: 'An externalId in the query and in the body counts as sent twice, even where it is the same.',
    breaks: ['IDY-3', 'IDY-2'],
    behaviour: selecting((query, body, context) => {
      if (query.has('externalId') && body.externalId) throw invalid('externalId was sent twice', 'externalId');
      return conforming.select(query, body, context);
    }),
  },
  {
    name: 'query-remembered-as-unknown',
    why: 'A lookup by the query that found nothing is cached, and the create that follows does not clear it.',
    breaks: ['IDY-3', 'UPD-9'],
    behaviour: (() => {
      const unknownIn = perStore();
      return selecting((query, body, context) => {
        const externalId = query.get('externalId');
        if (!externalId) return conforming.select(query, body, context);
        const unknown = unknownIn(context.store);
        const key = `${context.merchant.merchantId} ${externalId}`;
        const selection = conforming.select(query, body, context);
        if (!selection.customer) unknown.add(key);
        return unknown.has(key) ? { customer: undefined, externalId } : selection;
      });
    })(),
  },

  {
    name: 'customer-id-by-leading-digits',
    why: 'The customerId is read with parseInt, which skips zeros before the number and stops at what follows it.',
    breaks: ['IDY-4', 'UPD-10'],
    behaviour: matching(
      'customerId',
      reduced((id) => Number.parseInt(id, 10)),
    ),
  },
  {
    name: 'customer-id-by-prefix',
    why: 'The customerId is looked up with LIKE and a wildcard at its end.',
    breaks: ['IDY-4', 'UPD-10'],
    behaviour: matching('customerId', (asked, stored) => stored.startsWith(asked)),
  },
  {
    name: 'customer-id-trimmed',
    why: 'All strings of a body are trimmed before anything is looked up.',
    breaks: ['IDY-4', 'UPD-10'],
    behaviour: matching(
      'customerId',
      reduced((id) => id.trim()),
    ),
  },

  {
    name: 'external-id-in-any-case',
    why: "The column of the externalId has the database's default collation, which ignores case.",
    breaks: ['IDY-5', 'UPD-10'],
    behaviour: matching(
      'externalId',
      reduced((id) => id.toLowerCase()),
    ),
  },
  {
    name: 'external-id-padded',
    why: 'The column of the externalId is a CHAR, whose spaces at the end do not count.',
    breaks: ['IDY-5', 'UPD-10'],
    behaviour: matching(
      'externalId',
      reduced((id) => id.replace(/ +$/, '')),
    ),
  },
  {
    name: 'external-id-by-value',
    why: 'An externalId of digits is compared as a number, with and without its leading zeros.',
    breaks: ['IDY-5', 'UPD-10'],
    behaviour: matching(
      'externalId',
      reduced((id) => (/^\d+$/.test(id) ? id.replace(/^0+/, '') : id)),
    ),
  },
  {
    name: 'external-id-with-wildcards',
    why: 'The externalId is compared with LIKE, where an underscore stands for any character.',
    breaks: ['IDY-5', 'UPD-10'],
    behaviour: matching('externalId', (asked, stored) => {
      const wild = [...asked].map((character) => (character === '_' ? '.' : character.replace(/[.*+?^${}()|[\]\\/]/, '\\$&')));
      return new RegExp(`^${wild.join('')}$`, 'su').test(stored);
    }),
  },

  {
    name: 'query-not-decoded',
    why: 'The query is cut out of the URL by hand and compared as it was encoded.',
    breaks: ['IDY-6'],
    behaviour: decoding((encoded) => encoded),
  },
  {
    name: 'query-decoded-twice',
    why: 'The gateway decodes the query, and the service behind it does so again.',
    breaks: ['IDY-6'],
    behaviour: decoding(decodedTwice),
  },
  {
    name: 'query-plus-read-as-space',
    why: 'Plus signs become spaces after the percent-decoding instead of before it.',
    breaks: ['IDY-6'],
    behaviour: decoding((encoded) => decodeURIComponent(encoded).replaceAll('+', ' ')),
  },
  {
    name: 'query-split-after-decoding',
    why: 'The query is decoded as a whole and then split at its ampersands.',
    breaks: ['IDY-6'],
    behaviour: decoding((encoded) => decodeURIComponent(encoded).split('&')[0] ?? ''),
  },
  {
    name: 'query-in-latin-1',
    why: 'The container decodes queries as Latin-1, its default of old.',
    breaks: ['IDY-6'],
    behaviour: decoding((encoded) => Buffer.from(decodeURIComponent(encoded)).toString('latin1')),
  },
  {
    name: 'query-in-any-case',
    why: 'Routes and parameters are put in lower case before they are compared.',
    breaks: ['IDY-6', 'UPD-10'],
    behaviour: matching(
      'query',
      reduced((id) => id.toLowerCase()),
    ),
  },

  {
    name: 'query-by-its-beginning',
    why: 'Where nobody has the externalId of the query, the search goes on with LIKE and a wildcard at its end.',
    breaks: ['IDY-6', 'UPD-10'],
    behaviour: matching('query', (asked, stored) => stored.startsWith(asked)),
  },

  {
    name: 'rename-onto-another',
    why: 'An externalId is checked against the others on create, and no longer on update.',
    breaks: ['IDY-7'],
    behaviour: {
      ...conforming,
      checkUnique: (properties, before, context) => before ?? conforming.checkUnique(properties, before, context),
    },
  },
  {
    name: 'insert-retried',
    why: 'The insert is repeated when its acknowledgement is late, and both rows stay.',
    breaks: ['IDY-7'],
    behaviour: {
      ...conforming,
      save: (properties, before, context) => {
        if (!before) conforming.save(properties, undefined, context);
        return conforming.save(properties, before, context);
      },
    },
  },
  {
    name: 'external-id-unique-by-country',
    why: 'The unique index, and the lookup by it, is on the externalId and the country together.',
    breaks: ['IDY-7', 'IDY-2'],
    behaviour: {
      ...selecting((query, body, context) => {
        const selection = conforming.select(query, body, context);
        const moves = selection.customer && isObject(body.address) && countryOf(body) !== countryOf(selection.customer);
        return moves && !body.customerId ? { ...selection, customer: undefined } : selection;
      }),
      checkUnique: (properties, before, context) => before && conforming.checkUnique(properties, before, context),
    },
  },

  {
    name: 'looked-up-then-inserted',
    why: 'The externalId is looked up, other services are asked, and the customer is inserted without a unique index.',
    breaks: ['IDY-8', 'IDY-7'],
    behaviour: {
      ...conforming,
      upsert: async (request, context) => {
        const body = conforming.parseBody(request.body, request.headers);
        const selection = conforming.select(conforming.parseQuery(request.query), body, context);
        if (selection.customer) return conforming.upsert(request, context);
        await pause(20);
        const steps: Partial<Behaviour> = { select: () => selection, checkUnique: () => undefined };
        return conforming.upsert(request, { ...context, behaviour: { ...conforming, ...steps } });
      },
    },
  },
  {
    name: 'creates-by-query-unguarded',
    why: 'Creates by the body lock their externalId, and creates by the query only look it up first.',
    breaks: ['IDY-8', 'IDY-7'],
    behaviour: {
      ...conforming,
      upsert: async (request, context) => {
        const body = conforming.parseBody(request.body, request.headers);
        const query = conforming.parseQuery(request.query);
        const selection = conforming.select(query, body, context);
        if (selection.customer || !query.has('externalId')) return conforming.upsert(request, context);
        await pause(20);
        const steps: Partial<Behaviour> = { select: () => selection, checkUnique: () => undefined };
        return conforming.upsert(request, { ...context, behaviour: { ...conforming, ...steps } });
      },
    },
  },
];
