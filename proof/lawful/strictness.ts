import { isDeepStrictEqual } from 'node:util';
import type { Behaviour } from '../../sandbox/behaviour.ts';
import { isObject, type Json } from '../../sandbox/json.ts';
import { contentTooLarge, invalid } from '../../sandbox/refusal.ts';
import { knownProperties, PROPERTIES, REQUIRED } from '../../sandbox/schema.ts';
import { checking, clash, mapTexts, refusing } from './change.ts';
import type { Latitude } from './latitude.ts';

/** Data that some targets refuse. */
export const strictness = [
  {
    name: 'over-long-text-refused',
    why: 'The database columns hold 100 characters.',
    limits: ['CRE-3', 'UPD-2'],
    steps: (base) => refusingText(base, 'too long', (text) => text.length > 100),
  },
  {
    name: 'over-long-body-refused',
    why: 'The gateway accepts no body over 16 KiB.',
    limits: ['CRE-3', 'REF-3'],
    steps: (base) => ({
      parseBody(body, headers) {
        if (body.length > 16 * 1024) throw contentTooLarge(16 * 1024);
        return base.parseBody(body, headers);
      },
    }),
  },
  {
    name: 'oversized-body-cut-off',
    why: 'The connection is closed if a body is larger than any customer.',
    limits: ['REF-3'],
    steps: (base) => refusing(base, (answer) => (answer.status === 413 ? { ...answer, status: 0 } : answer)),
  },
  {
    name: 'empty-text-refused',
    why: 'An empty text is an error.',
    limits: ['CRE-3', 'UPD-2'],
    steps: (base) => refusingText(base, 'must not be empty', (text) => text === ''),
  },
  {
    name: 'blank-text-refused',
    why: 'A text that is only white space is an error.',
    limits: ['CRE-3', 'UPD-2'],
    steps: (base) => refusingText(base, 'must not be blank', (text) => text.trim() === ''),
  },
  {
    name: 'short-text-refused',
    why: 'The minimum lengths of the full export are enforced.',
    limits: ['CRE-3', 'UPD-2'],
    steps: (base) =>
      checking(base, ({ address }) => {
        const { address1, city, state, zip } = isObject(address) ? address : {};
        const isShort = (text: Json | undefined, length: number) => typeof text === 'string' && text.length < length;
        if (isShort(address1, 1) || isShort(city, 1) || isShort(state, 2) || isShort(zip, 5)) throw invalid('Invalid address', 'address');
      }),
  },
  {
    name: 'control-characters-refused-everywhere',
    why: 'Control characters are refused inside customData too.',
    limits: ['CRE-3', 'VAL-5'],
    steps: (base) => refusingText(base, 'must not contain control characters', (text) => /\p{Cc}/u.test(text)),
  },
  {
    name: 'surrounding-space-refused',
    why: 'A text with leading or trailing white space is an error.',
    limits: ['CRE-3', 'VAL-5'],
    steps: (base) => refusingText(base, 'must not begin or end with white space', (text) => text !== text.trim()),
  },
  {
    name: 'non-ascii-refused',
    why: 'The core system supports only ASCII.',
    limits: ['CRE-3', 'VAL-5'],
    steps: (base) => refusingText(base, 'must be ASCII', (text) => /[^ -~]/.test(text)),
  },
  {
    name: 'beyond-bmp-refused',
    why: 'The database keeps at most three bytes for a character.',
    limits: ['CRE-3', 'VAL-5'],
    steps: (base) => refusingText(base, 'must not contain characters beyond U+FFFF', (text) => /[\u{10000}-\u{10ffff}]/u.test(text)),
  },
  {
    name: 'markup-refused',
    why: 'The web application firewall refuses text that looks like markup or SQL.',
    limits: ['CRE-3', 'VAL-5'],
    steps: (base) => refusingText(base, 'not allowed', (text) => /[<>]|;\s*(drop|select|delete)\b/i.test(text)),
  },
  {
    name: 'unknown-properties-refused',
    why: 'The body is validated with additionalProperties: false.',
    limits: ['CRE-1'],
    steps: (base) =>
      checking(base, (body) => {
        if (!isDeepStrictEqual(knownProperties(body), { ...body })) throw invalid('Invalid body: unknown property');
      }),
  },
  {
    name: 'other-countries-refused',
    why: 'The business operates only in the United States and Canada.',
    limits: ['CRE-3', 'VAL-1'],
    steps: (base) => demanding(base, 'address.country', /^(US|CA)$/),
  },
  {
    name: 'currency-refused-but-two',
    why: 'The business supports two currencies.',
    limits: ['CRE-3', 'UPD-2'],
    steps: (base) => demanding(base, 'currency', /^(USD|CAD)$/),
  },
  {
    name: 'balance-refused-but-decimal',
    why: 'A balance is digits with at most two decimals.',
    limits: ['CRE-3', 'VAL-5'],
    steps: (base) => demanding(base, 'balance', /^-?\d{1,12}(\.\d{1,2})?$/),
  },
  {
    name: 'vip-refused-but-positive-integer',
    why: 'A vip level is a positive integer, as the guide says.',
    limits: ['CRE-3', 'VAL-5'],
    steps: (base) => demanding(base, 'vip', /^[1-9]\d{0,5}$/),
  },
  {
    name: 'date-of-birth-refused-but-iso',
    why: 'A date of birth is a day of the calendar before today, as YYYY-MM-DD.',
    limits: ['CRE-3', 'UPD-2'],
    steps: (base) =>
      demanding(base, 'dateOfBirth', (value) => {
        const time = Date.parse(`${value}T00:00:00Z`);
        return time < Date.now() && new Date(time).toISOString().startsWith(String(value)) && /^\d{4}-\d\d-\d\d$/.test(String(value));
      }),
  },
  {
    name: 'email-refused-but-usual',
    why: 'An e-mail address is checked by a pattern.',
    limits: ['CRE-3', 'UPD-2'],
    steps: (base) => demanding(base, 'email', /^[\w.+'-]+@[a-z0-9-]+(\.[a-z0-9-]+)+$/i),
  },
  {
    name: 'phone-refused-but-north-american',
    why: 'A phone number has the digits of a North American one.',
    limits: ['CRE-3', 'VAL-5'],
    steps: (base) => demanding(base, 'phone', (value) => /^1?\d{9,10}$/.test(String(value).replace(/[-+ .()]/g, ''))),
  },
  {
    name: 'tax-id-refused-but-nine-digits',
    why: 'A tax id has nine digits, with or without hyphens or spaces.',
    limits: ['CRE-3', 'UPD-2'],
    steps: (base) => demanding(base, 'taxId', (value) => /^\d{9}$/.test(String(value).replace(/[- ]/g, ''))),
  },
  {
    name: 'negative-balance-refused',
    why: 'A balance is never below zero.',
    limits: ['CRE-3', 'VAL-5'],
    steps: (base) => demanding(base, 'balance', /^[^-]*$/),
  },
  {
    name: 'negative-enroll-date-refused',
    why: 'No customer was enrolled before 1970.',
    limits: ['CRE-3', 'VAL-6'],
    steps: (base) => demanding(base, 'enrollDate', (value) => Number(value) >= 0),
  },
  {
    name: 'future-enroll-date-refused',
    why: 'A first transaction is in the past.',
    limits: ['CRE-3', 'VAL-6'],
    steps: (base) => demanding(base, 'enrollDate', (value) => Number(value) <= Date.now()),
  },
  {
    name: 'external-id-refused-but-letters-digits',
    why: 'An externalId consists of letters and digits.',
    limits: ['CRE-4', 'IDY-5', 'IDY-6'],
    steps: (base) => demanding(base, 'externalId', /^[a-z\d]+$/i),
  },
  {
    name: 'external-id-refused-but-url-safe',
    why: 'An externalId consists of characters that need no encoding in a URL.',
    limits: ['CRE-4', 'IDY-5', 'IDY-6'],
    steps: (base) => demanding(base, 'externalId', /^[\w.~-]{1,64}$/),
  },
  {
    name: 'create-without-external-id-refused',
    why: 'externalId is required, as the older page says.',
    limits: ['CRE-1'],
    steps: (base) =>
      checking(base, (body, { customer, externalId }) => {
        if (!customer && typeof body.externalId !== 'string' && externalId === undefined) throw invalid('Missing externalId', 'externalId');
      }),
  },
  {
    name: 'partial-update-refused',
    why: 'The same schema, with its required properties, applies to updates.',
    limits: ['UPD-1', 'UPD-4'],
    steps: (base) =>
      checking(base, (body, { customer }) => {
        const missing = REQUIRED.find((name) => body[name] === undefined);
        if (customer && missing !== undefined) throw invalid(`Missing required property ${missing}`, missing);
      }),
  },
  {
    name: 'tax-id-null-refused',
    why: 'A tax id may be required, so it is never removed.',
    limits: ['NULL-6'],
    steps: (base) =>
      checking(base, (body) => {
        if (body.taxId === null) throw invalid('Invalid taxId: must not be removed', 'taxId');
      }),
  },
  {
    name: 'tax-id-required-at-create',
    why: 'The industry requires a tax id for each new customer.',
    limits: ['CRE-1'],
    steps: (base) =>
      checking(base, (body, { customer }) => {
        if (!customer && typeof body.taxId !== 'string') throw invalid('Missing required property taxId', 'taxId');
      }),
  },
  {
    name: 'tax-id-required-always',
    why: 'The industry requires a tax id, in updates too.',
    limits: ['CRE-1', 'UPD-1'],
    steps: (base) =>
      checking(base, (body) => {
        if (typeof body.taxId !== 'string') throw invalid('Missing required property taxId', 'taxId');
      }),
  },
  {
    name: 'removal-of-nothing-refused',
    why: 'A property that does not exist cannot be removed.',
    limits: ['NULL-1', 'UPD-8'],
    steps: (base) =>
      checking(base, (body, { customer }) => {
        const absent = PROPERTIES.find((name) => body[name] === null && customer && customer[name] === undefined);
        if (absent !== undefined) throw invalid(`Invalid ${absent}: there is none to remove`, absent);
      }),
  },
  {
    name: 'duplicate-email-refused',
    why: 'No two customers of a merchant have the same e-mail address.',
    limits: ['CRE-1', 'UPD-2'],
    steps: (base) => uniquely(base, 'email'),
  },
  {
    name: 'duplicate-phone-refused',
    why: 'No two customers of a merchant have the same phone number.',
    limits: ['CRE-1', 'UPD-2'],
    steps: (base) => uniquely(base, 'phone'),
  },
  {
    name: 'duplicate-tax-id-refused',
    why: 'No two customers of a merchant have the same tax id.',
    limits: ['CRE-1', 'UPD-2'],
    steps: (base) => uniquely(base, 'taxId'),
  },
  {
    name: 'server-properties-refused',
    why: 'A client that sends a property that the platform sets gets a refusal.',
    limits: ['CRE-5', 'VAL-3'],
    steps: (base) =>
      checking(base, (body) => {
        const given = ['merchantId', 'createdAt', 'updatedAt', 'personId'].find((name) => body[name] !== undefined);
        if (given !== undefined) throw invalid(`Invalid ${given}: is given by the platform`, given);
      }),
  },
  {
    name: 'foreign-merchant-id-refused',
    why: 'A merchantId is compared with the merchant of the credentials.',
    limits: ['CRE-5'],
    steps: (base) => ({
      validate(body, selection, context) {
        const { merchantId = context.merchant.merchantId } = body;
        if (merchantId !== context.merchant.merchantId) throw invalid('Invalid merchantId: not that of the credentials', 'merchantId');
        return base.validate(body, selection, context);
      },
    }),
  },
  {
    name: 'person-id-taken-over',
    why: 'A personId sent by a client is kept like any other property.',
    limits: ['CRE-3', 'UPD-2'],
    steps: (base) => ({
      validate(body, selection, context) {
        const changes = base.validate(body, selection, context);
        return body.personId === undefined ? changes : { ...changes, personId: body.personId };
      },
    }),
  },
] as const satisfies readonly Latitude[];

/** Refuses texts anywhere, the names of customData's own properties excepted. */
function refusingText(base: Behaviour, reason: string, isRefused: (text: string) => boolean): Partial<Behaviour> {
  return {
    validate(body, selection, context) {
      const changes = base.validate(body, selection, context);
      for (const [name, value] of Object.entries(changes)) {
        mapTexts(value, (text) => {
          if (isRefused(text)) throw invalid(`Invalid ${name}: ${reason}`, name);
          return text;
        });
      }
      return changes;
    },
  };
}

/** Refuses values of one property; a dot leads into an object. */
function demanding(base: Behaviour, path: string, form: RegExp | ((value: Json) => boolean)): Partial<Behaviour> {
  const [outer = '', inner] = path.split('.');
  const isRight = (value: Json) => (form instanceof RegExp ? typeof value !== 'string' || form.test(value) : form(value));
  return {
    validate(body, selection, context) {
      const changes = base.validate(body, selection, context);
      const object = changes[outer];
      const value = inner === undefined ? object : isObject(object) ? object[inner] : undefined;
      if (value !== undefined && value !== null && !isRight(value)) throw invalid(`Invalid ${path}: not supported`, path);
      return changes;
    },
  };
}

/** Refuses a value that another customer of the merchant has. */
function uniquely(base: Behaviour, name: string): Partial<Behaviour> {
  return {
    checkUnique(properties, before, context) {
      base.checkUnique(properties, before, context);
      const value = properties[name];
      const others = context.store.all(context.merchant.merchantId).filter(({ customerId }) => customerId !== before?.customerId);
      if (value !== undefined && others.some((other) => other[name] === value)) throw clash(`Another Customer has this ${name}`);
    },
  };
}
