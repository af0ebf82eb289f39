import { type Behaviour, conforming } from '../../behaviour.ts';
import { isObject, type Json, type JsonObject } from '../../json.ts';
import { conflict, invalid, Refusal } from '../../refusal.ts';
import { type Customer, perStore } from '../../store.ts';
import type { Broken } from '../../variant.ts';
import { crash, whenInvalid } from '../refusal.ts';

const POSTAL_CODES: Readonly<Record<string, RegExp>> = { US: /^\d{5}(-?\d{4})?$/, CA: /^[a-z]\d[a-z][ -]?\d[a-z]\d$/i };

/** Servers that keep something of a refused request for a later one, refuse what is right, take what is wrong, or crash. */
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
  {
    name: 'refused-create-clears-the-one-before',
    why: 'A refused create is cleaned up by the last id, which is that of the create before, as nothing has been inserted.',
    breaks: ['REF-2', 'UPD-10'],
    behaviour: whenInvalid((_body, { customer }, { store, merchant }) => {
      const last = store.all(merchant.merchantId).at(-1);
      if (customer || !last) return;
      const { driverLicense: _, customData: __, ...row } = last;
      store.put(row as Customer);
    }),
  },
  {
    name: 'update-partial-all-the-way-down',
    why: 'In an update every part of an object is optional, as the rest is to come from the stored one, though none may be stored.',
    breaks: ['ANS-3', 'REF-6'],
    behaviour: {
      ...conforming,
      validate: (body, selection, context) => {
        const { customer } = selection;
        const { driverLicense: sent } = body;
        if (!customer || !isObject(sent)) return conforming.validate(body, selection, context);
        const completed = { ...body, driverLicense: { number: 'A', state: 'CA', ...sent } };
        const { driverLicense = {}, ...changes } = conforming.validate(completed, selection, context);
        const parts = Object.entries(driverLicense ?? {}).filter(([name]) => name in sent);
        return { ...changes, driverLicense: { ...(customer.driverLicense as JsonObject), ...Object.fromEntries(parts) } };
      },
    },
  },
  {
    name: 'phone-removed-by-update',
    why: 'The phone was optional once, and it is still in the list of what an update may remove.',
    breaks: ['REF-6', 'ANS-3'],
    behaviour: {
      ...conforming,
      validate: (body, selection, context) => {
        const { phone, ...others } = body;
        if (!selection.customer || phone !== null) return conforming.validate(body, selection, context);
        return { ...conforming.validate(others, selection, context), phone };
      },
    },
  },
  {
    name: 'long-text-crashes',
    why: 'Nobody measures a text before it is written, and the error of the column that it is too long for is not caught.',
    breaks: ['REF-3'],
    behaviour: crashingOn((body) => Object.values(body).some((value) => typeof value === 'string' && value.length > 1024)),
  },
  {
    name: 'enroll-date-beyond-dates-crashes',
    why: 'The enroll date is made a Date and written by toISOString, which throws beyond the year 275760.',
    breaks: ['REF-3'],
    behaviour: crashingOn(({ enrollDate }) => typeof enrollDate === 'number' && Number.isNaN(new Date(enrollDate).getTime())),
  },
  {
    name: 'unknown-number-crashes',
    why: 'A customerId of digits is bound as a 64-bit integer, and the error of one that is larger is not caught.',
    breaks: ['REF-3'],
    behaviour: crashingOn(({ customerId }) => /^\d+$/.test(String(customerId)) && BigInt(String(customerId)) >= 2n ** 63n),
  },
  {
    name: 'read-of-no-number-crashes',
    why: 'The customerId of the path is parsed as a number, and the exception of what is none is not caught.',
    breaks: ['REF-3'],
    behaviour: {
      ...conforming,
      readOne: (customerId, context) => {
        if (!/^\d+$/.test(customerId)) throw crash('Internal error');
        return conforming.readOne(customerId, context);
      },
    },
  },
  {
    name: 'zip-rule-of-old-country',
    why: 'The postal code of an update is checked by the rule of the stored country, so that nobody can move to another one.',
    breaks: ['UPD-1', 'IDY-2'],
    behaviour: {
      ...conforming,
      validate: (body, selection, context) => {
        const changes = conforming.validate(body, selection, context);
        const stored = selection.customer?.address ?? changes.address;
        const rule = isObject(stored) ? POSTAL_CODES[String(stored.country)] : undefined;
        const zip = isObject(changes.address) ? changes.address.zip : undefined;
        if (typeof zip === 'string' && rule?.test(zip) === false)
          throw invalid('Invalid address.zip: not one of the country', 'address.zip');
        return changes;
      },
    },
  },
];

/** The conforming server, except that some bodies crash it before they are checked. */
function crashingOn(isFatal: (body: JsonObject) => boolean): Behaviour {
  return {
    ...conforming,
    select: (query, body, context) => {
      if (isFatal(body)) throw crash('Internal error');
      return conforming.select(query, body, context);
    },
  };
}
