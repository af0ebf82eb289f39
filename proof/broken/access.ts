import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Behaviour, type Context, conforming, type Merchant } from '../../sandbox/behaviour.ts';
import type { JsonObject } from '../../sandbox/json.ts';
import { conflict, invalid, Refusal, unauthorized } from '../../sandbox/refusal.ts';
import { type Customer, perStore, type Store } from '../../sandbox/store.ts';
import { type SelectedBy, selectedBy, selectorOf } from '../steps.ts';
import type { BrokenServer } from '../variant.ts';

/** Servers that let somebody in, or one merchant to the customers of another, or that refuse it wrongly. */
export const access: readonly BrokenServer[] = [
  {
    name: 'anonymous-is-first-merchant',
    why: 'The filter checks credentials only if the header is present.',
    breaks: ['ACC-1', 'ACC-6'],
    behaviour: assuming((authorization, merchants) => (authorization === undefined ? merchants[0] : undefined)),
  },
  {
    name: 'anonymous-write-refused-afterwards',
    why: 'The missing header is noticed when the answer is built, after the customer has been saved.',
    breaks: ['ACC-1', 'REF-1', 'REF-2'],
    behaviour: assuming(
      (authorization, merchants) => (authorization === undefined ? merchants[0] : undefined),
      (refuseAssumed) => ({
        ...readingBy(refuseAssumed),
        present(customer, context) {
          refuseAssumed(context);
          return conforming.present(customer, context);
        },
      }),
    ),
  },
  {
    name: 'anonymous-reads',
    why: 'The filter applies to POST only.',
    breaks: ['ACC-1', 'ACC-6'],
    behaviour: assuming(
      (authorization, merchants) => (authorization === undefined ? merchants[0] : undefined),
      (refuseAssumed) => ({
        upsert(request, context) {
          refuseAssumed(context);
          return conforming.upsert(request, context);
        },
      }),
    ),
  },
  {
    name: 'key-ignored',
    why: 'The merchant is looked up by the accessId, and the key is not compared.',
    breaks: ['ACC-2', 'ACC-6'],
    behaviour: assuming(byCredentials((id, _key, { accessId }) => id === accessId)),
  },
  {
    name: 'start-of-key-taken',
    why: 'Only as many characters of the key are compared as were sent.',
    breaks: ['ACC-2', 'ACC-6'],
    behaviour: assuming(byCredentials((id, key, { accessId, accessKey }) => id === accessId && accessKey.startsWith(key))),
  },
  {
    name: 'wrong-key-updates',
    why: 'The key is compared only when a customer is created.',
    breaks: ['ACC-2', 'ACC-6'],
    behaviour: assuming(
      byCredentials((id, _key, { accessId }) => id === accessId),
      (refuseAssumed) => ({
        ...readingBy(refuseAssumed),
        validate(body, selection, context) {
          if (!selection.customer) refuseAssumed(context);
          return conforming.validate(body, selection, context);
        },
      }),
    ),
  },
  {
    name: 'every-bearer-taken',
    why: "The gateway is expected to check tokens, so a request with any token is treated as the first merchant's.",
    breaks: ['ACC-3'],
    behaviour: assuming((authorization, merchants) => (/^bearer /i.test(authorization ?? '') ? merchants[0] : undefined)),
  },
  {
    name: 'pair-without-colon-fails-open',
    why: "The exception for a pair that cannot be split is caught, and the request is treated as the first merchant's.",
    breaks: ['ACC-3'],
    behaviour: assuming((authorization, merchants) => (decode(authorization)?.includes(':') === false ? merchants[0] : undefined)),
  },
  {
    name: 'read-by-id-across-merchants',
    why: 'The query of the read-back has no condition on the merchant.',
    breaks: ['ACC-4'],
    behaviour: acrossMerchants((everyone) => ({
      readOne(customerId, context) {
        const { behaviour, store } = context;
        const customer = everyone(store).find((other) => other.customerId === customerId);
        if (!customer) return conforming.readOne(customerId, context);
        return behaviour.answer({ customer: behaviour.present(customer, context) }, context);
      },
    })),
  },
  {
    name: 'list-across-merchants',
    why: 'The filter by externalId replaces the one by merchant instead of adding to it.',
    breaks: ['ACC-4', 'ANS-9'],
    behaviour: acrossMerchants((everyone) => ({
      readList(request, context) {
        const { behaviour, store } = context;
        const externalId = behaviour.parseQuery(request.query).get('externalId');
        if (externalId === null) return conforming.readList(request, context);
        const customers = everyone(store).filter((customer) => customer.externalId === externalId);
        return behaviour.answer({ customers: customers.map((customer) => behaviour.present(customer, context)) }, context);
      },
    })),
  },
  {
    name: 'customer-id-across-merchants',
    why: 'The customerId is a primary key, so nobody thought of the merchant.',
    breaks: ['ACC-5', 'ACC-4'],
    behaviour: acrossMerchants((everyone) => ({
      select(query, body, context) {
        const customer = everyone(context.store).find((other) => other.customerId === body.customerId);
        return customer ? { customer, externalId: undefined } : conforming.select(query, body, context);
      },
      save: saveForOwner,
    })),
  },
  {
    name: 'query-across-merchants',
    why: 'The merchants share the cache in which the externalId of the query is looked up.',
    breaks: ['ACC-5', 'ACC-4'],
    behaviour: acrossMerchants((everyone) => ({
      select(query, body, context) {
        const selection = conforming.select(query, body, context);
        const externalId = query.get('externalId');
        if (selection.customer || externalId === null) return selection;
        return { ...selection, customer: everyone(context.store).find((other) => other.externalId === externalId) };
      },
      save: saveForOwner,
    })),
  },
  {
    name: 'update-without-merchant',
    why: 'The only condition of the UPDATE statement is the externalId.',
    breaks: ['ACC-5', 'UPD-10'],
    behaviour: acrossMerchants((everyone) => ({
      apply(before, changes, context) {
        const { externalId: _, ...others } = changes;
        for (const other of everyone(context.store)) {
          const isHit =
            before?.externalId !== undefined && other.externalId === before.externalId && other.customerId !== before.customerId;
          if (isHit) context.store.put({ ...other, ...conforming.apply(other, others, context) });
        }
        return conforming.apply(before, changes, context);
      },
    })),
  },
  {
    name: 'external-id-unique-across-merchants',
    why: 'The unique index on externalId does not include the merchant.',
    breaks: ['CRE-1'],
    behaviour: acrossMerchants((everyone) => ({
      checkUnique({ externalId }, before, { store }) {
        const owner = everyone(store).find((other) => externalId !== undefined && other.externalId === externalId);
        if (owner && owner.customerId !== before?.customerId) throw conflict();
      },
    })),
  },
  {
    name: 'credentials-refused-with-403',
    why: 'The framework answers every failed authentication with 403.',
    breaks: ['ACC-6'],
    behaviour: {
      ...conforming,
      refuse(refused, now) {
        const { headers: _, ...details } = refused.details;
        return conforming.refuse(details.status === 401 ? new Refusal({ ...details, status: 403 }) : refused, now);
      },
    },
  },
  {
    name: 'unauthorized-without-challenge',
    why: 'The challenge was removed because browsers open a dialog for it.',
    breaks: ['ACC-7'],
    behaviour: {
      ...conforming,
      refuse(refused, now) {
        const { headers: _, ...details } = refused.details;
        return conforming.refuse(details.status === 401 ? new Refusal(details) : refused, now);
      },
    },
  },
  {
    name: 'basic-in-lower-case-refused',
    why: 'The header is compared with `Basic ` case-sensitively.',
    breaks: ['ACC-8'],
    behaviour: {
      ...conforming,
      authenticate: (authorization, merchants) =>
        conforming.authenticate(authorization?.startsWith('Basic ') ? authorization : undefined, merchants),
    },
  },
  {
    name: 'tenant-in-a-singleton',
    why: 'The merchant of a request is kept in a singleton, where a request that comes in during an await replaces it.',
    origin: 'held-out',
    breaks: ['ACC-5'],
    behaviour: (() => {
      const tenantIn = perStore((): { current?: Merchant } => ({}));
      return {
        ...conforming,
        upsert: async (request, context) => {
          const tenant = tenantIn(context.store);
          tenant.current = context.merchant;
          // Waits for a connection from the pool.
          await pause(25);
          return conforming.upsert(request, { ...context, merchant: tenant.current });
        },
      };
    })(),
  },
  {
    name: 'query-update-without-merchant',
    why: 'The UPDATE statement for the externalId of the query has no condition on the merchant.',
    origin: 'held-out',
    breaks: ['ACC-5', 'UPD-10'],
    behaviour: spilling((changes, by) => (by === 'query' ? changes : {})),
  },
  {
    name: 'removal-of-namesake',
    why: 'The DELETE statement for optional properties selects by externalId, without a condition on the merchant.',
    origin: 'held-out',
    breaks: ['ACC-5', 'UPD-10'],
    behaviour: spilling((changes) => Object.fromEntries(Object.entries(changes).filter(([, value]) => value === null))),
  },
  {
    name: 'query-cache-without-merchant',
    why: 'What the query finds is cached under its externalId alone, without the merchant.',
    origin: 'held-out',
    breaks: ['ACC-5', 'ACC-4'],
    behaviour: (() => {
      const cacheIn = perStore(() => new Map<string, Customer>());
      return {
        ...conforming,
        upsert: (request, context) => {
          const body = conforming.parseBody(request.body, request.headers);
          const query = conforming.parseQuery(request.query);
          if (selectorOf(query, body) !== 'query') return conforming.upsert(request, context);
          const { store } = context;
          const cache = cacheIn(store);
          const externalId = query.get('externalId') ?? '';
          const cached = cache.get(externalId);
          const isCurrent = cached && store.byId(cached.merchantId, cached.customerId)?.externalId === externalId;
          const merchant = isCurrent ? { ...context.merchant, merchantId: cached.merchantId } : context.merchant;
          const save: Behaviour['save'] = (...given) => {
            const customer = conforming.save(...given);
            cache.set(String(customer.externalId), customer);
            return customer;
          };
          return conforming.upsert(request, { ...context, merchant, behaviour: { ...conforming, save } });
        },
      };
    })(),
  },
  {
    name: 'ownership-checked-on-other-id',
    why: 'If a request has both ids, the merchant is checked for the externalId of the query only, and the customer is read by its customerId alone.',
    origin: 'held-out',
    breaks: ['ACC-5', 'ACC-4'],
    behaviour: acrossMerchants((everyone) => ({
      select: (query, body, context) => {
        const { store, merchant } = context;
        const isLetIn = store.byExternalId(merchant.merchantId, query.get('externalId') ?? '') !== undefined;
        const customer = isLetIn ? foreign(everyone(store), body, context) : undefined;
        return customer ? { customer, externalId: undefined } : conforming.select(query, body, context);
      },
      save: saveForOwner,
    })),
  },
  {
    name: 'foreign-customer-id-is-inserted-again',
    why: "The upsert matches merchant and customerId together, so another merchant's customerId is inserted a second time.",
    origin: 'held-out',
    breaks: ['ACC-5', 'CRE-2'],
    behaviour: acrossMerchants((everyone) => ({
      upsert: (request, context) => {
        const { store, merchant, now } = context;
        const body = conforming.parseBody(request.body, request.headers);
        const customer = foreign(everyone(store), body, context);
        if (!customer || conforming.parseQuery(request.query).has('externalId')) return conforming.upsert(request, context);
        const [{ customerId }, { merchantId }, time] = [customer, merchant, now()];
        const steps: Partial<Behaviour> = {
          select: () => ({ customer: undefined, externalId: undefined }),
          save: (properties) => conforming.save(properties, { customerId, merchantId, createdAt: time, updatedAt: time }, context),
        };
        return conforming.upsert(request, { ...context, behaviour: { ...conforming, ...steps } });
      },
    })),
  },
  {
    name: 'owner-of-foreign-id-told',
    why: 'To help support, the refusal of an unknown customerId says who has it in another account.',
    origin: 'held-out',
    breaks: ['ACC-4'],
    behaviour: acrossMerchants((everyone) => ({
      select: (query, body, context) => {
        const owner = foreign(everyone(context.store), body, context);
        if (owner) throw invalid(`The customerId is that of ${owner.name}, ${owner.email}, in another account`, 'customerId');
        return conforming.select(query, body, context);
      },
    })),
  },
];

type Assume = (authorization: string | undefined, merchants: readonly Merchant[]) => Merchant | undefined;
type RefuseAssumed = (context: Context) => void;

/** Goes on with an assumed merchant where there are no right credentials; a step can still refuse one. */
function assuming(assume: Assume, steps: (refuseAssumed: RefuseAssumed) => Partial<Behaviour> = () => ({})): Behaviour {
  const assumed = new WeakSet<Merchant>();
  return {
    ...conforming,
    authenticate(authorization, merchants) {
      try {
        return conforming.authenticate(authorization, merchants);
      } catch (refused) {
        const merchant = assume(authorization, merchants);
        if (!merchant) throw refused;
        const copy = { ...merchant };
        assumed.add(copy);
        return copy;
      }
    },
    ...steps(({ merchant }) => {
      if (assumed.has(merchant)) throw unauthorized();
    }),
  };
}

/** The read-back operations with assumed merchants refused. */
function readingBy(refuseAssumed: RefuseAssumed): Pick<Behaviour, 'readOne' | 'readList'> {
  return {
    readOne(customerId, context) {
      refuseAssumed(context);
      return conforming.readOne(customerId, context);
    },
    readList(request, context) {
      refuseAssumed(context);
      return conforming.readList(request, context);
    },
  };
}

/** Assumes the merchant that a comparison with the user-id and the password finds. */
function byCredentials(matches: (id: string, key: string, merchant: Merchant) => boolean): Assume {
  return (authorization, merchants) => {
    const [, id, key] = /^([^:]*):(.*)$/s.exec(decode(authorization) ?? '') ?? [];
    return id === undefined || key === undefined ? undefined : merchants.find((merchant) => matches(id, key, merchant));
  };
}

function decode(authorization: string | undefined): string | undefined {
  const encoded = /^basic +(\S+)$/i.exec(authorization ?? '')?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString();
}

/** A behaviour whose steps can reach the customers of every merchant. */
export function acrossMerchants(steps: (everyone: (store: Store) => Customer[]) => Partial<Behaviour>): Behaviour {
  let known: readonly Merchant[] = [];
  return {
    ...conforming,
    authenticate(authorization, merchants) {
      known = merchants;
      return conforming.authenticate(authorization, merchants);
    },
    ...steps((store) => known.flatMap(({ merchantId }) => store.all(merchantId))),
  };
}

/** Saves a customer in the account that it is in, whoever asks. */
export function saveForOwner(...[properties, before, context]: Parameters<Behaviour['save']>): Customer {
  const merchant = { ...context.merchant, merchantId: before?.merchantId ?? context.merchant.merchantId };
  return conforming.save(properties, before, { ...context, merchant });
}

/** The customer that the body names by its customerId, where it is another merchant's alone. */
function foreign(everyone: readonly Customer[], { customerId }: JsonObject, { merchant }: Context): Customer | undefined {
  const found = everyone.filter((customer) => customer.customerId === customerId);
  return found.some(({ merchantId }) => merchantId === merchant.merchantId) ? undefined : found[0];
}

/**
 * The conforming server, except that some of an update's changes, `null` for a removal, are made to the customers of other merchants with
 * the same externalId as well.
 */
function spilling(spilt: (changes: JsonObject, by: SelectedBy) => JsonObject): Behaviour {
  const merchantIdsIn = perStore(() => new Set<string>());
  return selectedBy((by) => ({
    save: (properties, before, context) => {
      const { store, merchant } = context;
      const merchantIds = merchantIdsIn(store).add(merchant.merchantId);
      const customer = conforming.save(properties, before, context);
      const externalId = before?.externalId;
      if (typeof externalId !== 'string') return customer;
      for (const merchantId of merchantIds) {
        const namesake = merchantId === merchant.merchantId ? undefined : store.byExternalId(merchantId, externalId);
        if (namesake) store.put(conforming.apply(namesake, spilt(changesOf(before, customer), by), context) as Customer);
      }
      return customer;
    },
  }));
}

function changesOf(before: JsonObject | undefined, after: JsonObject): JsonObject {
  const names = Object.keys({ ...before, ...after }).filter((name) => !['externalId', 'updatedAt'].includes(name));
  const changed = names.filter((name) => !isDeepStrictEqual(before?.[name], after[name]));
  return Object.fromEntries(changed.map((name) => [name, after[name] ?? null]));
}
