import { conforming } from '../../behaviour.ts';
import type { Json, JsonObject } from '../../json.ts';
import { conflict, Refusal } from '../../refusal.ts';
import type { Broken } from '../../variant.ts';
import { perStore } from './state.ts';

/** Servers that keep something of a refused request for a later one. */
export const refusal: readonly Broken[] = [
  {
    name: 'refused-create-keeps-reservation',
    why: 'A create reserves its externalId before the parts of the address are checked, and their refusal does not release it.',
    breaks: ['REF-2', 'CRE-1'],
    behaviour: (() => {
      const reservedIn = perStore(() => new Set<string>());
      const keyOf = (merchantId: string, externalId: Json | undefined) => `${merchantId} ${externalId}`;
      return {
        ...conforming,
        validate: (body, selection, context) => {
          try {
            return conforming.validate(body, selection, context);
          } catch (error) {
            const isOfAddress = error instanceof Refusal && error.details.location?.startsWith('address.');
            if (isOfAddress && !selection.customer && typeof body.externalId === 'string') {
              reservedIn(context.store).add(keyOf(context.merchant.merchantId, body.externalId));
            }
            throw error;
          }
        },
        checkUnique: (properties, before, context) => {
          conforming.checkUnique(properties, before, context);
          const { store, merchant } = context;
          const { externalId } = properties;
          const isReserved = reservedIn(store).has(keyOf(merchant.merchantId, externalId));
          if (isReserved && externalId !== before?.externalId) throw conflict();
        },
      };
    })(),
  },
  {
    name: 'refused-changes-flushed-later',
    why: 'The properties before an invalid one stay on the entity of the session, which the next accepted update flushes.',
    breaks: ['REF-1', 'UPD-4'],
    behaviour: (() => {
      const sessionIn = perStore(() => new Map<string, JsonObject>());
      return {
        ...conforming,
        validate: (body, selection, context) => {
          const { customer } = selection;
          if (!customer) return conforming.validate(body, selection, context);
          const session = sessionIn(context.store);
          const entity = { ...session.get(customer.customerId) };
          session.set(customer.customerId, entity);
          for (const [name, value] of Object.entries(body)) {
            if (name !== 'externalId') Object.assign(entity, conforming.validate({ [name]: value }, selection, context));
          }
          return conforming.validate(body, selection, context);
        },
        apply: (before, changes, context) =>
          conforming.apply(before, { ...sessionIn(context.store).get(before?.customerId ?? ''), ...changes }, context),
        save: (properties, before, context) => {
          const customer = conforming.save(properties, before, context);
          sessionIn(context.store).delete(customer.customerId);
          return customer;
        },
      };
    })(),
  },
];
