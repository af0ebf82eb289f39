import { isDeepStrictEqual } from 'node:util';
import { type Behaviour, conforming } from '../../sandbox/behaviour.ts';
import { isObject, type Json, type JsonObject } from '../../sandbox/json.ts';
import { invalid } from '../../sandbox/refusal.ts';
import { REQUIRED } from '../../sandbox/schema.ts';
import { type Customer, perStore } from '../../sandbox/store.ts';
import type { BrokenServer } from '../variant.ts';

const TABLES = ['driverLicense', 'customData'];
const ATTRIBUTES = ['taxId', 'dateOfBirth', 'vip', 'currency', 'balance', 'organizationNumber', 'externalTier', 'nationalId'];

/** Servers that fail to remove a property, remove too much, or bring it back. */
export const removal: readonly BrokenServer[] = [
  {
    name: 'removal-ignored',
    why: 'The mapper skips every null before it updates the record.',
    breaks: ['NULL-1', 'NULL-2', 'NULL-3', 'NULL-6'],
    behaviour: removing((name, before) => before[name] ?? null),
  },
  {
    name: 'removal-ignored-by-query',
    why: 'The handler of the query parameter has a mapper of its own, which skips every null.',
    breaks: ['NULL-1', 'NULL-2', 'NULL-3', 'NULL-6'],
    behaviour: {
      ...conforming,
      validate(body, selection, context) {
        const changes = conforming.validate(body, selection, context);
        return selection.customer && selection.externalId !== undefined ? only(changes, (value) => value !== null) : changes;
      },
    },
  },
  {
    name: 'removal-kept-as-null',
    why: 'The answer is the row as it is, with the columns that hold NULL.',
    breaks: ['NULL-1', 'NULL-2', 'NULL-3', 'NULL-6', 'ANS-3'],
    behaviour: { ...conforming, apply: (before, changes) => ({ ...before, ...changes }) },
  },
  {
    name: 'removal-to-empty-text',
    why: 'The text columns are NOT NULL, so a null is written as an empty string.',
    breaks: ['NULL-1', 'NULL-2', 'NULL-3', 'NULL-6'],
    behaviour: removing((name, before) => (typeof before[name] === 'string' ? '' : null)),
  },
  {
    name: 'removal-to-empty-object',
    why: 'The mapper merges a nested null as an empty object.',
    breaks: ['NULL-1', 'NULL-2', 'NULL-3', 'ANS-3'],
    behaviour: removing((name, before) => (isObject(before[name]) ? {} : null)),
  },
  {
    name: 'removal-to-default',
    why: 'The currency column has a default, and null falls back to it.',
    breaks: ['NULL-1', 'NULL-2', 'NULL-3'],
    behaviour: removing((name) => (name === 'currency' ? 'USD' : null)),
  },
  {
    name: 'removal-to-zero',
    why: 'The enroll date is a primitive integer, which turns a null into 0.',
    breaks: ['NULL-1', 'NULL-2', 'NULL-3'],
    behaviour: removing((name) => (name === 'enrollDate' ? 0 : null)),
  },
  {
    name: 'removal-in-answer-only',
    why: 'The answer is made from the merged object, while the statement that writes it omits the nulls.',
    breaks: ['NULL-1', 'NULL-2', 'NULL-3', 'NULL-6', 'ANS-5', 'UPD-7'],
    behaviour: {
      ...conforming,
      save(properties, before, context) {
        const customer = conforming.save(properties, before, context);
        context.store.put({ ...before, ...customer });
        return customer;
      },
    },
  },
  {
    name: 'removal-of-two-takes-first',
    why: 'The loop over the nulls ends after the first one.',
    breaks: ['NULL-2', 'NULL-1'],
    behaviour: changing((changes) => {
      const first = Object.keys(changes).find((name) => changes[name] === null);
      return only(changes, (value, name) => value !== null || name === first);
    }),
  },
  {
    name: 'removal-drops-new-values',
    why: 'A request with a null takes the branch that deletes and never reaches the one that updates.',
    breaks: ['NULL-2', 'UPD-2', 'UPD-3'],
    behaviour: changing((changes) => (removes(changes) ? only(changes, (value) => value === null) : changes)),
  },
  {
    name: 'removal-dropped-beside-new-values',
    why: 'Nulls are handled only if no property of the request has a new value.',
    breaks: ['NULL-2', 'NULL-1'],
    behaviour: changing((changes, before) => {
      const updates = Object.entries(changes).some(([name, value]) => value !== null && !isDeepStrictEqual(value, before[name]));
      return updates ? only(changes, (value) => value !== null) : changes;
    }),
  },
  {
    name: 'removal-revived-by-update',
    why: 'Removed values are marked as deleted, and an update of anything else clears the mark.',
    breaks: ['NULL-3', 'UPD-4', 'UPD-9'],
    behaviour: marking((marked, changes) => (removes(changes) ? {} : only(marked, (_, name) => !(name in changes)))),
  },
  {
    name: 'removal-revived-by-next-removal',
    why: 'The list of the removed properties is replaced by each removal instead of added to.',
    breaks: ['NULL-3', 'NULL-5', 'UPD-4', 'UPD-9'],
    behaviour: marking((marked, changes) => (removes(changes) ? only(marked, (_, name) => !(name in changes)) : {})),
  },
  {
    name: 'set-again-brings-old-value',
    why: 'Setting a removed property clears its deletion mark and leaves the old value in place.',
    breaks: ['NULL-4', 'UPD-2', 'UPD-3', 'UPD-8'],
    behaviour: marking((marked, changes) => only(marked, (_, name) => (changes[name] ?? null) !== null)),
  },
  {
    name: 'set-again-refused',
    why: 'A removed date of birth is treated as locked.',
    breaks: ['NULL-4', 'UPD-1', 'UPD-3'],
    behaviour: marking((marked, changes) => {
      const locked = 'dateOfBirth' in marked && (changes.dateOfBirth ?? null) !== null;
      if (locked) throw invalid('Invalid dateOfBirth: is locked', 'dateOfBirth');
      return {};
    }),
  },
  {
    name: 'removal-rebuilds-record',
    why: 'A request with a null replaces all optional properties with those that it sends.',
    breaks: ['NULL-5', 'UPD-4'],
    behaviour: {
      ...conforming,
      apply(before, changes, context) {
        const kept = before && removes(changes) ? only(before, (_, name) => [...REQUIRED, 'externalId'].includes(name)) : before;
        return conforming.apply(undefined, { ...kept, ...changes }, context);
      },
    },
  },
  {
    name: 'removal-of-currency-takes-balance',
    why: 'The currency and the balance are one row of another table, which is deleted with the currency.',
    breaks: ['NULL-5', 'UPD-4'],
    behaviour: changing((changes) => (changes.currency === null ? { balance: null, ...changes } : changes)),
  },
  {
    name: 'removal-of-tax-id-ignored',
    why: 'The tax id vault has no delete operation, and the call is skipped silently.',
    breaks: ['NULL-6'],
    behaviour: removing((name, before) => (name === 'taxId' ? (before.taxId ?? null) : null)),
  },
  {
    name: 'removal-of-tax-id-undone-by-update',
    why: 'Each update that sends no tax id fetches it from the vault, where it was never deleted.',
    breaks: ['NULL-6', 'NULL-3', 'UPD-4', 'UPD-9'],
    behaviour: marking((marked, changes) => only(marked, (_, name) => name === 'taxId' && !('taxId' in changes))),
  },
  {
    name: 'license-row-stays-deleted',
    why: 'A removed driver license is a row marked as deleted, and writing a new one to the row does not clear the mark.',
    origin: 'held-out',
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
    origin: 'held-out',
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
    why: 'A property with a table of its own is removed by a mark on its row, and an update of anything else clears the mark.',
    origin: 'held-out',
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
    why: 'Optional texts are rows of one table, and a removal deletes every row of the customer with the same value.',
    origin: 'held-out',
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

/** What a property of an existing customer becomes where it is set to null; `null` removes it. */
function removing(becomes: (name: string, before: Customer) => Json): Behaviour {
  return changing((changes, before) =>
    Object.fromEntries(Object.entries(changes).map(([name, value]) => [name, value === null ? becomes(name, before) : value])),
  );
}

/** Applies other changes to an existing customer than those of the request. */
function changing(change: (changes: JsonObject, before: Customer) => JsonObject): Behaviour {
  return {
    ...conforming,
    apply: (before, changes, context) => conforming.apply(before, before ? change(changes, before) : changes, context),
  };
}

/** Keeps removed values beside the customer; `revive` gives those of them that a later update brings back. */
function marking(revive: (marked: JsonObject, changes: JsonObject) => JsonObject): Behaviour {
  return {
    ...conforming,
    apply(before, changes, context) {
      if (!before) return conforming.apply(before, changes, context);
      const marked = isObject(before.marked) ? before.marked : {};
      const removed = only(before, (_, name) => changes[name] === null);
      const revived = revive(marked, changes);
      const left = only({ ...marked, ...removed }, (_, name) => !(name in revived) && (changes[name] ?? null) === null);
      return { ...conforming.apply(before, changes, context), ...revived, marked: left };
    },
    present: ({ marked: _, ...customer }) => customer,
  };
}

function removes(changes: JsonObject): boolean {
  return Object.values(changes).includes(null);
}

function only(properties: JsonObject, keeps: (value: Json, name: string) => boolean): JsonObject {
  return Object.fromEntries(Object.entries(properties).filter(([name, value]) => keeps(value, name)));
}
