import { createHash } from 'node:crypto';
import { type Answer, conforming } from '../../behaviour.ts';
import { type Customer, perStore } from '../../store.ts';
import type { Broken } from '../../variant.ts';

const RETRY_WINDOW = 10_000;

/** Servers that misread the externalId of the query, or forget it. */
export const query: readonly Broken[] = [
  {
    name: 'query-finds-either-id',
    why: 'The query is looked up with a helper that takes the text for a customerId where no externalId matches.',
    breaks: ['IDY-6', 'IDY-3'],
    behaviour: {
      ...conforming,
      select: (query, body, context) => {
        const selection = conforming.select(query, body, context);
        const { store, merchant } = context;
        return { ...selection, customer: selection.customer ?? store.byId(merchant.merchantId, selection.externalId ?? '') };
      },
    },
  },
  {
    name: 'query-kept-encoded',
    why: 'A create by the query enters its externalId in the index as it stood in the URL, where that of a body does not find it.',
    breaks: ['IDY-7', 'IDY-6'],
    behaviour: (() => {
      const indexIn = perStore(() => new Map<string, string>());
      return {
        ...conforming,
        upsert: (request, context) => {
          const { store, merchant } = context;
          const index = indexIn(store);
          const encoded = /(?:^|&)externalId=([^&]+)/.exec(request.query)?.[1];
          const key = `${merchant.merchantId} ${encoded}`;
          const isHidden = (customer: Customer | undefined) => [...index.values()].includes(customer?.customerId ?? '');
          const steps: Partial<typeof conforming> = {
            select: (query, body) => {
              const selection = conforming.select(query, body, context);
              if (typeof body.customerId === 'string') return selection;
              const found = isHidden(selection.customer) ? undefined : selection.customer;
              return { ...selection, customer: store.byId(merchant.merchantId, index.get(key) ?? '') ?? found };
            },
            checkUnique: (properties, before) => {
              const owner = store.byExternalId(merchant.merchantId, String(properties.externalId));
              if (!isHidden(owner)) conforming.checkUnique(properties, before, context);
            },
            save: (properties, before) => {
              const customer = conforming.save(properties, before, context);
              if (!before && encoded !== undefined && encoded !== customer.externalId) index.set(key, customer.customerId);
              return customer;
            },
          };
          return conforming.upsert(request, { ...context, behaviour: { ...conforming, ...steps } });
        },
      };
    })(),
  },
  {
    name: 'query-values-coerced',
    why: 'The parser of queries takes digits for a number, whose leading zeros and whose digits beyond a double go.',
    breaks: ['IDY-3', 'IDY-6', 'UPD-1'],
    behaviour: {
      ...conforming,
      parseQuery: (query) => {
        const coerced = new URLSearchParams();
        for (const [name, value] of conforming.parseQuery(query)) coerced.append(name, /^\d+$/.test(value) ? String(Number(value)) : value);
        return coerced;
      },
    },
  },
  {
    name: 'retry-guard-ignores-query',
    why: 'A repeated update is told by its merchant and content alone, so that the same change to another customer of the query is not made.',
    breaks: ['IDY-3', 'UPD-2'],
    behaviour: (() => {
      const answeredIn = perStore(() => new Map<string, { answer: Answer; at: number; customerId: string }>());
      return {
        ...conforming,
        upsert: async (request, context) => {
          const { store, merchant, now } = context;
          const key = createHash('sha256').update(`${merchant.merchantId}\n`).update(request.body).digest('hex');
          const answered = answeredIn(store);
          const earlier = answered.get(key);
          if (earlier && now() - earlier.at < RETRY_WINDOW) return earlier.answer;
          const updated: string[] = [];
          const save: typeof conforming.save = (properties, before) => {
            const customer = conforming.save(properties, before, context);
            // What was answered about this customer is out of date now.
            for (const [other, { customerId }] of answered) if (customerId === customer.customerId) answered.delete(other);
            if (before) updated.push(before.customerId);
            return customer;
          };
          const answer = await conforming.upsert(request, { ...context, behaviour: { ...conforming, save } });
          for (const customerId of updated) answered.set(key, { answer, at: now(), customerId });
          return answer;
        },
      };
    })(),
  },
];
