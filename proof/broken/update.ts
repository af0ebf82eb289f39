import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Answer, type Behaviour, type Context, conforming } from '../../sandbox/behaviour.ts';
import { isObject, type Json, type JsonObject } from '../../sandbox/json.ts';
import { conflict, invalid } from '../../sandbox/refusal.ts';
import { REQUIRED } from '../../sandbox/schema.ts';
import { type Customer, perStore, Store } from '../../sandbox/store.ts';
import { addressOf, selectedBy, selectorOf, without } from '../steps.ts';
import type { BrokenServer } from '../variant.ts';

/** The conforming server, with the outcome of an update changed before it is stored, or the update refused. */
function updating(change: (after: JsonObject, before: Customer, changes: JsonObject, context: Context) => JsonObject): Behaviour {
  return {
    ...conforming,
    apply: (before, changes, context) => {
      const after = conforming.apply(before, changes, context);
      return before ? change(after, before, changes, context) : after;
    },
  };
}

/** The conforming server, except that an update writes only some of the properties sent, in place of the old ones. */
function writing(written: (value: Json, old: Json | undefined, name: string) => boolean): Behaviour {
  return updating((_after, before, changes, context) => {
    const kept = Object.entries(changes).filter(([name, value]) => written(value, before[name], name));
    return conforming.apply(before, Object.fromEntries(kept), context);
  });
}

/** The conforming server, with other times stored by an update. */
function stamping(change: (after: Customer, before: Customer) => Partial<Pick<Customer, 'createdAt' | 'updatedAt'>>): Behaviour {
  return {
    ...conforming,
    save: (properties, before, context) => {
      const saved = conforming.save(properties, before, context);
      if (!before) return saved;
      const customer: Customer = { ...saved, ...change(saved, before) };
      context.store.put(customer);
      return customer;
    },
  };
}

/** The conforming server, with steps of another one for the requests that carry an externalId in the query. */
function queried(steps: Partial<Behaviour>): Behaviour {
  return {
    ...conforming,
    upsert: (request, context) => {
      const behaviour = request.query.includes('externalId=') ? { ...conforming, ...steps } : conforming;
      return conforming.upsert(request, { ...context, behaviour });
    },
  };
}

/** The conforming server, with more to do after a customer was stored, on others of the same merchant. */
function spreading(spread: (customer: Customer, before: Customer | undefined, others: Customer[]) => Customer[]): Behaviour {
  return {
    ...conforming,
    save: (properties, before, context) => {
      const { store, merchant } = context;
      const customer = conforming.save(properties, before, context);
      const others = store.all(merchant.merchantId).filter(({ customerId }) => customerId !== customer.customerId);
      for (const other of spread(customer, before, others)) store.put(other);
      return customer;
    },
  };
}

function isUnchanged(after: JsonObject, before: Customer): boolean {
  return isDeepStrictEqual(without(after, 'updatedAt'), without(before, 'updatedAt'));
}

function folded(value: Json | undefined): Json | undefined {
  return typeof value === 'string' ? value.toLowerCase() : value;
}

const DAY = 24 * 60 * 60 * 1000;

const MINUTE = 60_000;

/** Servers that update a customer wrongly. */
export const update: readonly BrokenServer[] = [
  {
    name: 'own-external-id-refused',
    why: 'The check for a taken externalId does not exclude the customer that is updated by its customerId.',
    breaks: ['UPD-1', 'IDY-1'],
    behaviour: {
      ...conforming,
      validate: (body, selection, context) => {
        if (typeof body.customerId === 'string' && body.externalId === selection.customer?.externalId) throw conflict();
        return conforming.validate(body, selection, context);
      },
    },
  },
  {
    name: 'unchanged-update-refused',
    why: 'An update that affects no row is treated as one that found no customer.',
    breaks: ['UPD-1', 'UPD-8'],
    behaviour: updating((after, before) => {
      if (isUnchanged(after, before)) throw invalid('No Customer was updated');
      return after;
    }),
  },
  {
    name: 'fourth-update-refused',
    why: 'The version for optimistic locking is stored in two bits.',
    breaks: ['UPD-1', 'UPD-9'],
    behaviour: updating((after, { version }) => {
      if (version === 3) throw conflict();
      return { ...after, version: Number(version ?? 0) + 1 };
    }),
  },
  {
    name: 'row-replaced-by-query-update',
    why: 'The update by the query inserts a new row under a new id and leaves the old row in place.',
    breaks: ['UPD-1', 'UPD-5', 'IDY-7'],
    behaviour: queried({
      save: (properties, _before, context) => conforming.save(properties, undefined, context),
    }),
  },

  {
    name: 'name-never-updated',
    why: 'The name column is marked as not updatable in the mapping.',
    breaks: ['UPD-2'],
    behaviour: writing((_value, _old, name) => name !== 'name'),
  },
  {
    name: 'change-of-case-not-written',
    why: 'The check for dirty columns compares by the collation of the database, which ignores case.',
    breaks: ['UPD-2'],
    behaviour: writing((value, old) => value === null || folded(value) !== folded(old)),
  },
  {
    name: 'one-change-per-update',
    why: 'The loop over the changed columns returns after the first.',
    breaks: ['UPD-2', 'UPD-3', 'NULL-2'],
    behaviour: updating((_after, before, changes, context) => {
      const first = Object.entries(changes).find(([name, value]) => !isDeepStrictEqual(value, before[name] ?? null));
      return conforming.apply(before, first ? Object.fromEntries([first]) : {}, context);
    }),
  },
  {
    name: 'address-compared-by-street',
    why: 'An address with the same first line and postal code is treated as unchanged and is not written.',
    breaks: ['UPD-2'],
    behaviour: updating((after, before) => {
      const [now, then] = [addressOf(after), addressOf(before)];
      return now.address1 === then.address1 && now.zip === then.zip ? { ...after, address: then } : after;
    }),
  },
  {
    name: 'numeric-change-not-written',
    why: 'Texts that look like numbers are compared as numbers, so 10.0 never becomes 10.00, and 1 never becomes 01.',
    breaks: ['UPD-2'],
    behaviour: writing((value, old) => typeof value !== 'string' || !/^[\d.]+$/.test(value) || Number(value) !== Number(old)),
  },

  {
    name: 'absent-never-added',
    why: 'The update sets only the columns that already have a value.',
    breaks: ['UPD-3', 'NULL-4'],
    behaviour: writing((_value, old) => old !== undefined),
  },
  {
    name: 'address-line-never-added',
    why: 'Addresses are updated member by member, and members that did not exist are skipped.',
    breaks: ['UPD-3', 'UPD-2'],
    behaviour: updating((after, before) => {
      const members = Object.entries(addressOf(after)).filter(([name]) => name in addressOf(before));
      return { ...after, address: { ...addressOf(before), ...Object.fromEntries(members) } };
    }),
  },

  {
    name: 'omitted-properties-cleared',
    why: 'The update is a replacement: optional properties that are not sent are lost.',
    breaks: ['UPD-4', 'NULL-5'],
    behaviour: updating((after, _before, changes) => {
      const kept = [...REQUIRED, 'externalId'];
      return Object.fromEntries(Object.entries(after).filter(([name]) => kept.includes(name) || name in changes));
    }),
  },
  {
    name: 'currency-follows-address',
    why: 'Whenever an address is written, the currency of its country is written too.',
    breaks: ['UPD-4', 'NULL-3'],
    behaviour: updating((after, _before, changes) => {
      if (!changes.address || changes.currency !== undefined) return after;
      return { ...after, currency: addressOf(after).country === 'CA' ? 'CAD' : 'USD' };
    }),
  },
  {
    name: 'custom-data-lost-by-query-update',
    why: 'The update by the query loads the customer without its custom data and saves it that way.',
    breaks: ['UPD-4'],
    behaviour: queried({
      apply: (before, changes, context) => conforming.apply(before && (without(before, 'customData') as Customer), changes, context),
    }),
  },
  {
    name: 'tier-lost-with-vip',
    why: 'When the vip level is removed, a trigger clears the tier as well.',
    breaks: ['UPD-4', 'NULL-5'],
    behaviour: updating((after, _before, changes) =>
      changes.vip === null && changes.externalTier === undefined ? without(after, 'externalTier') : after,
    ),
  },

  {
    name: 'created-at-touched',
    why: 'The column is a TIMESTAMP with ON UPDATE, the default for the first one of a table.',
    breaks: ['UPD-5'],
    behaviour: stamping(({ updatedAt }) => ({ createdAt: updatedAt })),
  },
  {
    name: 'created-at-shifted-by-query-update',
    why: 'The update by the query reads the time of creation as local time, an hour off, and writes it back.',
    breaks: ['UPD-5', 'VAL-3', 'UPD-8'],
    behaviour: queried(stamping((_after, { createdAt }) => ({ createdAt: createdAt - DAY / 24 }))),
  },

  {
    name: 'updated-at-cut-to-the-day',
    why: 'The update writes its date and no time of day.',
    breaks: ['UPD-6', 'VAL-4'],
    behaviour: stamping(({ updatedAt }) => ({ updatedAt: updatedAt - (updatedAt % DAY) })),
  },
  {
    name: 'updated-at-reset-when-unchanged',
    why: 'If an update changes nothing, the time of creation is written as the time of the last change.',
    breaks: ['UPD-6'],
    behaviour: stamping((after, before) => ({ updatedAt: isUnchanged(after, before) ? after.createdAt : after.updatedAt })),
  },
  {
    name: 'removal-dated-by-a-slow-clock',
    why: 'Removals are written by a node whose clock is ten minutes behind.',
    breaks: ['UPD-6', 'VAL-4'],
    behaviour: stamping((after, before) => {
      const removes = Object.keys(before).some((name) => !(name in after));
      return { updatedAt: after.updatedAt - (removes ? 10 * 60_000 : 0) };
    }),
  },

  {
    name: 'query-update-not-committed',
    why: 'The handler of updates by the query answers from a transaction that it never commits.',
    breaks: ['UPD-7', 'UPD-9', 'IDY-3'],
    behaviour: queried({
      save: (properties, before, context) => conforming.save(properties, before, before ? { ...context, store: new Store() } : context),
    }),
  },
  {
    name: 'custom-data-change-not-committed',
    why: 'Changed custom data is marked dirty by reference, and the merged object is the same one.',
    breaks: ['UPD-7'],
    behaviour: {
      ...conforming,
      save: (properties, before, context) => {
        const customer = conforming.save(properties, before, context);
        if (before?.customData && customer.customData) context.store.put({ ...customer, customData: before.customData });
        return customer;
      },
    },
  },
  {
    name: 'read-cache-never-cleared',
    why: 'Reading a customer fills a cache that updates do not clear.',
    breaks: ['UPD-7', 'ANS-6'],
    behaviour: (() => {
      const cacheOf = perStore(() => new Map<string, Customer>());
      return {
        ...conforming,
        readOne: (customerId, context) => {
          const { store, merchant } = context;
          const cache = cacheOf(store);
          const customer = store.byId(merchant.merchantId, customerId);
          const cached = customer && (cache.get(customerId) ?? customer);
          if (cached) cache.set(customerId, cached);
          const present = () => cached ?? {};
          return conforming.readOne(customerId, { ...context, behaviour: { ...conforming, present } });
        },
      };
    })(),
  },

  {
    name: 'lists-appended',
    why: 'The merge of custom data appends new lists to the existing ones.',
    breaks: ['UPD-8'],
    behaviour: updating((after, before, { customData }) => {
      const old = before.customData;
      if (!isObject(customData) || !isObject(old)) return after;
      const merged = Object.entries(customData).map(([name, value]) => {
        const list = old[name];
        return [name, Array.isArray(value) && Array.isArray(list) ? [...list, ...value] : value];
      });
      return { ...after, customData: Object.fromEntries(merged) };
    }),
  },
  {
    name: 'ampersand-escaped-by-update',
    why: 'An update escapes all columns for HTML, including those loaded from the table.',
    breaks: ['UPD-8', 'UPD-2', 'UPD-4', 'VAL-5'],
    behaviour: updating((after) =>
      Object.fromEntries(
        Object.entries(after).map(([name, value]) => [name, typeof value === 'string' ? value.replaceAll('&', '&amp;') : value]),
      ),
    ),
  },
  {
    name: 'repeated-tier-toggled',
    why: 'The externalTier is handled as a switch: sending the same value again turns it off.',
    breaks: ['UPD-8', 'UPD-2'],
    behaviour: updating((after, before, { externalTier }) =>
      externalTier !== undefined && externalTier === before.externalTier ? without(after, 'externalTier') : after,
    ),
  },

  {
    name: 'repeated-request-skipped',
    why: 'An update with the same content as an earlier one is treated as a duplicate and is not applied.',
    breaks: ['UPD-9', 'UPD-2'],
    behaviour: (() => {
      const seenIn = perStore(() => new Map<string, true>());
      return updating((after, before, changes, { store }) => {
        const seen = seenIn(store);
        const key = `${before.customerId} ${JSON.stringify(changes)}`;
        if (seen.has(key)) return before;
        seen.set(key, true);
        return after;
      });
    })(),
  },
  {
    name: 'query-updates-an-old-copy',
    why: 'The handler of updates by the query keeps the customers that it wrote in a cache of its own and starts from there.',
    breaks: ['UPD-9', 'UPD-4', 'UPD-7'],
    behaviour: (() => {
      const copiesIn = perStore(() => new Map<string, Customer>());
      return queried({
        apply: (before, changes, context) =>
          conforming.apply(before && (copiesIn(context.store).get(before.customerId) ?? before), changes, context),
        save: (properties, before, context) => {
          const customer = conforming.save(properties, before, context);
          copiesIn(context.store).set(customer.customerId, customer);
          return customer;
        },
      });
    })(),
  },
  {
    name: 'third-update-from-the-first',
    why: 'Reads rotate over three replicas, one of which has seen no update since the first.',
    breaks: ['UPD-9', 'UPD-4', 'UPD-7', 'NULL-3'],
    behaviour: (() => {
      const firstsIn = perStore(() => new Map<string, { first: Customer; updates: number }>());
      return updating((after, before, changes, context) => {
        const firsts = firstsIn(context.store);
        const { first, updates } = firsts.get(before.customerId) ?? { first: before, updates: 0 };
        firsts.set(before.customerId, { first, updates: updates + 1 });
        return updates % 3 === 2 ? conforming.apply(first, changes, context) : after;
      });
    })(),
  },

  {
    name: 'namesakes-updated-too',
    why: 'The phone is written with the name in the WHERE clause instead of the id.',
    breaks: ['UPD-10'],
    behaviour: spreading((customer, before, others) =>
      before ? others.filter(({ name }) => name === before.name).map((other) => ({ ...other, phone: customer.phone ?? '' })) : [],
    ),
  },
  {
    name: 'create-writes-the-one-before',
    why: 'The custom data of a create is written to the last id, read before the insert, and then once more to the right one.',
    breaks: ['UPD-10'],
    behaviour: spreading(({ customData }, before, others) => {
      const latest = others.at(-1);
      return !before && latest && customData !== undefined ? [{ ...latest, customData }] : [];
    }),
  },
  {
    name: 'value-removed-everywhere',
    why: 'Removing an externalTier deletes it from the table of tiers, and so from every customer that has it.',
    breaks: ['UPD-10'],
    behaviour: spreading((customer, before, others) => {
      const tier = before?.externalTier;
      if (tier === undefined || customer.externalTier !== undefined) return [];
      return others.filter(({ externalTier }) => externalTier === tier).map(({ externalTier: _, ...other }) => other as Customer);
    }),
  },

  {
    name: 'whole-row-written-late',
    why: 'The row is read, other services are called, and then the whole row is written back without a lock.',
    breaks: ['UPD-11'],
    behaviour: {
      ...conforming,
      upsert: async (request, context) => {
        const body = conforming.parseBody(request.body, request.headers);
        const selection = conforming.select(conforming.parseQuery(request.query), body, context);
        if (!selection.customer) return conforming.upsert(request, context);
        await pause(20);
        return conforming.upsert(request, { ...context, behaviour: { ...conforming, select: () => selection } });
      },
    },
  },
  {
    name: 'columns-written-one-by-one',
    why: 'Each property of an update is written by a statement of its own, without a transaction around them.',
    breaks: ['UPD-11'],
    behaviour: (() => {
      let turn = 0;
      return {
        ...conforming,
        // The first column of the fastest update is the last one of the slowest.
        upsert: async (request, context) => {
          const body = conforming.parseBody(request.body, request.headers);
          const selection = conforming.select(conforming.parseQuery(request.query), body, context);
          const { customer } = selection;
          if (!customer) return conforming.upsert(request, context);
          const changes = conforming.validate(body, selection, context);
          conforming.checkUnique(conforming.apply(customer, changes, context), customer, context);
          const current = () => context.store.byId(customer.merchantId, customer.customerId) ?? customer;
          turn = (turn + 1) % 4;
          const [early, late] = [turn, 3 - turn];
          const write = async ([name, value]: [string, Json], index: number) => {
            await pause(30 * (index % 2 ? late : early));
            conforming.save(conforming.apply(current(), { [name]: value }, context), current(), context);
          };
          await Promise.all(Object.entries(changes).map(write));
          return conforming.answer({ customer: conforming.present(current(), context) }, context);
        },
      };
    })(),
  },
  {
    name: 'lock-for-each-selector',
    why: 'Updates are locked by the text of the selector, and two selectors of one customer are two locks.',
    breaks: ['UPD-11'],
    behaviour: (() => {
      const lastIn = perStore(() => new Map<string, Promise<unknown>>());
      return {
        ...conforming,
        upsert: async (request, context) => {
          const body = conforming.parseBody(request.body, request.headers);
          const query = conforming.parseQuery(request.query);
          const find = () => conforming.select(query, body, context);
          if (!find().customer) return conforming.upsert(request, context);
          const last = lastIn(context.store);
          const key = JSON.stringify([context.merchant.merchantId, body.customerId ?? query.get('externalId') ?? body.externalId ?? null]);
          const turn = (async () => {
            await last.get(key)?.catch(() => undefined);
            const selection = find();
            await pause(20);
            return conforming.upsert(request, { ...context, behaviour: { ...conforming, select: () => selection } });
          })();
          last.set(key, turn);
          return await turn;
        },
      };
    })(),
  },
  {
    name: 'oldest-customers-forgotten',
    why: 'The customers are kept in a cache, and its test size of three went live.',
    breaks: ['UPD-7'],
    behaviour: {
      ...conforming,
      upsert: (request, context) => conforming.upsert(request, { ...context, store: newestOf(context.store) }),
      readOne: (customerId, context) => conforming.readOne(customerId, { ...context, store: newestOf(context.store) }),
      readList: (query, context) => conforming.readList(query, { ...context, store: newestOf(context.store) }),
    },
  },
  {
    name: 'rename-inserts-a-new-row',
    why: 'The externalId is part of the primary key, so changing it inserts a new row, whose createdAt is the default of the column.',
    origin: 'held-out',
    breaks: ['UPD-5'],
    behaviour: {
      ...conforming,
      save: (properties, before, context) => {
        const isRenamed = before?.externalId !== undefined && before.externalId !== properties.externalId;
        return conforming.save(properties, isRenamed ? { ...before, createdAt: context.now() } : before, context);
      },
    },
  },
  {
    name: 'unchanged-is-unknown',
    why: 'The update by customerId uses the number of changed rows as the number of found rows, so a customer without changes is treated as unknown.',
    origin: 'held-out',
    breaks: ['UPD-1', 'IDY-1'],
    behaviour: selectedBy(
      (by) =>
        by === 'customerId' && {
          save: (properties, before, context) => {
            if (isDeepStrictEqual(properties, before)) throw invalid('Could not find Customer using Id', 'customerId');
            return conforming.save(properties, before, context);
          },
        },
    ),
  },
  {
    name: 'zero-taken-for-not-sent',
    why: "An update copies only values that PHP's empty() does not call empty, so no balance ever becomes 0.",
    origin: 'held-out',
    breaks: ['UPD-2', 'UPD-3'],
    behaviour: {
      ...conforming,
      apply: (before, changes, context) => {
        const copied = Object.entries(changes).filter(([, value]) => !before || !isEmpty(value));
        return conforming.apply(before, Object.fromEntries(copied), context);
      },
    },
  },
  {
    name: 'license-state-in-address',
    why: 'The statement for flat columns writes the state of a driver license to that of the address, unless an address is sent too.',
    origin: 'held-out',
    breaks: ['UPD-4'],
    behaviour: {
      ...conforming,
      apply: (before, changes, context) => {
        const after = conforming.apply(before, changes, context);
        const { address } = after;
        const { driverLicense } = changes;
        const state = isObject(driverLicense) ? driverLicense.state : undefined;
        if (!before || changes.address !== undefined || !isObject(address) || state === undefined) return after;
        return { ...after, address: { ...address, state } };
      },
    },
  },
  {
    name: 'external-id-cache-never-invalidated',
    why: 'Updates by the externalId of the body start from a cache of their own, which no update by another selector clears.',
    origin: 'held-out',
    breaks: ['UPD-9', 'UPD-7', 'UPD-4'],
    behaviour: (() => {
      const cacheIn = perStore(() => new Map<string, Customer>());
      const keyOf = ({ customerId, externalId }: Customer) => `${customerId} ${externalId}`;
      return selectedBy(
        (by) =>
          by === 'externalId' && {
            select: (query, body, context) => {
              const selection = conforming.select(query, body, context);
              if (!selection.customer) return selection;
              const cache = cacheIn(context.store);
              const customer = cache.get(keyOf(selection.customer)) ?? selection.customer;
              cache.set(keyOf(customer), customer);
              return { ...selection, customer };
            },
            save: (properties, before, context) => {
              const customer = conforming.save(properties, before, context);
              if (before) cacheIn(context.store).set(keyOf(customer), customer);
              return customer;
            },
          },
      );
    })(),
  },
  {
    name: 'stale-second-cache-key',
    why: 'The cache has each customer under its customerId and under its externalId, and an update by customerId evicts only the former.',
    origin: 'held-out',
    breaks: ['UPD-7', 'UPD-9', 'UPD-4', 'NULL-3'],
    behaviour: (() => {
      const byExternalIdIn = perStore(() => new Map<string, Customer>());
      return selectedBy((by) => ({
        select: (query, body, context) => {
          const selection = conforming.select(query, body, context);
          const { customer } = selection;
          if (!customer || by !== 'externalId') return selection;
          return { ...selection, customer: byExternalIdIn(context.store).get(customer.customerId) ?? customer };
        },
        save: (properties, before, context) => {
          const customer = conforming.save(properties, before, context);
          const cache = byExternalIdIn(context.store);
          if (by === 'externalId') cache.set(customer.customerId, customer);
          if (by === 'query') cache.delete(customer.customerId);
          return customer;
        },
      }));
    })(),
  },
  {
    name: 'retry-guard-by-digest',
    why: 'An update by customerId with the same bytes as one in the last minute gets the same answer, whatever happened in between.',
    origin: 'held-out',
    breaks: ['UPD-9', 'UPD-2'],
    behaviour: (() => {
      const answeredIn = perStore(() => new Map<string, { answer: Answer; at: number }>());
      return {
        ...conforming,
        upsert: async (request, context) => {
          const { store, merchant, now } = context;
          const body = conforming.parseBody(request.body, request.headers);
          if (typeof body.customerId !== 'string') return conforming.upsert(request, context);
          const digest = createHash('sha256').update(request.body).digest('hex');
          const key = `${merchant.merchantId} ${request.query} ${digest}`;
          const answered = answeredIn(store);
          const earlier = answered.get(key);
          if (earlier && now() - earlier.at < MINUTE) return earlier.answer;
          const answer = await conforming.upsert(request, context);
          answered.set(key, { answer, at: now() });
          return answer;
        },
      };
    })(),
  },
  {
    name: 'address-row-shared',
    why: "A merchant's equal addresses are stored as one row, and an update of one customer's address changes that row.",
    origin: 'held-out',
    breaks: ['UPD-10'],
    behaviour: (() => {
      const residentsIn = perStore(() => new Map<string, Set<string>>());
      return {
        ...conforming,
        save: (properties, before, context) => {
          const { store, merchant } = context;
          const residents = residentsIn(store);
          const others = store.all(merchant.merchantId);
          const customer = conforming.save(properties, before, context);
          const { customerId, address } = customer;
          if (!before) {
            const twin = others.find((other) => isDeepStrictEqual(other.address, address));
            const row = residents.get(twin?.customerId ?? '') ?? new Set();
            residents.set(customerId, row.add(customerId));
          } else if (address !== undefined && !isDeepStrictEqual(address, before.address)) {
            const row = residents.get(customerId);
            for (const other of others) if (other.customerId !== customerId && row?.has(other.customerId)) store.put({ ...other, address });
          }
          return customer;
        },
      };
    })(),
  },
  {
    name: 'lock-per-selector',
    why: 'Creates and updates lock the selector of their request, so concurrent requests with different selectors do not wait for each other.',
    origin: 'held-out',
    breaks: ['UPD-11', 'IDY-8', 'IDY-7'],
    behaviour: (() => {
      const locksIn = perStore(() => new Map<string, Promise<Answer>>());
      return {
        ...conforming,
        upsert: async (request, context) => {
          const body = conforming.parseBody(request.body, request.headers);
          const query = conforming.parseQuery(request.query);
          const write = async () => {
            const selection = conforming.select(query, body, context);
            const { customer } = selection;
            const properties = conforming.apply(customer, conforming.validate(body, selection, context), context);
            conforming.checkUnique(properties, customer, context);
            await pause(40);
            const saved = conforming.save(properties, customer, context);
            return conforming.answer({ customer: conforming.present(saved, context) }, context);
          };
          const by = selectorOf(query, body);
          if (by === 'none') return await write();
          const key = `${context.merchant.merchantId} ${by} ${by === 'query' ? query.get('externalId') : body[by]}`;
          const locks = locksIn(context.store);
          const turn = (locks.get(key) ?? Promise.resolve()).then(write, write);
          locks.set(key, turn);
          return await turn;
        },
      };
    })(),
  },
  {
    name: 'single-flight-per-external-id',
    why: 'As a guard against double clicks, overlapping requests with one externalId share the answer of the first, whatever they contain.',
    origin: 'held-out',
    breaks: ['UPD-11'],
    behaviour: (() => {
      const flightsIn = perStore(() => new Map<string, Promise<Answer>>());
      return {
        ...conforming,
        upsert: (request, context) => {
          const body = conforming.parseBody(request.body, request.headers);
          const query = conforming.parseQuery(request.query);
          const externalId = query.get('externalId') ?? body.externalId;
          if (typeof body.customerId === 'string' || typeof externalId !== 'string') return conforming.upsert(request, context);
          const flights = flightsIn(context.store);
          const key = `${context.merchant.merchantId} ${externalId}`;
          const flight = flights.get(key) ?? pause(10).then(() => conforming.upsert(request, context));
          flights.set(key, flight);
          return flight.finally(() => flights.delete(key));
        },
      };
    })(),
  },
  {
    name: 'older-updated-at-dropped',
    why: 'updatedAt serves as a version, and an update with an older one is dropped but answered as accepted.',
    origin: 'held-out',
    breaks: ['UPD-2'],
    behaviour: {
      ...conforming,
      validate: (body, selection, context) => {
        const changes = conforming.validate(body, selection, context);
        const isOlder = typeof body.updatedAt === 'number' && body.updatedAt < (selection.customer?.updatedAt ?? 0);
        return isOlder ? {} : changes;
      },
      save: (properties, before, context) => {
        const next = (before?.updatedAt ?? 0) + 1;
        return conforming.save(properties, before, { ...context, now: () => Math.max(context.now(), next) });
      },
    },
  },
  {
    name: 'external-id-cleared-by-customer-id',
    why: 'The UPDATE statement for the customerId sets the externalId to the one in the body, and clears it if there is none.',
    origin: 'held-out',
    breaks: ['UPD-4', 'IDY-2', 'IDY-3'],
    behaviour: selectedBy(
      (by) =>
        by === 'customerId' && {
          apply: (before, changes, context) => conforming.apply(before, { externalId: null, ...changes }, context),
        },
    ),
  },
];

/** What PHP calls empty, but for null. */
function isEmpty(value: Json): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === '' || value === '0' || value === 0 || value === false;
}

/** A store that has forgotten all but the newest three customers. */
function newestOf(store: Store): Store {
  const all = (merchantId: string) => store.all(merchantId).slice(-3);
  const known = (merchantId: string, customer: Customer | undefined) =>
    customer && all(merchantId).includes(customer) ? customer : undefined;
  return Object.assign(new Store(), {
    nextId: () => store.nextId(),
    put: (customer: Customer) => store.put(customer),
    all,
    byId: (merchantId: string, id: string) => known(merchantId, store.byId(merchantId, id)),
    byExternalId: (merchantId: string, id: string) => known(merchantId, store.byExternalId(merchantId, id)),
  });
}
