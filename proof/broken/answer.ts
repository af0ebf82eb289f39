import { isDeepStrictEqual } from 'node:util';
import { type Answer, type Behaviour, type Context, conforming, json, type Request } from '../../sandbox/behaviour.ts';
import { isObject, type Json, type JsonObject } from '../../sandbox/json.ts';
import { invalid, Refusal } from '../../sandbox/refusal.ts';
import type { Customer } from '../../sandbox/store.ts';
import { addressOf, without } from '../steps.ts';
import type { BrokenServer } from '../variant.ts';

/** A POST that was read, with the customer that it names as it was before. */
interface Asked {
  before: Customer | undefined;
  body: JsonObject;
  queried: boolean;
}

/** The conforming server, with other steps for the POSTs for which there are some. */
function when(steps: (asked: Asked) => Partial<Behaviour> | false | undefined): Behaviour {
  return {
    ...conforming,
    upsert: (request, context) => {
      const body = conforming.parseBody(request.body, request.headers);
      const { customer: before } = conforming.select(conforming.parseQuery(request.query), body, context);
      const own = steps({ before, body, queried: request.query.includes('externalId=') });
      return conforming.upsert(request, { ...context, behaviour: { ...conforming, ...own } });
    },
  };
}

/** The conforming server, with the message of a POST's refusal changed. */
function explaining(explain: (refusal: Refusal, request: Request, context: Context) => string): Behaviour {
  return {
    ...conforming,
    upsert: (request, context) => {
      try {
        return conforming.upsert(request, context);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        throw new Refusal({ ...error.details, message: explain(error, request, context) });
      }
    },
  };
}

/** The conforming answer with another text as its content. */
function written(content: JsonObject, write: (text: string) => string): Answer {
  const answer = json(200, content);
  return { ...answer, content: write(answer.content) };
}

/** Servers that answer wrongly, whatever they keep. */
export const answer: readonly BrokenServer[] = [
  {
    name: 'create-answered-201',
    why: 'The framework answers 201 to every request that inserts a row.',
    breaks: ['ANS-1'],
    behaviour: when(({ before }) => !before && { answer: (content) => json(201, content) }),
  },
  {
    name: 'unchanged-answered-204',
    why: 'An update that changes no column has nothing to return.',
    breaks: ['ANS-1'],
    behaviour: when(
      ({ before }) =>
        before && {
          answer: (content) => {
            const changed = !isDeepStrictEqual({ ...(content.customer as JsonObject), updatedAt: 0 }, { ...before, updatedAt: 0 });
            return changed ? json(200, content) : { status: 204, headers: {}, content: '' };
          },
        },
    ),
  },

  {
    name: 'update-labelled-html',
    why: 'The update handler returns a string, and the framework labels strings with its own default.',
    breaks: ['ANS-2'],
    behaviour: when(
      ({ before }) =>
        before && { answer: (content) => ({ ...json(200, content), headers: { 'Content-Type': 'text/html; charset=utf-8' } }) },
    ),
  },
  {
    name: 'length-counted-in-characters',
    why: 'The answer is cut at its length in characters instead of bytes, so each accented letter costs one byte at the end.',
    breaks: ['ANS-2', 'REF-3'],
    behaviour: when(() => ({
      answer: (content) => written(content, (text) => Buffer.from(text).subarray(0, text.length).toString()),
    })),
  },

  {
    name: 'missing-address-line-null',
    why: 'The address serializer writes null for a missing second line.',
    breaks: ['ANS-3'],
    behaviour: { ...conforming, present: (customer) => ({ ...customer, address: { address2: null, ...addressOf(customer) } }) },
  },
  {
    name: 'timestamps-with-fractions',
    why: 'The milliseconds of the clock are divided by a thousand, and the fraction is kept.',
    breaks: ['ANS-3'],
    behaviour: {
      ...conforming,
      present: (customer) => ({ ...customer, createdAt: customer.createdAt / 1000, updatedAt: customer.updatedAt / 1000 }),
    },
  },
  {
    name: 'update-answered-without-phone',
    why: 'The query that fetches the updated row lists its columns and forgets the phone.',
    breaks: ['ANS-3', 'ANS-5'],
    behaviour: when(({ before }) => before && { present: (customer) => without(customer, 'phone') }),
  },

  {
    name: 'customer-at-top-level',
    why: 'An update by customerId answers with the customer itself instead of an object that has it.',
    breaks: ['ANS-4'],
    behaviour: when(({ before, body }) => before && 'customerId' in body && { answer: ({ customer = {} }) => json(200, customer) }),
  },
  {
    name: 'query-update-answered-empty',
    why: 'The client named the customer in the query, so the developer assumed that it needs no answer.',
    breaks: ['ANS-4', 'ANS-5'],
    behaviour: when(({ before, queried }) => before && queried && { answer: () => json(200, {}) }),
  },
  {
    name: 'customer-id-only-on-create',
    why: 'The model of updates excludes the key, since it does not change.',
    breaks: ['ANS-4', 'ANS-5'],
    behaviour: when(({ before }) => before && { present: (customer) => without(customer, 'customerId') }),
  },

  {
    name: 'answer-from-the-request',
    why: 'The answer to an update repeats the properties that were sent instead of reading the customer.',
    breaks: ['ANS-5', 'ANS-3'],
    behaviour: when(
      ({ before, body }) =>
        before && {
          present: (customer) => Object.fromEntries(Object.entries(customer).filter(([name]) => name === 'customerId' || name in body)),
        },
    ),
  },
  {
    name: 'custom-data-from-before-the-write',
    why: 'The custom data of the answer was loaded before the update was written.',
    breaks: ['ANS-5'],
    behaviour: when(({ before }) => {
      const old = before?.customData;
      return isObject(old) && { present: ({ customData, ...rest }) => (customData ? { ...rest, customData: old } : rest) };
    }),
  },
  {
    name: 'create-answered-without-organization',
    why: 'The answer to a create is built by the constructor for private customers.',
    breaks: ['ANS-5'],
    behaviour: when(
      ({ before }) => !before && { present: (customer) => without(customer, 'organizationNumber', 'externalTier', 'balance') },
    ),
  },

  {
    name: 'list-by-prefix',
    why: 'The list looks up the externalId with LIKE and a trailing wildcard.',
    breaks: ['ANS-6', 'ANS-9'],
    behaviour: {
      ...conforming,
      readList: ({ query }, { store, merchant }) => {
        const asked = new URLSearchParams(query).get('externalId') ?? '';
        return json(200, {
          customers: store.all(merchant.merchantId).filter(({ externalId = '' }) => String(externalId).startsWith(asked)),
        });
      },
    },
  },
  {
    name: 'list-with-numeric-ids',
    why: 'The list is serialized from the table, where the customerId is a number.',
    breaks: ['ANS-6'],
    behaviour: {
      ...conforming,
      readList: (request, context) => {
        const present = (customer: Customer) => ({ ...customer, customerId: Number(customer.customerId) });
        return conforming.readList(request, { ...context, behaviour: { ...conforming, present } });
      },
    },
  },
  {
    name: 'read-without-contact',
    why: 'Reading one customer returns the short form that lists of names use.',
    breaks: ['ANS-6'],
    behaviour: {
      ...conforming,
      readOne: (customerId, context) => {
        const present = (customer: Customer) => without(customer, 'phone', 'email', 'address');
        return conforming.readOne(customerId, { ...context, behaviour: { ...conforming, present } });
      },
    },
  },

  {
    name: 'account-in-the-customer',
    why: 'The ORM serializes the relation to the merchant account along with the customer.',
    breaks: ['ANS-7'],
    behaviour: { ...conforming, present: (customer, { merchant }) => ({ ...customer, merchant: { ...merchant } }) },
  },
  {
    name: 'authorization-sent-back',
    why: 'The gateway copies the header fields of a POST into the answer for tracing.',
    breaks: ['ANS-7'],
    behaviour: {
      ...conforming,
      upsert: async (request, context) => {
        const answer = await conforming.upsert(request, context);
        return { ...answer, headers: { ...answer.headers, 'X-Request-Authorization': request.headers.authorization ?? '' } };
      },
    },
  },
  {
    name: 'request-in-the-refusal',
    why: 'A refusal quotes the header fields of the request, to help support.',
    breaks: ['ANS-7'],
    behaviour: explaining(({ message }, { headers }) => `${message}. Request was: ${JSON.stringify(headers)}`),
  },

  {
    name: 'stack-in-the-refusal',
    why: 'The error handler runs in development mode.',
    breaks: ['ANS-8'],
    behaviour: {
      ...conforming,
      refuse: (refusal, now) => {
        const { content } = conforming.refuse(refusal, now);
        return json(refusal.details.status, { ...JSON.parse(content), stack: refusal.stack ?? '' }, refusal.details.headers);
      },
    },
  },
  {
    name: 'path-in-the-syntax-error',
    why: "A body that cannot be parsed is answered with the parser's own message and its location in the source.",
    breaks: ['ANS-8'],
    behaviour: explaining(({ message }) =>
      message === 'Invalid body: must be JSON'
        ? 'Unexpected token at /srv/gateway/node_modules/body-parser/lib/types/json.js:92:19'
        : message,
    ),
  },
  {
    name: 'query-in-the-update',
    why: 'SQL tracing was left on for updates.',
    breaks: ['ANS-8'],
    behaviour: when(
      ({ before, body }) =>
        before && {
          answer: (content) => {
            const columns = Object.keys(body).map((name) => `${name} = ?`);
            return json(200, { ...content, trace: `UPDATE customers SET ${columns.join(', ')} WHERE id = ${before.customerId}` });
          },
        },
    ),
  },

  {
    name: 'owner-in-the-conflict',
    why: 'The refusal of an externalId that is taken says who has it.',
    breaks: ['ANS-9'],
    behaviour: {
      ...conforming,
      checkUnique: ({ externalId }, before, { store, merchant }) => {
        const owner = store.byExternalId(merchant.merchantId, String(externalId));
        if (owner && owner.customerId !== before?.customerId) {
          throw invalid(`externalId belongs to ${String(owner.name)} <${String(owner.email)}>, Id ${owner.customerId}`, 'externalId');
        }
      },
    },
  },
  {
    name: 'nearest-customer-suggested',
    why: 'The refusal of an unknown customerId suggests the newest customer instead.',
    breaks: ['ANS-9'],
    behaviour: explaining(({ details: { location, message } }, _request, { store, merchant }) => {
      const newest = store.all(merchant.merchantId).at(-1);
      return location === 'customerId' && newest ? `${message}: did you mean ${newest.customerId} (${String(newest.email)})?` : message;
    }),
  },
  {
    name: 'address-line-of-a-neighbour',
    why: 'The join that fetches a second address line lacks the condition on the customer.',
    breaks: ['ANS-9', 'ANS-5'],
    behaviour: {
      ...conforming,
      present: (customer, { store, merchant }) => {
        const lines: Json[] = store.all(merchant.merchantId).flatMap((other) => addressOf(other).address2 ?? []);
        return lines[0] === undefined ? customer : { ...customer, address: { address2: lines[0], ...addressOf(customer) } };
      },
    },
  },
];
