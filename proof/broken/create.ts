import { type Behaviour, type Context, conforming } from '../../sandbox/behaviour.ts';
import { isObject, type JsonObject } from '../../sandbox/json.ts';
import { invalid, Refusal } from '../../sandbox/refusal.ts';
import type { Customer } from '../../sandbox/store.ts';
import { addressOf } from '../steps.ts';
import type { BrokenServer } from '../variant.ts';

/** The conforming server, with the properties of a new customer changed before they are stored, or refused. */
function creating(change: (properties: JsonObject, context: Context) => JsonObject): Behaviour {
  return {
    ...conforming,
    apply: (before, changes, context) => {
      const properties = conforming.apply(before, changes, context);
      return before ? properties : change(properties, context);
    },
  };
}

/** The conforming server, except that it refuses some new customers. */
function refusing(some: (properties: JsonObject, context: Context) => boolean, refusal: () => Refusal): Behaviour {
  return creating((properties, context) => {
    if (some(properties, context)) throw refusal();
    return properties;
  });
}

/** The conforming server, with another source of the id of a new customer. */
function numbering(nextId: (properties: JsonObject, context: Context) => string): Behaviour {
  return {
    ...conforming,
    save: (properties, before, context) => {
      const { merchantId } = context.merchant;
      const time = context.now();
      const inserted = () => ({ customerId: nextId(properties, context), merchantId, createdAt: time, updatedAt: time });
      return conforming.save(properties, before ?? inserted(), context);
    },
  };
}

/** The conforming server, with the externalId of a new customer rewritten before it is stored. */
function rewriting(rewrite: (externalId: string) => string): Behaviour {
  return creating((properties) =>
    typeof properties.externalId === 'string' ? { ...properties, externalId: rewrite(properties.externalId) } : properties,
  );
}

function asStored(customer: Customer): JsonObject {
  const { merchantId, externalId } = customer;
  return typeof externalId === 'string' ? { ...customer, externalId: `${merchantId}:${externalId}` } : customer;
}

function namesake({ name }: JsonObject, { store, merchant }: Context) {
  return store.all(merchant.merchantId).find((other) => other.name === name);
}

/** Servers that create a customer wrongly. */
export const create: readonly BrokenServer[] = [
  {
    name: 'plus-in-phone-refused',
    why: 'Phone numbers are validated as digits and hyphens, without the plus sign of the international form.',
    breaks: ['CRE-1'],
    behaviour: refusing(
      ({ phone }) => String(phone).startsWith('+'),
      () => invalid('Invalid phone: must be digits', 'phone'),
    ),
  },
  {
    name: 'canadian-zip-refused',
    why: 'A postal code must be five digits in every country.',
    breaks: ['CRE-1'],
    behaviour: refusing(
      (properties) => /[A-Z]/i.test(String(addressOf(properties).zip ?? '')),
      () => invalid('Invalid address.zip: must be five digits', 'address.zip'),
    ),
  },
  {
    name: 'namesake-refused',
    why: 'The unique index was put on the name.',
    breaks: ['CRE-1'],
    behaviour: refusing(
      (properties, context) => namesake(properties, context) !== undefined,
      () => invalid('Duplicate Customer', 'name'),
    ),
  },
  {
    name: 'one-address-line-crashes',
    why: 'The second address line is read without checking that it exists.',
    breaks: ['CRE-1', 'REF-3'],
    behaviour: refusing(
      (properties) => addressOf(properties).address2 === undefined,
      () => new Refusal({ status: 500, exception: 'NullPointerException', code: 100, message: 'Internal error' }),
    ),
  },

  {
    name: 'ids-by-the-second',
    why: 'The customerId is the time in seconds, so customers created in the same second overwrite each other.',
    breaks: ['CRE-2', 'UPD-10'],
    behaviour: numbering((_properties, { now }) => String(Math.floor(now() / 1000))),
  },
  {
    name: 'ids-by-country',
    why: 'Each country has its own sequence, and all sequences start at the same number.',
    breaks: ['CRE-2', 'UPD-10'],
    behaviour: numbering((properties, { store, merchant }) => {
      const { country } = addressOf(properties);
      return String(1002580963 + store.all(merchant.merchantId).filter((other) => addressOf(other).country === country).length);
    }),
  },

  {
    name: 'organization-number-forgotten',
    why: 'The mapping of new customers has no line for the organizationNumber.',
    breaks: ['CRE-3'],
    behaviour: creating(({ organizationNumber: _, ...rest }) => rest),
  },
  {
    name: 'zero-balance-not-stored',
    why: 'A balance of zero is treated as no balance.',
    breaks: ['CRE-3'],
    behaviour: creating(({ balance, ...rest }) => (Number(balance ?? 0) === 0 ? rest : { ...rest, balance: balance ?? '' })),
  },
  {
    name: 'long-name-cut',
    why: 'The column of the name is a VARCHAR(32), and the database is not strict.',
    breaks: ['CRE-3'],
    behaviour: creating((properties) => ({ ...properties, name: String(properties.name).slice(0, 32) })),
  },
  {
    name: 'custom-data-flattened',
    why: 'Custom data is stored as a table of names and texts, and nested values become text.',
    breaks: ['CRE-3'],
    behaviour: creating(({ customData, ...rest }) =>
      isObject(customData)
        ? { ...rest, customData: Object.fromEntries(Object.entries(customData).map(([name, value]) => [name, String(value)])) }
        : rest,
    ),
  },

  {
    name: 'external-id-shown-in-capitals',
    why: 'References are shown in capitals, as the reports print them.',
    breaks: ['CRE-4'],
    behaviour: {
      ...conforming,
      present: ({ externalId, ...rest }) => (typeof externalId === 'string' ? { ...rest, externalId: externalId.toUpperCase() } : rest),
    },
  },
  {
    name: 'external-id-read-with-account',
    why: "The externalId is stored with the merchant's number before it, to be unique, and only POST removes it again.",
    breaks: ['CRE-4', 'CRE-3'],
    behaviour: {
      ...conforming,
      readOne: (customerId, context) => conforming.readOne(customerId, { ...context, behaviour: { ...conforming, present: asStored } }),
    },
  },
  {
    name: 'external-id-as-number',
    why: 'An externalId that consists of digits is stored in a numeric column and loses its leading zeros.',
    breaks: ['CRE-4', 'IDY-2', 'IDY-3', 'VAL-5'],
    behaviour: rewriting((externalId) => (/^\d+$/.test(externalId) ? BigInt(externalId).toString() : externalId)),
  },
  {
    name: 'external-id-cut',
    why: 'The externalId column holds 32 characters, and the rest is dropped.',
    breaks: ['CRE-4', 'IDY-2', 'IDY-3'],
    behaviour: rewriting((externalId) => externalId.slice(0, 32)),
  },

  {
    name: 'merchant-id-taken-over',
    why: 'The whole body is bound to the customer entity, including its merchantId.',
    breaks: ['CRE-5'],
    behaviour: {
      ...conforming,
      validate: (body, selection, context) => {
        const changes = conforming.validate(body, selection, context);
        return typeof body.merchantId === 'string' ? { ...changes, submerchant: body.merchantId } : changes;
      },
      present: (customer) => ({ ...customer, merchantId: customer.submerchant ?? customer.merchantId }),
    },
  },
  {
    name: 'merchant-id-taken-over-by-update',
    why: 'Creates drop the merchantId of the body, and updates write it like any other column.',
    breaks: ['CRE-5'],
    behaviour: {
      ...conforming,
      validate: (body, selection, context) => {
        const changes = conforming.validate(body, selection, context);
        return selection.customer && typeof body.merchantId === 'string' ? { ...changes, submerchant: body.merchantId } : changes;
      },
      present: (customer) => ({ ...customer, merchantId: customer.submerchant ?? customer.merchantId }),
    },
  },
];
