import { isDeepStrictEqual } from 'node:util';
import { conforming } from '../../behaviour.ts';
import type { JsonObject } from '../../json.ts';
import { perStore } from '../../store.ts';
import type { Broken } from '../../variant.ts';

const TABLES = ['driverLicense', 'customData'];
const ATTRIBUTES = ['taxId', 'dateOfBirth', 'vip', 'currency', 'balance', 'organizationNumber', 'externalTier', 'nationalId'];

/** Servers that remember what was removed, or remove more. */
export const removal: readonly Broken[] = [
  {
    name: 'license-row-stays-deleted',
    why: 'A removed driver license is a row marked as deleted, and writing another one to the row leaves the mark.',
    breaks: ['NULL-4', 'UPD-2', 'UPD-3'],
    behaviour: (() => {
      const deletedIn = perStore(() => new Set<string>());
      return {
        ...conforming,
        save: (properties, before, context) => {
          const deleted = deletedIn(context.store);
          if (before?.driverLicense !== undefined && properties.driverLicense === undefined) deleted.add(before.customerId);
          const { driverLicense: _, ...others } = properties;
          return conforming.save(before && deleted.has(before.customerId) ? others : properties, before, context);
        },
      };
    })(),
  },
  {
    name: 'same-value-after-removal',
    why: 'The check for dirty columns compares with the value last written, which a removal does not clear.',
    breaks: ['NULL-4', 'UPD-2', 'UPD-3'],
    behaviour: (() => {
      const writtenIn = perStore(() => new Map<string, JsonObject>());
      return {
        ...conforming,
        apply: (before, changes, context) => {
          const written = writtenIn(context.store).get(before?.customerId ?? '') ?? {};
          const dirty = Object.entries(changes).filter(([name, value]) => value === null || !isDeepStrictEqual(value, written[name]));
          return conforming.apply(before, Object.fromEntries(dirty), context);
        },
        save: (properties, before, context) => {
          const customer = conforming.save(properties, before, context);
          const written = writtenIn(context.store);
          written.set(customer.customerId, { ...written.get(customer.customerId), ...customer });
          return customer;
        },
      };
    })(),
  },
  {
    name: 'soft-delete',
    why: 'What has a table of its own is removed by a mark on its row, which an update of anything else does not see and clears.',
    breaks: ['NULL-3', 'UPD-4', 'UPD-9'],
    behaviour: (() => {
      const markedIn = perStore(() => new Map<string, JsonObject>());
      return {
        ...conforming,
        apply: (before, changes, context) =>
          conforming.apply(before, { ...markedIn(context.store).get(before?.customerId ?? ''), ...changes }, context),
        save: (properties, before, context) => {
          const customer = conforming.save(properties, before, context);
          const marked = markedIn(context.store);
          const rows = Object.entries({ ...marked.get(customer.customerId), ...before });
          const absent = rows.filter(([name]) => TABLES.includes(name) && !(name in properties));
          marked.set(customer.customerId, Object.fromEntries(absent));
          return customer;
        },
      };
    })(),
  },
  {
    name: 'removal-by-value',
    why: 'Optional texts are rows of one table, and a removal deletes them by customer and value, another of the same value too.',
    breaks: ['NULL-5'],
    behaviour: {
      ...conforming,
      apply: (before, changes, context) => {
        const after = conforming.apply(before, changes, context);
        const removed = ATTRIBUTES.filter((name) => changes[name] === null).map((name) => before?.[name]);
        const deleted = ATTRIBUTES.filter((name) => changes[name] === undefined && removed.includes(before?.[name]));
        return Object.fromEntries(Object.entries(after).filter(([name]) => !deleted.includes(name)));
      },
    },
  },
];
