import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Behaviour, type Context, conforming, type Merchant } from '../../behaviour.ts';
import type { JsonObject } from '../../json.ts';
import { invalid } from '../../refusal.ts';
import { type Customer, perStore } from '../../store.ts';
import type { Broken } from '../../variant.ts';
import { acrossMerchants, saveForOwner } from '../access.ts';
import { type Selector, selectedBy, selectorOf } from './state.ts';

/** Servers that mix up the accounts of two merchants. */
export const access: readonly Broken[] = [
  {
    name: 'tenant-in-a-singleton',
    why: 'The merchant of a request is kept in a singleton, where a request that comes in during an await replaces it.',
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
    why: 'The statement that updates by the externalId of the query has no condition on the merchant.',
    breaks: ['ACC-5', 'UPD-10'],
    behaviour: spilling((changes, by) => (by === 'query' ? changes : {})),
  },
  {
    name: 'removal-of-namesake',
    why: 'The statement that deletes optional properties goes by the externalId, without a condition on the merchant.',
    breaks: ['ACC-5', 'UPD-10'],
    behaviour: spilling((changes) => Object.fromEntries(Object.entries(changes).filter(([, value]) => value === null))),
  },
  {
    name: 'query-cache-without-merchant',
    why: 'What the query finds is cached under its externalId alone, without the merchant.',
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
    why: 'Where a request has both, the merchant is checked for the externalId of the query, and the customerId is read by its key alone.',
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
    why: "The upsert goes by merchant and customerId together, so that another merchant's customerId is inserted once more.",
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
    why: 'For the support, the refusal of an unknown customerId tells who has it in another account.',
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

/** The customer that the body names by its customerId, where it is another merchant's alone. */
function foreign(everyone: readonly Customer[], { customerId }: JsonObject, { merchant }: Context): Customer | undefined {
  const found = everyone.filter((customer) => customer.customerId === customerId);
  return found.some(({ merchantId }) => merchantId === merchant.merchantId) ? undefined : found[0];
}

/**
 * The conforming server, except that some of an update's changes, `null` for a removal, are made to the customers of other merchants with
 * the same externalId as well.
 */
function spilling(spilt: (changes: JsonObject, by: Selector) => JsonObject): Behaviour {
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
