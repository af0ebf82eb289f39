import { type Behaviour, conforming } from '../behaviour.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { Customer } from '../store.ts';
import type { Broken } from '../variant.ts';

const HOUR = 3_600_000;
const REGIONS = new Intl.DisplayNames(['en'], { type: 'region' });
const STATES: Readonly<Record<string, string>> = {
  ...{ AZ: 'Arizona', CA: 'California', CO: 'Colorado', FL: 'Florida', GA: 'Georgia', IL: 'Illinois', MA: 'Massachusetts' },
  ...{ MI: 'Michigan', NC: 'North Carolina', NJ: 'New Jersey', NY: 'New York', OH: 'Ohio', OR: 'Oregon', PA: 'Pennsylvania' },
  ...{ TX: 'Texas', VA: 'Virginia', WA: 'Washington', AB: 'Alberta', BC: 'British Columbia', ON: 'Ontario', QC: 'Quebec' },
};

/** Servers that change a value on its way in, in the store or on its way out. */
export const values: readonly Broken[] = [
  {
    name: 'country-as-name',
    why: 'The answer shows the country as people read it.',
    breaks: ['VAL-1', 'CRE-3', 'UPD-2'],
    behaviour: showing((text, path) => (path === 'address.country' ? (REGIONS.of(text) ?? text) : text)),
  },
  {
    name: 'country-in-lower-case-by-update',
    why: 'The statement that updates an address writes its country in the lower case of a locale.',
    breaks: ['VAL-1', 'UPD-2'],
    behaviour: keeping((text, path, before) => (before && path === 'address.country' ? text.toLowerCase() : text)),
  },
  {
    name: 'license-state-spelled-out',
    why: 'The answer joins the table of states by name instead of by code.',
    breaks: ['VAL-2', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: showing((text, path) => (path === 'driverLicense.state' ? (STATES[text] ?? text) : text)),
  },
  {
    name: 'license-state-with-country',
    why: 'The codes of ISO 3166-2 are shown whole, as US-CA.',
    breaks: ['VAL-2', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: showing((text, path, { address }) =>
      path === 'driverLicense.state' && isObject(address) ? `${address.country}-${text}` : text,
    ),
  },
  {
    name: 'created-at-of-deployment',
    why: 'The default of the column was computed once, when the service was deployed.',
    breaks: ['VAL-3'],
    behaviour: { ...conforming, present: (customer) => ({ ...customer, createdAt: Date.UTC(2026, 0, 5, 9, 30) }) },
  },
  {
    name: 'created-at-in-microseconds',
    why: 'The database counts in microseconds, and nobody divides.',
    breaks: ['VAL-3'],
    behaviour: { ...conforming, present: (customer) => ({ ...customer, createdAt: customer.createdAt * 1000 }) },
  },
  {
    name: 'timestamps-in-local-time',
    why: 'The database keeps local time, which is read as if it were UTC.',
    breaks: ['VAL-3', 'VAL-4'],
    behaviour: {
      ...conforming,
      present: (customer) => ({ ...customer, createdAt: customer.createdAt - 7 * HOUR, updatedAt: customer.updatedAt - 7 * HOUR }),
    },
  },
  {
    name: 'updated-at-ahead',
    why: 'A trigger on a machine in another time zone sets the time of the update.',
    breaks: ['VAL-4'],
    behaviour: {
      ...conforming,
      present({ createdAt, updatedAt, ...customer }) {
        return { ...customer, createdAt, updatedAt: updatedAt === createdAt ? updatedAt : updatedAt + 9 * HOUR };
      },
    },
  },
  {
    name: 'updated-at-of-midnight',
    why: 'The column of the last update is a date without a time.',
    breaks: ['VAL-4'],
    behaviour: {
      ...conforming,
      present: (customer) => ({ ...customer, updatedAt: customer.updatedAt - (customer.updatedAt % (24 * HOUR)) }),
    },
  },
  {
    name: 'zip-as-number',
    why: 'A ZIP code of digits is kept in a numeric column.',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2'],
    behaviour: keeping((text, path) => (path === 'address.zip' && /^\d+$/.test(text) ? String(Number(text)) : text)),
  },
  {
    name: 'tax-id-as-number',
    why: 'A taxId of digits is kept in a numeric column, which was tried with American ones.',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2'],
    behaviour: keeping((text, path) => (path === 'taxId' && /^\d+$/.test(text) ? String(Number(text)) : text)),
  },
  {
    name: 'balance-as-float',
    why: 'The balance is kept as a double and printed in its shortest form.',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: keeping((text, path) => (path === 'balance' && isDecimal(text) ? String(Number(text)) : text)),
  },
  {
    name: 'custom-data-numbers-guessed',
    why: 'Custom data goes through a format that takes text of digits for a number.',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: keeping((text, path) => (path.startsWith('customData.') && isDecimal(text) ? Number(text) : text)),
  },
  {
    name: 'name-in-latin-1',
    why: 'The column of the name is in Latin-1, and what it lacks becomes a question mark.',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2'],
    behaviour: keeping((text, path) => (path === 'name' ? text.replace(/[^\0-\xff]/gu, '?') : text)),
  },
  {
    name: 'text-cut-before-four-byte-character',
    why: 'The columns are in the three-byte UTF-8 of an old database, which cuts text at the first longer character.',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: keeping((text) => text.replace(/[\u{10000}-\u{10ffff}].*$/su, '')),
  },
  {
    name: 'accents-folded-by-update',
    why: 'An update sends the name through the normalisation that the search index needs.',
    breaks: ['VAL-5', 'UPD-2'],
    behaviour: keeping((text, path, before) => (before && path === 'name' ? text.normalize('NFD').replace(/\p{M}/gu, '') : text)),
  },
  {
    name: 'html-escaped-in-answer',
    why: 'The renderer of the answer escapes text as if it were a page.',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: showing(escapeHtml),
  },
  {
    name: 'html-escaped-at-each-save',
    why: 'A filter against scripts escapes the whole record each time it is saved.',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2', 'UPD-3', 'UPD-4', 'UPD-8', 'UPD-9', 'NULL-5'],
    behaviour: {
      ...conforming,
      save: (properties, before, context) => conforming.save(mapProperties(properties, escapeHtml), before, context),
    },
  },
  {
    name: 'quotes-doubled-in-address',
    why: 'The address is quoted for SQL by hand and then bound as a parameter.',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2'],
    behaviour: keeping((text, path) => (path.startsWith('address.') ? text.replaceAll("'", "''") : text)),
  },
  {
    name: 'plus-decoded-in-email',
    why: 'The e-mail is decoded as if it came from a form.',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2'],
    behaviour: keeping((text, path) => (path === 'email' ? text.replaceAll('+', ' ') : text)),
  },
  {
    name: 'percent-decoded-in-body',
    why: 'A filter decodes every string of a request, those of the body too.',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: keeping((text) => text.replace(/%[2-7][\da-f]/gi, decodeURIComponent)),
  },
  {
    name: 'date-of-birth-a-day-early-in-summer',
    why: 'Dates are kept as local midnight and printed in winter time, an hour before it.',
    breaks: ['CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: keeping((text, path) => (path === 'dateOfBirth' && /^\d{4}-(0[4-9]|10)-\d\d$/.test(text) ? dayBefore(text) : text)),
  },
  {
    name: 'enroll-date-in-32-bits',
    why: 'The enroll date is cast to an integer of 32 bits, which wraps around.',
    breaks: ['VAL-6', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: keepingEnrollDate((value) => value | 0),
  },
  {
    name: 'enroll-date-clamped-by-update',
    why: 'The statement that updates has a 32-bit parameter, which the driver fills with the largest integer it holds.',
    breaks: ['VAL-6', 'UPD-2', 'UPD-3'],
    behaviour: keepingEnrollDate((value, before) => (before ? Math.min(value, 2 ** 31 - 1) : value)),
  },
  {
    name: 'enroll-date-as-float',
    why: 'The column of the enroll date is a float of single precision.',
    breaks: ['VAL-6', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: keepingEnrollDate(Math.fround),
  },
];

type Change = (text: string, path: string, before: Customer | undefined) => Json;

/** Keeps each text that is sent as the change makes it. */
function keeping(change: Change): Behaviour {
  return {
    ...conforming,
    apply: (before, changes, context) =>
      conforming.apply(
        before,
        mapProperties(changes, (text, path) => change(text, path, before)),
        context,
      ),
  };
}

/** Shows each text as the change makes it, and keeps it as it was sent. */
function showing(change: (text: string, path: string, customer: Customer) => string): Behaviour {
  return { ...conforming, present: (customer) => mapProperties(customer, (text, path) => change(text, path, customer)) };
}

function keepingEnrollDate(change: (value: number, before: Customer | undefined) => number): Behaviour {
  return {
    ...conforming,
    apply(before, changes, context) {
      const { enrollDate } = changes;
      const kept = typeof enrollDate === 'number' ? { enrollDate: change(enrollDate, before) } : {};
      return conforming.apply(before, { ...changes, ...kept }, context);
    },
  };
}

/** Changes every text but the ids, wherever it is nested. */
function mapProperties(properties: JsonObject, change: (text: string, path: string) => Json, parent = ''): JsonObject {
  const map = (value: Json, path: string): Json => {
    if (typeof value === 'string') return change(value, path);
    if (Array.isArray(value)) return value.map((item) => map(item, path));
    return isObject(value) ? mapProperties(value, change, `${path}.`) : value;
  };
  const isId = (path: string) => ['customerId', 'externalId', 'merchantId'].includes(path);
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [name, isId(parent + name) ? value : map(value, parent + name)]),
  );
}

function isDecimal(text: string): boolean {
  return /^[+-]?\d{1,15}(\.\d{1,15})?(e\d{1,2})?$/i.test(text);
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function dayBefore(date: string): string {
  return new Date(Date.parse(date) - 24 * HOUR).toISOString().slice(0, 10);
}
