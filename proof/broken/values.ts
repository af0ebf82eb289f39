import { type Behaviour, conforming } from '../../sandbox/behaviour.ts';
import { isObject, type Json, type JsonObject } from '../../sandbox/json.ts';
import { type Customer, perStore } from '../../sandbox/store.ts';
import { selectedBy } from '../steps.ts';
import type { BrokenServer } from '../variant.ts';

const HOUR = 3_600_000;
const REGIONS = new Intl.DisplayNames(['en'], { type: 'region' });
const STATES: Readonly<Record<string, string>> = {
  ...{ AZ: 'Arizona', CA: 'California', CO: 'Colorado', FL: 'Florida', GA: 'Georgia', IL: 'Illinois', MA: 'Massachusetts' },
  ...{ MI: 'Michigan', NC: 'North Carolina', NJ: 'New Jersey', NY: 'New York', OH: 'Ohio', OR: 'Oregon', PA: 'Pennsylvania' },
  ...{ TX: 'Texas', VA: 'Virginia', WA: 'Washington', AB: 'Alberta', BC: 'British Columbia', ON: 'Ontario', QC: 'Quebec' },
};

const IDS = ['customerId', 'merchantId', 'externalId', 'personId'];

const INHERITED = ['__proto__', 'constructor', 'prototype'];

/** Servers that change a value on its way in, in the store or on its way out. */
export const values: readonly BrokenServer[] = [
  {
    name: 'country-as-name',
    why: 'The answer shows the name of the country.',
    breaks: ['VAL-1', 'CRE-3', 'UPD-2'],
    behaviour: showing((text, path) => (path === 'address.country' ? (REGIONS.of(text) ?? text) : text)),
  },
  {
    name: 'country-in-lower-case-by-update',
    why: 'The UPDATE statement for an address writes its country in the lower case of a locale.',
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
    why: 'The database counts in microseconds, and nobody converts them.',
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
    why: 'A taxId that consists of digits is stored in a numeric column, which was tested with American tax ids only.',
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
    why: 'Custom data goes through a format that reads digits as a number.',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: keeping((text, path) => (path.startsWith('customData.') && isDecimal(text) ? Number(text) : text)),
  },
  {
    name: 'name-in-latin-1',
    why: 'The name column is in Latin-1, and other characters become question marks.',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2'],
    behaviour: keeping((text, path) => (path === 'name' ? text.replace(/[^\0-\xff]/gu, '?') : text)),
  },
  {
    name: 'text-cut-before-four-byte-character',
    why: 'The columns use the three-byte UTF-8 of an old database, which cuts text at the first longer character.',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: keeping((text) => text.replace(/[\u{10000}-\u{10ffff}].*$/su, '')),
  },
  {
    name: 'accents-folded-by-update',
    why: 'An update applies the normalisation of the search index to the name.',
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
    why: 'A filter decodes every string of a request, including those in the body.',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: keeping((text) => text.replace(/%[2-7][\da-f]/gi, decodeURIComponent)),
  },
  {
    name: 'date-of-birth-a-day-early-in-summer',
    why: 'Dates are stored as local midnight and printed in winter time, one hour earlier.',
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
  {
    name: 'pooled-address-in-answer',
    why: 'The address of an answer to a POST is an object from a pool, which is filled without being cleared.',
    origin: 'held-out',
    breaks: ['ANS-9', 'ANS-5'],
    behaviour: (() => {
      const pooledIn = perStore((): JsonObject => ({}));
      return selectedBy(() => ({
        present: (customer, { store }) => {
          const { address } = customer;
          return isObject(address) ? { ...customer, address: { ...Object.assign(pooledIn(store), address) } } : customer;
        },
      }));
    })(),
  },
  {
    name: 'enroll-date-bigint-as-text',
    why: 'An update answers with unchanged columns as the driver returns them, and the driver returns a BIGINT as text.',
    origin: 'held-out',
    breaks: ['ANS-3', 'ANS-5'],
    behaviour: answeringUpdate((customer, before) => (before.enrollDate === customer.enrollDate ? asRow(customer) : customer)),
  },
  {
    name: 'bigint-as-text',
    why: 'The update by the externalId of the body answers with the row from RETURNING, in which a BIGINT is text.',
    origin: 'held-out',
    breaks: ['ANS-3', 'ANS-5'],
    behaviour: selectedBy((by) => by === 'externalId' && answeringUpdate(asRow)),
  },
  {
    name: 'custom-data-without-defaults',
    why: 'The library that writes custom data omits each false and each 0, and the answer is built from memory.',
    origin: 'held-out',
    breaks: ['CRE-3', 'UPD-2', 'UPD-3', 'ANS-5'],
    behaviour: {
      ...conforming,
      save: (properties, before, context) => {
        const customer = conforming.save(properties, before, context);
        const { customData } = customer;
        if (customData !== undefined) context.store.put({ ...customer, customData: withoutDefaults(customData) });
        return customer;
      },
    },
  },
  {
    name: 'list-of-one-unwrapped',
    why: 'Custom data is stored as XML, and read back by a converter that turns a list of one item into the item.',
    origin: 'held-out',
    breaks: ['CRE-3', 'UPD-2', 'UPD-8'],
    behaviour: {
      ...conforming,
      save: (properties, before, context) => {
        const { customData } = properties;
        const kept = customData === undefined ? properties : { ...properties, customData: throughXml(customData) };
        return conforming.save(kept, before, context);
      },
    },
  },
  {
    name: 'audit-trail',
    why: 'The audit log of updates escapes the old values for HTML in the same record that the update is merged into.',
    origin: 'held-out',
    breaks: ['UPD-4', 'VAL-5', 'NULL-5', 'UPD-8', 'UPD-9'],
    behaviour: {
      ...conforming,
      apply: (before, changes, context) => {
        if (!before) return conforming.apply(before, changes, context);
        const audited: Customer = { ...before };
        for (const [name, value] of Object.entries(before)) {
          if (typeof value === 'string' && !IDS.includes(name)) audited[name] = escapeHtml(value);
        }
        return conforming.apply(audited, changes, context);
      },
    },
  },
  {
    name: 'license-step-forgotten',
    why: 'Driver licenses are stored by a separate service, and the create by the query does not call it.',
    origin: 'held-out',
    breaks: ['CRE-3', 'ANS-5'],
    behaviour: selectedBy(
      (by) =>
        by === 'query' && {
          save: (properties, before, context) => {
            const { driverLicense, ...row } = properties;
            if (before || driverLicense === undefined) return conforming.save(properties, before, context);
            return { ...conforming.save(row, before, context), driverLicense };
          },
        },
    ),
  },
  {
    name: 'null-columns-in-later-answers',
    why: 'An update answers with the row from RETURNING, in which previously removed properties are null.',
    origin: 'held-out',
    breaks: ['ANS-3', 'NULL-3'],
    behaviour: (() => {
      const nullsIn = perStore(() => new Map<string, string[]>());
      return selectedBy(() => {
        let nulls: string[] = [];
        return {
          save: (properties, before, context) => {
            const customer = conforming.save(properties, before, context);
            const isAbsent = (name: string) => customer[name] === undefined;
            nulls = (nullsIn(context.store).get(customer.customerId) ?? []).filter(isAbsent);
            const removed = Object.keys(before ?? {}).filter(isAbsent);
            nullsIn(context.store).set(customer.customerId, [...nulls, ...removed]);
            return customer;
          },
          present: (customer) => ({ ...customer, ...Object.fromEntries(nulls.map((name) => [name, null])) }),
        };
      });
    })(),
  },
  {
    name: 'text-cut-at-255-characters',
    why: 'Text columns hold 255 characters, and a database that is not in strict mode cuts off the rest.',
    shownBy: 'generated',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: keepingColumns((text) => [...text].slice(0, 255).join('')),
  },
  {
    name: 'compatibility-characters-replaced',
    why: 'Text is normalised with NFKC, which search needs, instead of NFC.',
    shownBy: 'generated',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: keepingColumns((text) => text.normalize('NFKC')),
  },
  {
    name: 'white-space-squeezed',
    why: 'The input filter trims text and also replaces each run of white space with one space.',
    shownBy: 'generated',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: keepingText((text) => text.trim().replace(/\s+/g, ' ')),
  },
  {
    name: 'format-characters-stripped',
    why: 'Invisible characters are treated as leftovers of a paste and removed, including the joiners in emoji.',
    shownBy: 'generated',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: keepingText((text) => text.replace(/\p{Cf}/gu, '')),
  },
  {
    name: 'custom-data-set-by-path',
    why: 'The document store is told to set the path customData.<key>, in which a dot in the key leads into an object.',
    shownBy: 'generated',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: keepingData(setByPath),
  },
  {
    name: 'custom-data-cut-below-four-levels',
    why: 'Custom data goes through the formatter for the log, which writes [Object] below four levels.',
    shownBy: 'generated',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: keepingData((data) => cutBelow(data, 4) as JsonObject),
  },
  {
    name: 'inherited-names-dropped-from-custom-data',
    why: 'A guard against prototype pollution drops every key that objects inherit, such as constructor.',
    shownBy: 'generated',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: keepingData((data) => withoutInherited(data) as JsonObject),
  },
  {
    name: 'enroll-date-without-sign',
    why: 'The timestamp parser reads only the digits, so a day before 1970 becomes a day equally long after it.',
    shownBy: 'generated',
    breaks: ['VAL-6', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: keepingValues((value, path) => (path === 'enrollDate' ? Math.abs(Number(value)) : value)),
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

/** The conforming server, with another answer to an update than the customer that it stored. */
function answeringUpdate(answered: (customer: Customer, before: Customer) => Customer): Behaviour {
  return {
    ...conforming,
    save: (properties, before, context) => {
      const customer = conforming.save(properties, before, context);
      return before ? answered(customer, before) : customer;
    },
  };
}

/** The customer as a database driver gives its row. */
function asRow(customer: Customer): Customer {
  const { enrollDate } = customer;
  return enrollDate === undefined ? customer : { ...customer, enrollDate: String(enrollDate) };
}

function withoutDefaults(value: Json): Json {
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([, inner]) => inner !== false && inner !== 0);
  return Object.fromEntries(kept.map(([name, inner]) => [name, withoutDefaults(inner)]));
}

function throughXml(value: Json): Json {
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, throughXml(inner)]));
  if (!Array.isArray(value)) return value;
  const items = value.map(throughXml);
  return items.length === 1 ? (items[0] ?? items) : items;
}

/** The conforming server, with each property that is set changed before it is kept. */
function keepingValues(change: (value: Json, name: string) => Json): Behaviour {
  return {
    ...conforming,
    apply: (before, changes, context) => {
      const kept = Object.entries(changes).map(([name, value]) => [name, value === null ? value : change(value, name)]);
      return conforming.apply(before, Object.fromEntries(kept), context);
    },
  };
}

/** Changes all text but the externalId. */
function keepingText(change: (text: string) => string): Behaviour {
  return keepingValues((value, name) => (name === 'externalId' ? value : mapText(value, change)));
}

/** Changes the text of each property but the externalId and customData, which is a column of its own kind. */
function keepingColumns(change: (text: string) => string): Behaviour {
  return keepingValues((value, name) => (name === 'externalId' || name === 'customData' ? value : mapText(value, change)));
}

function mapText(value: Json, change: (text: string) => string): Json {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapText(item, change));
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, mapText(inner, change)])) : value;
}

function keepingData(change: (data: JsonObject) => JsonObject): Behaviour {
  return keepingValues((value, name) => (name === 'customData' && isObject(value) ? change(value) : value));
}

function setByPath(data: JsonObject): JsonObject {
  const nested = Object.entries(data).map(([path, value]) =>
    path.split('.').reduceRight<Json>((inner, key) => Object.fromEntries([[key, inner]]), value),
  );
  return Object.fromEntries(nested.flatMap((object) => Object.entries(object ?? {})));
}

/** A value that has so many levels at most, each array or object being one. */
function cutBelow(value: Json, levels: number): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (levels === 0) return Array.isArray(value) ? '[Array]' : '[Object]';
  if (Array.isArray(value)) return value.map((item) => cutBelow(item, levels - 1));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, cutBelow(inner, levels - 1)]));
}

function withoutInherited(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutInherited);
  if (!isObject(value)) return value;
  const own = Object.entries(value).filter(([key]) => !INHERITED.includes(key));
  return Object.fromEntries(own.map(([key, inner]) => [key, withoutInherited(inner)]));
}
