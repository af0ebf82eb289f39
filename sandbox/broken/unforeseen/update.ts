import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Answer, conforming } from '../../behaviour.ts';
import { isObject, type Json } from '../../json.ts';
import { invalid } from '../../refusal.ts';
import { type Customer, perStore } from '../../store.ts';
import type { Broken } from '../../variant.ts';
import { selectedBy, selectorOf } from './state.ts';

const MINUTE = 60_000;

/** Servers that update a customer wrongly, or another one too. */
export const update: readonly Broken[] = [
  {
    name: 'rename-inserts-a-new-row',
    why: 'The externalId is part of the primary key, so that changing it inserts a new row, whose createdAt is the default of the column.',
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
    why: 'The update by customerId takes the count of changed rows for that of found ones, and a customer without changes for unknown.',
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
    why: "An update copies only what PHP's empty() does not call empty, so that no balance ever becomes 0.",
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
    why: 'An update by customerId with the bytes of one in the last minute is answered as that one was, whatever came between the two.',
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
    why: "A merchant's equal addresses are kept as one row, which the update of one customer's address changes in place.",
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
    why: 'Creates and updates lock the selector of their request, so that two at once with different selectors do not wait for each other.',
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
    why: 'Against double clicks, requests of one externalId that overlap share the answer of the first, whatever is in them.',
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
    why: 'The updatedAt, which each update raises, serves as a version, and an update with an older one is dropped, yet answered as accepted.',
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
    why: 'The statement that updates by the customerId sets the externalId to that of the body, and to nothing where there is none.',
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
