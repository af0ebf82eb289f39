import type { Behaviour, Context } from '../../sandbox/behaviour.ts';
import { invalid, methodNotAllowed, notFound } from '../../sandbox/refusal.ts';
import { perStore, Store } from '../../sandbox/store.ts';
import type { Latitude } from './latitude.ts';

/** Ways to read a customer back. */
export const read = [
  {
    name: 'read-back-not-found',
    why: 'Only this operation was implemented.',
    limits: ['ANS-6', 'UPD-7'],
    steps: () => ({
      readOne: () => {
        throw notFound();
      },
      readList: () => {
        throw notFound();
      },
    }),
  },
  {
    name: 'read-back-not-allowed',
    why: 'The path allows only POST.',
    limits: ['ANS-6', 'UPD-7'],
    steps: () => ({
      readOne: () => {
        throw methodNotAllowed('POST');
      },
      readList: () => {
        throw methodNotAllowed('POST');
      },
    }),
  },
  {
    name: 'read-by-id-alone',
    why: 'Customers can be read by id, but not listed.',
    limits: ['ANS-6', 'UPD-7'],
    steps: () => ({
      readList: () => {
        throw methodNotAllowed('POST');
      },
    }),
  },
  {
    name: 'read-list-alone',
    why: 'Customers can be listed, but not read by id.',
    limits: ['ANS-6', 'UPD-7'],
    steps: () => ({
      readOne: () => {
        throw notFound();
      },
    }),
  },
  {
    name: 'read-back-lags',
    why: 'Reads go to a replica that lags by 0.8 seconds.',
    limits: ['ANS-6', 'UPD-7'],
    steps: (base) => lagging(base, () => true),
  },
  {
    name: 'read-back-lags-now-and-then',
    why: 'One read in three goes to a replica that lags by 0.8 seconds.',
    limits: ['ANS-6', 'UPD-7'],
    steps: (base) => {
      let count = 0;
      return lagging(base, () => {
        count += 1;
        return count % 3 === 0;
      });
    },
  },
  {
    name: 'list-without-filter-refused',
    why: 'A merchant has too many customers to list.',
    limits: ['ANS-6'],
    steps: (base) => ({
      readList(request, context) {
        if (context.behaviour.parseQuery(request.query).size === 0) throw invalid('Missing query parameter externalId', 'externalId');
        return base.readList(request, context);
      },
    }),
  },
  {
    name: 'list-of-none-not-found',
    why: 'A search that finds no customer is answered 404.',
    limits: ['ANS-6', 'ACC-4'],
    steps: (base) => ({
      answer(content, context) {
        if (Array.isArray(content.customers) && content.customers.length === 0) throw notFound('Could not find Customer');
        return base.answer(content, context);
      },
    }),
  },
  {
    name: 'list-newest-first',
    why: 'Customers are listed newest first, with the URL of the list.',
    limits: ['ANS-6'],
    steps: (base) => ({
      answer: ({ customers, ...content }, context) =>
        base.answer(Array.isArray(customers) ? { ...content, url: '/customers', customers: customers.toReversed() } : content, context),
    }),
  },
  {
    name: 'unknown-id-read-400',
    why: 'Reading a customer that does not exist is an invalid parameter.',
    limits: ['ANS-6', 'ACC-4'],
    steps: (base) => ({
      readOne(customerId, context) {
        if (!context.store.byId(context.merchant.merchantId, customerId)) throw invalid('Could not find Customer', 'customerId');
        return base.readOne(customerId, context);
      },
    }),
  },
] as const satisfies readonly Latitude[];

/** Reads from a copy that is 0.8 second behind, where the guard says so. */
function lagging(base: Behaviour, lags: () => boolean): Partial<Behaviour> {
  const copyOf = perStore(() => new Store());
  const seen = (context: Context): Context => (lags() ? { ...context, store: copyOf(context.store) } : context);
  return {
    save(properties, before, context) {
      const customer = base.save(properties, before, context);
      setTimeout(() => copyOf(context.store).put(customer), 800).unref();
      return customer;
    },
    readOne: (customerId, context) => base.readOne(customerId, seen(context)),
    readList: (request, context) => base.readList(request, seen(context)),
  };
}
