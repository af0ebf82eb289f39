import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type Answer, type Behaviour, type Context, conforming, type Selection } from '../../sandbox/behaviour.ts';
import { isObject, type Json, type JsonObject } from '../../sandbox/json.ts';
import { invalid } from '../../sandbox/refusal.ts';
import { type Customer, perStore } from '../../sandbox/store.ts';
import { selectedBy, selectorOf } from '../steps.ts';
import type { BrokenServer } from '../variant.ts';

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

function countryOf({ address }: JsonObject): Json | undefined {
  return isObject(address) ? address.country : undefined;
}

const RETRY_WINDOW = 10_000;

/** Servers that take one customer for another, or for none. */
export const identity: readonly BrokenServer[] = [
  {
    name: 'customer-id-ignored',
    why: 'The customerId is read-only in the model of the body, and is dropped before the lookup.',
    breaks: ['IDY-1', 'UPD-1'],
    behaviour: selecting((query, { customerId: _, ...body }, context) => conforming.select(query, body, context)),
  },
  {
    name: 'both-ids-refused',
    why: 'A body with a customerId and an externalId is treated as ambiguous even if they agree.',
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
      const lostIn = perStore(() => new Set<string>());
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
    why: 'Only the customerId and the query are read as selectors, so an externalId in the body is inserted again.',
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
    why: 'An externalId that consists of digits is looked up in the customerId column.',
    breaks: ['IDY-2'],
    behaviour: selecting((query, body, context) => {
      const { customerId, externalId } = body;
      if (customerId || query.has('externalId') || !/^\d+$/.test(String(externalId))) return conforming.select(query, body, context);
      return { customer: context.store.byId(context.merchant.merchantId, String(externalId)), externalId: undefined };
    }),
  },
  {
    name: 'external-id-in-body-conflicts',
    why: 'A body without a customerId is always a create, which fails because its externalId is taken.',
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
    why: 'An externalId in both the query and the body is treated as sent twice, even if it is the same.',
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
      const unknownIn = perStore(() => new Set<string>());
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
    why: 'The customerId is read with parseInt, which skips leading zeros and stops after the number.',
    breaks: ['IDY-4', 'UPD-10'],
    behaviour: matching(
      'customerId',
      reduced((id) => Number.parseInt(id, 10)),
    ),
  },
  {
    name: 'customer-id-by-prefix',
    why: 'The customerId is looked up with LIKE and a trailing wildcard.',
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
    why: "The externalId column has the database's default collation, which ignores case.",
    breaks: ['IDY-5', 'UPD-10'],
    behaviour: matching(
      'externalId',
      reduced((id) => id.toLowerCase()),
    ),
  },
  {
    name: 'external-id-padded',
    why: 'The externalId column is a CHAR, which ignores trailing spaces.',
    breaks: ['IDY-5', 'UPD-10'],
    behaviour: matching(
      'externalId',
      reduced((id) => id.replace(/ +$/, '')),
    ),
  },
  {
    name: 'external-id-by-value',
    why: 'An externalId that consists of digits is compared as a number, which ignores leading zeros.',
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
    why: 'The query is cut out of the URL by hand and compared without decoding.',
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
    why: 'The container decodes queries as Latin-1, its old default.',
    breaks: ['IDY-6'],
    behaviour: decoding((encoded) => Buffer.from(decodeURIComponent(encoded)).toString('latin1')),
  },
  {
    name: 'query-in-any-case',
    why: 'Routes and parameters are converted to lower case before they are compared.',
    breaks: ['IDY-6', 'UPD-10'],
    behaviour: matching(
      'query',
      reduced((id) => id.toLowerCase()),
    ),
  },

  {
    name: 'query-by-its-beginning',
    why: 'If nobody has the externalId of the query, the search continues with LIKE and a trailing wildcard.',
    breaks: ['IDY-6', 'UPD-10'],
    behaviour: matching('query', (asked, stored) => stored.startsWith(asked)),
  },

  {
    name: 'rename-onto-another',
    why: 'An externalId is checked against the others on create, but not on update.',
    breaks: ['IDY-7'],
    behaviour: {
      ...conforming,
      checkUnique: (properties, before, context) => before ?? conforming.checkUnique(properties, before, context),
    },
  },
  {
    name: 'insert-retried',
    why: 'The insert is repeated when its acknowledgement is late, and both rows remain.',
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
    why: 'The unique index and its lookup use the externalId and the country together.',
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
    why: 'The externalId is looked up, other services are called, and the customer is inserted without a unique index.',
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
  {
    name: 'guest-linked-by-email',
    why: 'A create with a new externalId is treated as the registration of a guest: a customer without an externalId who has the same e-mail.',
    origin: 'held-out',
    breaks: ['CRE-2', 'UPD-10'],
    behaviour: selectedBy(
      (by) =>
        by === 'externalId' && {
          select: (query, body, context) => {
            const { store, merchant } = context;
            const selection = conforming.select(query, body, context);
            const guests = store.all(merchant.merchantId).filter(({ externalId }) => externalId === undefined);
            return { ...selection, customer: selection.customer ?? guests.find(({ email }) => email === body.email) };
          },
        },
    ),
  },
  {
    name: 'customer-id-hashed-from-external-id',
    why: 'The customerId is a hash of the externalId, to make retries safe, and the hash does not include the merchant.',
    origin: 'held-out',
    breaks: ['CRE-2', 'ACC-5'],
    behaviour: {
      ...conforming,
      save: (properties, before, context) => {
        const { store, merchant, now } = context;
        const { merchantId } = merchant;
        const customerId = hashed(properties.externalId);
        // Taken within the account, as after a rename: the sequence steps in.
        const isFree = customerId !== undefined && !store.byId(merchantId, customerId);
        if (before || !isFree) return conforming.save(properties, before, context);
        const time = now();
        return conforming.save(properties, { customerId, merchantId, createdAt: time, updatedAt: time }, context);
      },
    },
  },
  {
    name: 'unique-index-filled-on-insert-only',
    why: 'The table of externalIds is written by a create, but not by an update that changes an externalId.',
    origin: 'held-out',
    breaks: ['IDY-7'],
    behaviour: (() => {
      const guardedIn = perStore(() => new Map<string, Json | undefined>());
      return {
        ...conforming,
        checkUnique: (properties, before, context) => {
          const { store, merchant } = context;
          const owner = store.byExternalId(merchant.merchantId, String(properties.externalId));
          const isGuarded = owner && guardedIn(store).get(owner.customerId) === owner.externalId;
          if (isGuarded) conforming.checkUnique(properties, before, context);
        },
        save: (properties, before, context) => {
          const customer = conforming.save(properties, before, context);
          if (!before) guardedIn(context.store).set(customer.customerId, customer.externalId);
          return customer;
        },
      };
    })(),
  },
  {
    name: 'late-external-id',
    why: 'The check for a taken externalId runs when one is replaced, but not when an update gives a customer its first one.',
    origin: 'held-out',
    breaks: ['IDY-7'],
    behaviour: {
      ...conforming,
      checkUnique: (properties, before, context) => {
        const getsItsFirst = before && before.externalId === undefined;
        if (!getsItsFirst) conforming.checkUnique(properties, before, context);
      },
    },
  },
  {
    name: 'rename-by-query-unchecked',
    why: 'The check for a taken externalId is skipped if the query found the customer, although the body may change the externalId.',
    origin: 'held-out',
    breaks: ['IDY-7'],
    behaviour: selectedBy(
      (by) =>
        by === 'query' && {
          checkUnique: (properties, before, context) => before ?? conforming.checkUnique(properties, before, context),
        },
    ),
  },
  {
    name: 'index-written-on-create-only',
    why: 'The externalId of the body is looked up in an index that no update writes.',
    origin: 'held-out',
    breaks: ['IDY-2', 'UPD-10'],
    behaviour: (() => {
      const indexIn = perStore(() => new Map<string, string>());
      const keyOf = (merchantId: string, externalId: Json | undefined) => `${merchantId} ${externalId}`;
      return {
        ...conforming,
        select: (query, body, context) => {
          const selection = conforming.select(query, body, context);
          if (selectorOf(query, body) !== 'externalId') return selection;
          const { store, merchant } = context;
          const customerId = indexIn(store).get(keyOf(merchant.merchantId, body.externalId));
          return { ...selection, customer: store.byId(merchant.merchantId, customerId ?? '') };
        },
        save: (properties, before, context) => {
          const customer = conforming.save(properties, before, context);
          const { customerId, merchantId, externalId } = customer;
          if (!before && externalId !== undefined) indexIn(context.store).set(keyOf(merchantId, externalId), customerId);
          return customer;
        },
      };
    })(),
  },
  {
    name: 'customer-id-finds-external-id-first',
    why: 'The customerId is looked up with a helper that accepts either id and tries the externalId first.',
    origin: 'held-out',
    breaks: ['IDY-4', 'IDY-1'],
    behaviour: {
      ...conforming,
      select: (query, body, context) => {
        const { store, merchant } = context;
        const customer = query.has('externalId') ? undefined : store.byExternalId(merchant.merchantId, String(body.customerId));
        return customer ? { customer, externalId: undefined } : conforming.select(query, body, context);
      },
    },
  },
  {
    name: 'external-id-given-later-is-not-indexed',
    why: 'A change of the externalId only updates its row in the index, and a customer created without an externalId has no row.',
    origin: 'held-out',
    breaks: ['IDY-2', 'IDY-7'],
    behaviour: (() => {
      const unlistedIn = perStore(() => new Set<string>());
      const isUnlisted = (customer: Customer | undefined, { store }: Context) => unlistedIn(store).has(customer?.customerId ?? '');
      return selectedBy((by) => ({
        select: (query, body, context) => {
          const selection = conforming.select(query, body, context);
          return by === 'externalId' && isUnlisted(selection.customer, context) ? { ...selection, customer: undefined } : selection;
        },
        checkUnique: (properties, before, context) => {
          const owner = context.store.byExternalId(context.merchant.merchantId, String(properties.externalId));
          if (!isUnlisted(owner, context)) conforming.checkUnique(properties, before, context);
        },
        save: (properties, before, context) => {
          const customer = conforming.save(properties, before, context);
          const getsItsFirst = before && before.externalId === undefined && customer.externalId !== undefined;
          if (getsItsFirst) unlistedIn(context.store).add(customer.customerId);
          return customer;
        },
      }));
    })(),
  },
  {
    name: 'refused-miss-stays-cached',
    why: 'A refused create leaves its externalId cached as unused, and the next create does not evict it.',
    origin: 'held-out',
    breaks: ['IDY-2'],
    behaviour: (() => {
      const missedIn = perStore(() => new Set<string>());
      const keyOf = ({ merchant }: Context, { externalId }: JsonObject) => `${merchant.merchantId} ${externalId}`;
      return selectedBy(
        (by) =>
          by === 'externalId' && {
            select: (query, body, context) =>
              missedIn(context.store).has(keyOf(context, body))
                ? { customer: undefined, externalId: undefined }
                : conforming.select(query, body, context),
            validate: (body, selection, context) => {
              try {
                return conforming.validate(body, selection, context);
              } catch (error) {
                if (!selection.customer) missedIn(context.store).add(keyOf(context, body));
                throw error;
              }
            },
          },
      );
    })(),
  },
  {
    name: 'query-finds-either-id',
    why: 'The query is looked up with a helper that tries the text as a customerId if no externalId matches.',
    origin: 'held-out',
    breaks: ['IDY-6', 'IDY-3'],
    behaviour: {
      ...conforming,
      select: (query, body, context) => {
        const selection = conforming.select(query, body, context);
        const { store, merchant } = context;
        return { ...selection, customer: selection.customer ?? store.byId(merchant.merchantId, selection.externalId ?? '') };
      },
    },
  },
  {
    name: 'query-kept-encoded',
    why: 'A create by the query indexes the externalId as it was encoded in the URL, so an externalId in a body does not find it.',
    origin: 'held-out',
    breaks: ['IDY-7', 'IDY-6'],
    behaviour: (() => {
      const indexIn = perStore(() => new Map<string, string>());
      return {
        ...conforming,
        upsert: (request, context) => {
          const { store, merchant } = context;
          const index = indexIn(store);
          const encoded = /(?:^|&)externalId=([^&]+)/.exec(request.query)?.[1];
          const key = `${merchant.merchantId} ${encoded}`;
          const isHidden = (customer: Customer | undefined) => [...index.values()].includes(customer?.customerId ?? '');
          const steps: Partial<typeof conforming> = {
            select: (query, body) => {
              const selection = conforming.select(query, body, context);
              if (typeof body.customerId === 'string') return selection;
              const found = isHidden(selection.customer) ? undefined : selection.customer;
              return { ...selection, customer: store.byId(merchant.merchantId, index.get(key) ?? '') ?? found };
            },
            checkUnique: (properties, before) => {
              const owner = store.byExternalId(merchant.merchantId, String(properties.externalId));
              if (!isHidden(owner)) conforming.checkUnique(properties, before, context);
            },
            save: (properties, before) => {
              const customer = conforming.save(properties, before, context);
              if (!before && encoded !== undefined && encoded !== customer.externalId) index.set(key, customer.customerId);
              return customer;
            },
          };
          return conforming.upsert(request, { ...context, behaviour: { ...conforming, ...steps } });
        },
      };
    })(),
  },
  {
    name: 'query-values-coerced',
    why: 'The query parser reads digits as a number, which loses leading zeros and the digits that a double cannot hold.',
    origin: 'held-out',
    breaks: ['IDY-3', 'IDY-6', 'UPD-1'],
    behaviour: {
      ...conforming,
      parseQuery: (query) => {
        const coerced = new URLSearchParams();
        for (const [name, value] of conforming.parseQuery(query)) coerced.append(name, /^\d+$/.test(value) ? String(Number(value)) : value);
        return coerced;
      },
    },
  },
  {
    name: 'retry-guard-ignores-query',
    why: 'A repeated update is recognised by its merchant and content only, so the same change to another customer named in the query is not made.',
    origin: 'held-out',
    breaks: ['IDY-3', 'UPD-2'],
    behaviour: (() => {
      const answeredIn = perStore(() => new Map<string, { answer: Answer; at: number; customerId: string }>());
      return {
        ...conforming,
        upsert: async (request, context) => {
          const { store, merchant, now } = context;
          const key = createHash('sha256').update(`${merchant.merchantId}\n`).update(request.body).digest('hex');
          const answered = answeredIn(store);
          const earlier = answered.get(key);
          if (earlier && now() - earlier.at < RETRY_WINDOW) return earlier.answer;
          const updated: string[] = [];
          const save: typeof conforming.save = (properties, before) => {
            const customer = conforming.save(properties, before, context);
            // What was answered about this customer is out of date now.
            for (const [other, { customerId }] of answered) if (customerId === customer.customerId) answered.delete(other);
            if (before) updated.push(before.customerId);
            return customer;
          };
          const answer = await conforming.upsert(request, { ...context, behaviour: { ...conforming, save } });
          for (const customerId of updated) answered.set(key, { answer, at: now(), customerId });
          return answer;
        },
      };
    })(),
  },
];

/** A customerId that looks like any other. */
function hashed(externalId: Json | undefined): string | undefined {
  if (typeof externalId !== 'string') return undefined;
  const digits = createHash('sha256').update(externalId).digest().readBigUInt64BE() % 10n ** 10n;
  return `10${String(digits).padStart(10, '0')}`;
}
