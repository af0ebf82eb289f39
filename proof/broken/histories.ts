import { conforming } from '../../sandbox/behaviour.ts';
import type { JsonObject } from '../../sandbox/json.ts';
import { PROPERTIES, REQUIRED } from '../../sandbox/schema.ts';
import { type Customer, perStore, Store } from '../../sandbox/store.ts';
import { selectedBy } from '../steps.ts';
import type { BrokenServer } from '../variant.ts';

const OPTIONAL = PROPERTIES.filter((name) => ![...REQUIRED, 'taxId', 'externalId', 'customerId', 'merchantId'].includes(name));

/** Servers that are right after any one update, and wrong after some in a certain order. */
export const histories: readonly BrokenServer[] = [
  {
    name: 'rename-leaves-rows-behind',
    why: 'Optional properties are rows under the externalId: a rename copies them, and the old rows reappear when a removal deletes the copies.',
    shownBy: 'generated',
    breaks: ['NULL-1', 'NULL-2', 'NULL-6', 'UPD-9'],
    behaviour: (() => {
      const leftIn = perStore(() => new Map<string, JsonObject>());
      return {
        ...conforming,
        apply: (before, changes, context) => {
          const left = leftIn(context.store).get(before?.customerId ?? '') ?? {};
          const shown = Object.entries(left).filter(([name]) => changes[name] === null);
          return { ...conforming.apply(before, changes, context), ...Object.fromEntries(shown) };
        },
        save: (properties, before, context) => {
          const left = leftIn(context.store);
          const isRenamed = before?.externalId !== undefined && before.externalId !== properties.externalId;
          if (isRenamed) left.set(before.customerId, { ...left.get(before.customerId), ...before });
          return conforming.save(properties, before, context);
        },
      };
    })(),
  },
  {
    name: 'removals-compacted',
    why: "An update by customerId starts from a replay of the customer's events, and compaction keeps only the last of the removals.",
    shownBy: 'generated',
    breaks: ['NULL-3', 'UPD-4', 'UPD-9', 'UPD-11'],
    behaviour: (() => {
      const removedIn = perStore(() => new Map<string, { earlier: JsonObject; last: JsonObject }>());
      return selectedBy((by) => ({
        apply: (before, changes, context) => {
          const removed = removedIn(context.store).get(before?.customerId ?? '');
          return conforming.apply(before, { ...(by === 'customerId' && removed?.earlier), ...changes }, context);
        },
        save: (properties, before, context) => {
          const customer = conforming.save(properties, before, context);
          const removed = removedIn(context.store);
          const { earlier, last } = removed.get(customer.customerId) ?? { earlier: {}, last: {} };
          const removal = without(before ?? {}, customer);
          removed.set(
            customer.customerId,
            Object.keys(removal).length > 0
              ? { earlier: without({ ...earlier, ...last }, customer), last: removal }
              : { earlier: without(earlier, customer), last: without(last, customer) },
          );
          return customer;
        },
      }));
    })(),
  },
  {
    name: 'value-of-an-agent-protected',
    why: 'Values sent by customerId are treated as typed by an agent, and an update by the query is treated as a batch job that does not overwrite them.',
    shownBy: 'generated',
    breaks: ['UPD-2', 'NULL-1', 'NULL-2', 'UPD-9', 'UPD-11'],
    behaviour: (() => {
      const typedIn = perStore(() => new Map<string, Set<string>>());
      return selectedBy((by) => ({
        apply: (before, changes, context) => {
          if (!before) return conforming.apply(before, changes, context);
          const typed = typedIn(context.store).get(before.customerId);
          const taken = Object.entries(changes).filter(([name]) => by !== 'query' || !typed?.has(name));
          return conforming.apply(before, Object.fromEntries(taken), context);
        },
        save: (properties, before, context) => {
          const customer = conforming.save(properties, before, context);
          const typed = typedIn(context.store).get(customer.customerId) ?? new Set();
          typedIn(context.store).set(customer.customerId, typed);
          for (const name of changed(before, customer)) {
            if (by === 'customerId' && name in customer && name !== 'externalId') typed.add(name);
            else typed.delete(name);
          }
          return customer;
        },
      }));
    })(),
  },
  {
    name: 'tombstone-in-the-index',
    why: 'A removal by the query leaves a mark in the index, and a later update by the externalId of the body carries out the removal again.',
    shownBy: 'generated',
    breaks: ['NULL-4', 'UPD-3', 'UPD-4', 'UPD-9', 'UPD-11'],
    behaviour: (() => {
      const marksIn = perStore(() => new Map<string, JsonObject>());
      return selectedBy((by) => ({
        apply: (before, changes, context) => {
          const marks = marksIn(context.store).get(before?.customerId ?? '');
          return conforming.apply(before, { ...changes, ...(by === 'externalId' && marks) }, context);
        },
        save: (properties, before, context) => {
          const customer = conforming.save(properties, before, context);
          const marks = marksIn(context.store);
          const removed = Object.keys(by === 'query' ? without(before ?? {}, customer) : {});
          const left = {
            ...without(marks.get(customer.customerId) ?? {}, customer),
            ...Object.fromEntries(removed.map((name) => [name, null])),
          };
          marks.set(customer.customerId, left);
          return customer;
        },
      }));
    })(),
  },
  {
    name: 'third-update-coalesced',
    why: 'The first two updates are kept as patches, and the third merges all of them into the row with COALESCE, which ignores nulls.',
    shownBy: 'generated',
    breaks: ['NULL-1', 'NULL-2', 'NULL-6', 'UPD-9', 'UPD-11'],
    behaviour: (() => {
      const countsIn = perStore(() => new Map<string, number>());
      return {
        ...conforming,
        apply: (before, changes, context) => {
          const folds = before && countsIn(context.store).get(before.customerId) === 2;
          const taken = Object.entries(changes).filter(([, value]) => !folds || value !== null);
          return conforming.apply(before, Object.fromEntries(taken), context);
        },
        save: (properties, before, context) => {
          const counts = countsIn(context.store);
          if (before) counts.set(before.customerId, (counts.get(before.customerId) ?? 0) + 1);
          return conforming.save(properties, before, context);
        },
      };
    })(),
  },
  {
    name: 'written-where-the-key-is-null',
    why: 'A rename sets the shard key of the row to null, and a create fills in the optional columns of every row whose key is its own or null.',
    shownBy: 'generated',
    breaks: ['UPD-10', 'UPD-9'],
    behaviour: (() => {
      const keylessIn = perStore(() => new Set<string>());
      return {
        ...conforming,
        save: (properties, before, context) => {
          const { store, merchant } = context;
          const keyless = keylessIn(store);
          const customer = conforming.save(properties, before, context);
          if (before) {
            if (before.externalId !== customer.externalId) keyless.add(customer.customerId);
            return customer;
          }
          const optional = Object.fromEntries(Object.entries(properties).filter(([name]) => OPTIONAL.includes(name)));
          for (const customerId of keyless) {
            const renamed = store.byId(merchant.merchantId, customerId);
            if (renamed) store.put({ ...renamed, ...optional });
          }
          return customer;
        },
      };
    })(),
  },
  {
    name: 'transaction-left-open',
    why: 'A body that cannot be parsed leaves the transaction of the query lookup open, and the next update without a query joins it and is rolled back.',
    shownBy: 'generated',
    breaks: ['UPD-2', 'UPD-4', 'UPD-3', 'UPD-7', 'NULL-1', 'NULL-3', 'NULL-4', 'REF-1', 'IDY-2', 'IDY-3', 'UPD-9'],
    behaviour: (() => {
      const openIn = perStore(() => new Set<string>());
      return {
        ...conforming,
        upsert: (request, context) => {
          const { store, merchant } = context;
          const open = openIn(store);
          const queried = store.byExternalId(merchant.merchantId, conforming.parseQuery(request.query).get('externalId') ?? '');
          const steps: Partial<typeof conforming> = {
            parseBody: (...given) => {
              try {
                return conforming.parseBody(...given);
              } catch (error) {
                if (queried) open.add(queried.customerId);
                throw error;
              }
            },
            save: (properties, before, { store: _, ...others }) => {
              const isJoined = before && open.delete(before.customerId) && !queried;
              return conforming.save(properties, before, { ...others, store: isJoined ? new Store() : store });
            },
          };
          return conforming.upsert(request, { ...context, behaviour: { ...conforming, ...steps } });
        },
      };
    })(),
  },
];

/** The properties that the other has not. */
function without(properties: JsonObject, other: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !(name in other)));
}

/** The names of the properties that a save changed. */
function changed(before: Customer | undefined, after: Customer): string[] {
  const names = Object.keys({ ...before, ...after });
  return names.filter((name) => JSON.stringify(before?.[name]) !== JSON.stringify(after[name]));
}
