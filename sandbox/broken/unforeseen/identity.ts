import { createHash } from 'node:crypto';
import { type Context, conforming } from '../../behaviour.ts';
import type { Json, JsonObject } from '../../json.ts';
import { type Customer, perStore } from '../../store.ts';
import type { Broken } from '../../variant.ts';
import { selectedBy, selectorOf } from './state.ts';

/** Servers that mistake one customer for another, or let two share an id. */
export const identity: readonly Broken[] = [
  {
    name: 'guest-linked-by-email',
    why: 'A create with a new externalId is taken for the registration of the guest, a customer without one, that has the same e-mail.',
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
    why: 'The customerId is a hash of the externalId, to make retries safe, and the merchant is not part of what is hashed.',
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
    why: 'The table that guards the externalIds is written by a create, and not by an update that gives a customer another one.',
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
    why: 'The check for a taken externalId runs where one is replaced, and not where a customer gets its first by an update.',
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
    why: 'The check for a taken externalId is left out where the query found the customer, though the body may give it another.',
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
    why: 'The customerId is looked up with a helper that takes either id and tries the externalId first.',
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
    why: 'A change of the externalId only updates its row in the index, and a customer that was created without one has no row there.',
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
    why: 'A create that is refused leaves its externalId cached as one that nobody has, and the create that follows does not evict it.',
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
];

/** A customerId that looks like any other. */
function hashed(externalId: Json | undefined): string | undefined {
  if (typeof externalId !== 'string') return undefined;
  const digits = createHash('sha256').update(externalId).digest().readBigUInt64BE() % 10n ** 10n;
  return `10${String(digits).padStart(10, '0')}`;
}
