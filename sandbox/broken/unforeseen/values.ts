import { type Behaviour, conforming } from '../../behaviour.ts';
import { isObject, type Json, type JsonObject } from '../../json.ts';
import { type Customer, perStore } from '../../store.ts';
import type { Broken } from '../../variant.ts';
import { selectedBy } from './state.ts';

const IDS = ['customerId', 'merchantId', 'externalId', 'personId'];

/** Servers that lose a value, change it, or show another one. */
export const values: readonly Broken[] = [
  {
    name: 'pooled-address-in-answer',
    why: 'The address of an answer to a POST is an object from a pool, which is filled without being cleared.',
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
    why: 'An update answers with the columns that it did not change as the driver gives them, and a BIGINT comes as text.',
    breaks: ['ANS-3', 'ANS-5'],
    behaviour: answeringUpdate((customer, before) => (before.enrollDate === customer.enrollDate ? asRow(customer) : customer)),
  },
  {
    name: 'bigint-as-text',
    why: 'The update by the externalId of the body answers with the row that its RETURNING gives, in which a BIGINT is text.',
    breaks: ['ANS-3', 'ANS-5'],
    behaviour: selectedBy((by) => by === 'externalId' && answeringUpdate(asRow)),
  },
  {
    name: 'custom-data-without-defaults',
    why: 'The library that writes the column of the custom data leaves out each false and each 0, and the answer is made from memory.',
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
    why: 'Custom data is kept as XML, and read back by a converter that takes a list of one item for the item.',
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
    why: 'The trail of updates escapes the old values for its page in the very record that the update is merged into.',
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
    why: 'Driver licenses are kept by a service of their own, which the create by the query does not call.',
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
    why: 'An update answers with the row that its RETURNING gives, and what an earlier one removed is null there.',
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
];

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

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
