import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type Answer, conforming } from '../../sandbox/behaviour.ts';
import { type Customer, perStore } from '../../sandbox/store.ts';
import type { BrokenServer } from '../variant.ts';

/** Servers that are right as long as requests come one after the other. */
export const races: readonly BrokenServer[] = [
  {
    name: 'removed-columns-cleared-late',
    why: 'An update writes its values, waits for the search index, and then clears the columns that it removes, without a lock.',
    shownBy: 'generated',
    breaks: ['UPD-11'],
    behaviour: {
      ...conforming,
      upsert: async (request, context) => {
        const body = conforming.parseBody(request.body, request.headers);
        const selection = conforming.select(conforming.parseQuery(request.query), body, context);
        const { customer } = selection;
        if (!customer) return conforming.upsert(request, context);
        const changes = Object.entries(conforming.validate(body, selection, context));
        const write = (part: typeof changes) => {
          const current = context.store.byId(customer.merchantId, customer.customerId);
          const properties = conforming.apply(current, Object.fromEntries(part), context);
          conforming.checkUnique(properties, current, context);
          return conforming.save(properties, current, context);
        };
        const removals = changes.filter(([, value]) => value === null);
        let saved = write(changes.filter(([, value]) => value !== null));
        if (removals.length > 0) {
          await pause(20);
          saved = write(removals);
        }
        return conforming.answer({ customer: conforming.present(saved, context) }, context);
      },
    },
  },
  {
    name: 'create-locked-by-organization',
    why: 'Creates are locked by externalId and organization together, so two creates with one externalId do not wait for each other.',
    shownBy: 'generated',
    breaks: ['IDY-8', 'IDY-7'],
    behaviour: (() => {
      const locksIn = perStore(() => new Map<string, Promise<Answer>>());
      return {
        ...conforming,
        upsert: async (request, context) => {
          const body = conforming.parseBody(request.body, request.headers);
          const query = conforming.parseQuery(request.query);
          const find = () => conforming.select(query, body, context);
          const externalId = query.get('externalId') ?? body.externalId;
          if (find().customer || externalId === undefined) return conforming.upsert(request, context);
          const locks = locksIn(context.store);
          const key = JSON.stringify([context.merchant.merchantId, externalId, body.organizationNumber ?? null]);
          const write = async () => {
            const selection = find();
            if (selection.customer) return conforming.upsert(request, context);
            await pause(20);
            // The lock is trusted: nothing is looked up again.
            const steps = { select: () => selection, checkUnique: () => undefined };
            return await conforming.upsert(request, { ...context, behaviour: { ...conforming, ...steps } });
          };
          const turn = (locks.get(key) ?? Promise.resolve()).then(write, write);
          locks.set(key, turn);
          return await turn;
        },
      };
    })(),
  },
  {
    name: 'national-id-in-a-field',
    why: 'A create sends the national id to the vault, whose client keeps it in a field that the next create overwrites.',
    shownBy: 'generated',
    breaks: ['UPD-10', 'CRE-3', 'ANS-9'],
    behaviour: (() => {
      const vaultIn = perStore((): { nationalId?: string } => ({}));
      return {
        ...conforming,
        upsert: async (request, context) => {
          const body = conforming.parseBody(request.body, request.headers);
          const { customer } = conforming.select(conforming.parseQuery(request.query), body, context);
          if (customer || typeof body.nationalId !== 'string') return conforming.upsert(request, context);
          const vault = vaultIn(context.store);
          vault.nationalId = body.nationalId;
          await pause(10);
          const { nationalId } = vault;
          const apply: typeof conforming.apply = (before, changes) => conforming.apply(before, { ...changes, nationalId }, context);
          return await conforming.upsert(request, { ...context, behaviour: { ...conforming, apply } });
        },
      };
    })(),
  },
  {
    name: 'bulk-insert-answers-mixed-up',
    why: 'All creates within 20 ms are inserted by one statement, and its rows, which come back by partition, are assigned in the order of the requests.',
    shownBy: 'generated',
    breaks: ['ANS-5', 'CRE-2'],
    behaviour: (() => {
      const bulksIn = perStore(() => new Map<string, Customer[]>());
      return {
        ...conforming,
        upsert: async (request, context) => {
          const { store, merchant } = context;
          const inserted: Customer[] = [];
          const save: typeof conforming.save = (properties, before) => {
            const customer = conforming.save(properties, before, context);
            if (!before) inserted.push(customer);
            return customer;
          };
          const answer = await conforming.upsert(request, { ...context, behaviour: { ...conforming, save } });
          if (inserted.length === 0) return answer;
          const bulks = bulksIn(store);
          const bulk = bulks.get(merchant.merchantId) ?? [];
          bulks.set(merchant.merchantId, bulk);
          const place = bulk.push(...inserted) - 1;
          await pause(20);
          if (bulks.get(merchant.merchantId) === bulk) bulks.delete(merchant.merchantId);
          const returned = bulk.toSorted((one, other) => partitionOf(one) - partitionOf(other));
          return conforming.answer({ customer: returned[place] ?? {} }, context);
        },
      };
    })(),
  },
];

function partitionOf({ customerId }: Customer): number {
  return createHash('sha256').update(customerId).digest().readUInt8() % 16;
}
