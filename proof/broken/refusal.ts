import { type Behaviour, type Context, conforming, json, type Selection } from '../../sandbox/behaviour.ts';
import { isObject, type Json, type JsonObject } from '../../sandbox/json.ts';
import { conflict, invalid, Refusal } from '../../sandbox/refusal.ts';
import { PROPERTIES, REQUIRED } from '../../sandbox/schema.ts';
import { type Customer, perStore } from '../../sandbox/store.ts';
import type { BrokenServer } from '../variant.ts';

const INTEGERS = ['enrollDate', 'createdAt', 'updatedAt'];

const POSTAL_CODES: Readonly<Record<string, RegExp>> = { US: /^\d{5}(-?\d{4})?$/, CA: /^[a-z]\d[a-z][ -]?\d[a-z]\d$/i };

/** Servers that refuse too late, too little or in the wrong form. */
export const refusal: readonly BrokenServer[] = [
  {
    name: 'update-checked-after-save',
    why: 'An update is written first and checked afterwards, without a transaction.',
    breaks: ['REF-1', 'REF-5', 'ANS-3'],
    behaviour: {
      ...conforming,
      validate(body, selection, context) {
        const { customer } = selection;
        if (customer) saveChanges({ ...body, externalId: customer.externalId ?? null }, customer, context);
        return conforming.validate(body, selection, context);
      },
    },
  },
  {
    name: 'properties-saved-one-by-one',
    why: 'Each property is checked and written in turn, and those before an invalid one stay.',
    breaks: ['REF-1'],
    behaviour: whenInvalid((body, { customer }, context) => {
      const names = Object.keys(body);
      const end = names.findIndex((name) => !isValid(name, body, context));
      if (customer) saveChanges(pick(body, names.slice(0, end)), customer, context);
    }),
  },
  {
    name: 'refused-removal-removes-the-rest',
    why: 'The removals are written before the removal of a required property is noticed.',
    breaks: ['REF-1'],
    behaviour: whenInvalid((body, { customer }, context) => {
      const removed = Object.keys(body).filter((name) => body[name] === null && isValid(name, body, context));
      if (customer) saveChanges(pick(body, removed), customer, context);
    }),
  },
  {
    name: 'conflict-noticed-after-save',
    why: 'The unique index is on a table that is written last, after the other properties have been committed.',
    breaks: ['REF-1'],
    behaviour: onConflict(({ externalId: _, ...properties }, before, context) => {
      if (before) saveChanges(properties, before, context);
    }),
  },
  {
    name: 'conflict-written-to-owner',
    why: 'The statement updates on conflict, so the owner of the externalId gets the values of the refused request.',
    breaks: ['REF-2', 'UPD-10'],
    behaviour: onConflict((properties, _before, context) => {
      const { store, merchant } = context;
      const owner = store.byExternalId(merchant.merchantId, String(properties.externalId));
      if (owner) saveChanges(pick(properties, PROPERTIES), owner, context);
    }),
  },
  {
    name: 'refused-create-stays',
    why: 'The record is inserted with the required properties before the optional ones are checked.',
    breaks: ['REF-2'],
    behaviour: whenInvalid((body, { customer }, context) => {
      const valid = Object.keys(body).filter((name) => isValid(name, body, context));
      const complete = [...REQUIRED, 'externalId'].every((name) => valid.includes(name));
      if (!customer && complete) saveChanges(pick(body, valid), undefined, context);
    }),
  },
  {
    name: 'unknown-customer-created-and-refused',
    why: 'A create is tried first, and only then is the customerId found to be unknown.',
    breaks: ['REF-2'],
    behaviour: {
      ...conforming,
      select(query, body, context) {
        const { customerId, ...rest } = body;
        const { store, merchant } = context;
        const selection = conforming.select(query, rest, context);
        const isUnknown = typeof customerId === 'string' && !store.byId(merchant.merchantId, customerId);
        if (isUnknown && !selection.customer) saveChanges(conforming.validate(rest, selection, context), undefined, context);
        return conforming.select(query, body, context);
      },
    },
  },
  {
    name: 'deep-nesting-crashes',
    why: 'A recursive mapper runs out of stack on deeply nested objects.',
    breaks: ['REF-3'],
    behaviour: {
      ...conforming,
      parseBody(body, headers) {
        if (depth(body.toString()) > 64) throw crash('Internal error');
        return conforming.parseBody(body, headers);
      },
    },
  },
  {
    name: 'nothing-sent-crashes',
    why: 'A request without content causes a null dereference.',
    breaks: ['REF-3'],
    behaviour: {
      ...conforming,
      parseBody(body, headers) {
        if (body.length === 0) throw crash('Internal error');
        return conforming.parseBody(body, headers);
      },
    },
  },
  {
    name: 'nul-drops-connection',
    why: 'A NUL character crashes the worker and closes the connection.',
    breaks: ['REF-3'],
    behaviour: {
      ...conforming,
      upsert(request, context) {
        return request.body.includes('\\u0000') ? { status: 0, headers: {}, content: '' } : conforming.upsert(request, context);
      },
    },
  },
  {
    name: 'bad-percent-encoding-hangs',
    why: 'The exception from decoding the query is lost in a callback, and no answer is ever sent.',
    breaks: ['REF-3'],
    behaviour: {
      ...conforming,
      upsert: (request, context) =>
        /%(?![\da-f]{2})/i.test(request.query) ? new Promise<never>(() => undefined) : conforming.upsert(request, context),
    },
  },
  {
    name: 'media-type-refused-as-html',
    why: "The gateway refuses a media type with its own page, but labels it with the API's content type.",
    breaks: ['REF-3', 'REF-7'],
    behaviour: {
      ...conforming,
      refuse(refused, now) {
        const answer = conforming.refuse(refused, now);
        return answer.status === 415 ? { ...answer, content: '<html><body><h1>Unsupported Media Type</h1></body></html>' } : answer;
      },
    },
  },
  {
    name: 'answer-cut-by-its-length',
    why: 'The length of the answer is counted in characters and sent as a number of bytes.',
    breaks: ['REF-3', 'ANS-2'],
    behaviour: {
      ...conforming,
      answer(content, context) {
        const answer = conforming.answer(content, context);
        return { ...answer, content: Buffer.from(answer.content).subarray(0, answer.content.length).toString() };
      },
    },
  },
  {
    name: 'trailing-garbage-ignored',
    why: 'The parser stops where the object ends, whatever follows.',
    breaks: ['REF-4'],
    behaviour: repairing((text) => text.slice(0, text.lastIndexOf('}') + 1)),
  },
  {
    name: 'truncated-body-completed',
    why: 'The stream parser closes an object that the content leaves open.',
    breaks: ['REF-4'],
    behaviour: repairing((text) => `${text}}`),
  },
  {
    name: 'numbers-kept-in-text',
    why: 'The document database keeps a number although the schema has text.',
    breaks: ['REF-5', 'ANS-3'],
    behaviour: unchecked(
      (name, value) => typeof value === 'number' && ![...INTEGERS, ...REQUIRED, 'customerId', 'externalId'].includes(name),
    ),
  },
  {
    name: 'custom-data-takes-array',
    why: 'The check of customData is `typeof value === "object"`, which is true of an array.',
    breaks: ['REF-5', 'ANS-3'],
    behaviour: unchecked((name, value) => name === 'customData' && Array.isArray(value)),
  },
  {
    name: 'enroll-date-text-kept-by-update',
    why: 'Only a create converts the enroll date; an update stores it as text.',
    breaks: ['REF-5', 'ANS-3'],
    behaviour: unchecked((name, value, { customer }) => Boolean(customer) && name === 'enrollDate' && typeof value === 'string'),
  },
  {
    name: 'create-without-phone-taken',
    why: 'The phone was made optional in the form and in the database, not in the contract.',
    breaks: ['REF-6', 'ANS-3'],
    behaviour: {
      ...conforming,
      validate(body, selection, context) {
        if (selection.customer || 'phone' in body) return conforming.validate(body, selection, context);
        const { phone: _, ...changes } = conforming.validate({ ...body, phone: '+16505551212' }, selection, context);
        return changes;
      },
    },
  },
  {
    name: 'create-with-null-email-taken',
    why: 'The check tests whether the e-mail is in the body, not whether it has a value.',
    breaks: ['REF-6', 'ANS-3'],
    behaviour: {
      ...conforming,
      validate(body, selection, context) {
        if (selection.customer || body.email !== null) return conforming.validate(body, selection, context);
        return { ...conforming.validate({ ...body, email: 'joe.user@mail.com' }, selection, context), email: null };
      },
    },
  },
  {
    name: 'create-by-query-checked-as-update',
    why: 'A request with an externalId in the query is treated as an update, so nothing is required.',
    breaks: ['REF-6', 'ANS-3'],
    behaviour: {
      ...conforming,
      validate(body, selection, context) {
        const { customer, externalId } = selection;
        if (customer || externalId === undefined) return conforming.validate(body, selection, context);
        return conforming.validate({ ...body, externalId }, someone(context), context);
      },
    },
  },
  {
    name: 'refusal-in-plain-text',
    why: 'A refusal is sent as the bare message.',
    breaks: ['REF-7'],
    behaviour: {
      ...conforming,
      refuse: ({ details: { status, message, headers } }) => ({
        status,
        headers: { ...headers, 'Content-Type': 'text/plain; charset=utf-8' },
        content: message,
      }),
    },
  },
  {
    name: 'refusal-without-message',
    why: 'The envelope of an invalid parameter contains only the code.',
    breaks: ['REF-7'],
    behaviour: {
      ...conforming,
      refuse(refused, now) {
        const { status, code } = refused.details;
        return status === 400 ? json(status, { errors: [{ code }] }) : conforming.refuse(refused, now);
      },
    },
  },
  {
    name: 'unknown-customer-gone',
    why: 'A customer that is not found is reported as deleted.',
    breaks: ['REF-8'],
    behaviour: {
      ...conforming,
      refuse({ details }, now) {
        const status = details.message.startsWith('Could not find Customer') ? 410 : details.status;
        return conforming.refuse(new Refusal({ ...details, status }), now);
      },
    },
  },
  {
    name: 'method-refused-without-allow',
    why: 'The gateway refuses a method and omits the header fields.',
    breaks: ['REF-9'],
    behaviour: {
      ...conforming,
      refuse(refused, now) {
        const { headers: _, ...details } = refused.details;
        return conforming.refuse(details.status === 405 ? new Refusal(details) : refused, now);
      },
    },
  },
  {
    name: 'refused-create-keeps-reservation',
    why: 'A create reserves its externalId before the parts of the address are checked, and their refusal does not release it.',
    origin: 'held-out',
    breaks: ['REF-2', 'CRE-1'],
    behaviour: (() => {
      const reservedIn = perStore(() => new Set<string>());
      const keyOf = (merchantId: string, externalId: Json | undefined) => `${merchantId} ${externalId}`;
      return {
        ...conforming,
        validate: (body, selection, context) => {
          try {
            return conforming.validate(body, selection, context);
          } catch (error) {
            const isOfAddress = error instanceof Refusal && error.details.location?.startsWith('address.');
            if (isOfAddress && !selection.customer && typeof body.externalId === 'string') {
              reservedIn(context.store).add(keyOf(context.merchant.merchantId, body.externalId));
            }
            throw error;
          }
        },
        checkUnique: (properties, before, context) => {
          conforming.checkUnique(properties, before, context);
          const { store, merchant } = context;
          const { externalId } = properties;
          const isReserved = reservedIn(store).has(keyOf(merchant.merchantId, externalId));
          if (isReserved && externalId !== before?.externalId) throw conflict();
        },
      };
    })(),
  },
  {
    name: 'refused-changes-flushed-later',
    why: 'The properties before an invalid one stay on the entity of the session, which the next accepted update flushes.',
    origin: 'held-out',
    breaks: ['REF-1', 'UPD-4'],
    behaviour: (() => {
      const sessionIn = perStore(() => new Map<string, JsonObject>());
      return {
        ...conforming,
        validate: (body, selection, context) => {
          const { customer } = selection;
          if (!customer) return conforming.validate(body, selection, context);
          const session = sessionIn(context.store);
          const entity = { ...session.get(customer.customerId) };
          session.set(customer.customerId, entity);
          for (const [name, value] of Object.entries(body)) {
            if (name !== 'externalId') Object.assign(entity, conforming.validate({ [name]: value }, selection, context));
          }
          return conforming.validate(body, selection, context);
        },
        apply: (before, changes, context) =>
          conforming.apply(before, { ...sessionIn(context.store).get(before?.customerId ?? ''), ...changes }, context),
        save: (properties, before, context) => {
          const customer = conforming.save(properties, before, context);
          sessionIn(context.store).delete(customer.customerId);
          return customer;
        },
      };
    })(),
  },
  {
    name: 'refused-create-clears-the-one-before',
    why: 'A refused create is cleaned up by the last id, which is the id of the previous create because nothing was inserted.',
    origin: 'held-out',
    breaks: ['REF-2', 'UPD-10'],
    behaviour: whenInvalid((_body, { customer }, { store, merchant }) => {
      const last = store.all(merchant.merchantId).at(-1);
      if (customer || !last) return;
      const { driverLicense: _, customData: __, ...row } = last;
      store.put(row as Customer);
    }),
  },
  {
    name: 'update-partial-all-the-way-down',
    why: 'In an update every part of an object is optional because the stored object is to supply the rest, although none may be stored.',
    origin: 'held-out',
    breaks: ['ANS-3', 'REF-6'],
    behaviour: {
      ...conforming,
      validate: (body, selection, context) => {
        const { customer } = selection;
        const { driverLicense: sent } = body;
        if (!customer || !isObject(sent)) return conforming.validate(body, selection, context);
        const completed = { ...body, driverLicense: { number: 'A', state: 'CA', ...sent } };
        const { driverLicense = {}, ...changes } = conforming.validate(completed, selection, context);
        const parts = Object.entries(driverLicense ?? {}).filter(([name]) => name in sent);
        return { ...changes, driverLicense: { ...(customer.driverLicense as JsonObject), ...Object.fromEntries(parts) } };
      },
    },
  },
  {
    name: 'phone-removed-by-update',
    why: 'The phone was optional once, and it is still in the list of what an update may remove.',
    origin: 'held-out',
    breaks: ['REF-6', 'ANS-3'],
    behaviour: {
      ...conforming,
      validate: (body, selection, context) => {
        const { phone, ...others } = body;
        if (!selection.customer || phone !== null) return conforming.validate(body, selection, context);
        return { ...conforming.validate(others, selection, context), phone };
      },
    },
  },
  {
    name: 'long-text-crashes',
    why: 'Nobody checks the length of a text before it is written, and the database error for a text that is too long is not caught.',
    origin: 'held-out',
    breaks: ['REF-3'],
    behaviour: crashingOn((body) => Object.values(body).some((value) => typeof value === 'string' && value.length > 1024)),
  },
  {
    name: 'enroll-date-beyond-dates-crashes',
    why: 'The enroll date is converted to a Date and written with toISOString, which throws beyond the year 275760.',
    origin: 'held-out',
    breaks: ['REF-3'],
    behaviour: crashingOn(({ enrollDate }) => typeof enrollDate === 'number' && Number.isNaN(new Date(enrollDate).getTime())),
  },
  {
    name: 'unknown-number-crashes',
    why: 'A customerId that consists of digits is bound as a 64-bit integer, and the error for a larger one is not caught.',
    origin: 'held-out',
    breaks: ['REF-3'],
    behaviour: crashingOn(({ customerId }) => /^\d+$/.test(String(customerId)) && BigInt(String(customerId)) >= 2n ** 63n),
  },
  {
    name: 'read-of-no-number-crashes',
    why: 'The customerId of the path is parsed as a number, and the exception for anything else is not caught.',
    origin: 'held-out',
    breaks: ['REF-3'],
    behaviour: {
      ...conforming,
      readOne: (customerId, context) => {
        if (!/^\d+$/.test(customerId)) throw crash('Internal error');
        return conforming.readOne(customerId, context);
      },
    },
  },
  {
    name: 'zip-rule-of-old-country',
    why: 'The postal code of an update is checked against the rule of the stored country, so nobody can move to another country.',
    origin: 'held-out',
    breaks: ['UPD-1', 'IDY-2'],
    behaviour: {
      ...conforming,
      validate: (body, selection, context) => {
        const changes = conforming.validate(body, selection, context);
        const stored = selection.customer?.address ?? changes.address;
        const rule = isObject(stored) ? POSTAL_CODES[String(stored.country)] : undefined;
        const zip = isObject(changes.address) ? changes.address.zip : undefined;
        if (typeof zip === 'string' && rule?.test(zip) === false)
          throw invalid('Invalid address.zip: not one of the country', 'address.zip');
        return changes;
      },
    },
  },
];

/** Does something in the moment where a body is refused. */
export function whenInvalid(meanwhile: (body: JsonObject, selection: Selection, context: Context) => void): Behaviour {
  return {
    ...conforming,
    validate(body, selection, context) {
      try {
        return conforming.validate(body, selection, context);
      } catch (refused) {
        meanwhile(body, selection, context);
        throw refused;
      }
    },
  };
}

/** Does something in the moment where another customer has the externalId. */
function onConflict(meanwhile: (properties: JsonObject, before: Customer | undefined, context: Context) => void): Behaviour {
  return {
    ...conforming,
    checkUnique(properties, before, context) {
      try {
        conforming.checkUnique(properties, before, context);
      } catch (refused) {
        meanwhile(properties, before, context);
        throw refused;
      }
    },
  };
}

/** Tries once more with the content repaired. */
function repairing(repair: (text: string) => string): Behaviour {
  return {
    ...conforming,
    parseBody(body, headers) {
      try {
        return conforming.parseBody(body, headers);
      } catch (refused) {
        try {
          return conforming.parseBody(Buffer.from(repair(body.toString())), headers);
        } catch {
          throw refused;
        }
      }
    },
  };
}

/** Keeps some published properties without a look at their value. */
function unchecked(isKept: (name: string, value: Json, selection: Selection) => boolean): Behaviour {
  return {
    ...conforming,
    validate(body, selection, context) {
      const kept = PROPERTIES.filter((name) => isKept(name, body[name] ?? null, selection));
      const checked = Object.keys(body).filter((name) => !kept.includes(name));
      return { ...conforming.validate(pick(body, checked), selection, context), ...pick(body, kept) };
    },
  };
}

function saveChanges(changes: JsonObject, before: Customer | undefined, context: Context): void {
  conforming.save(conforming.apply(before, changes, context), before, context);
}

/** Whether a property is valid by itself. */
function isValid(name: string, body: JsonObject, context: Context): boolean {
  try {
    conforming.validate(pick(body, [name]), someone(context), context);
    return true;
  } catch {
    return false;
  }
}

/** The selection of some existing customer. */
function someone({ merchant: { merchantId } }: Context): Selection {
  return { customer: { customerId: '', merchantId, createdAt: 0, updatedAt: 0 }, externalId: undefined };
}

function pick(properties: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => names.includes(name)));
}

/** The answer to a mistake of the server's own. */
export function crash(message: string): Refusal {
  return new Refusal({ status: 500, exception: 'InternalException', code: 100, message });
}

/** How deep a JSON text is nested, brackets inside strings counted too. */
function depth(text: string): number {
  let deepest = 0;
  let open = 0;
  for (const character of text) {
    if (character === '{' || character === '[') open += 1;
    if (character === '}' || character === ']') open -= 1;
    deepest = Math.max(deepest, open);
  }
  return deepest;
}

/** The conforming server, except that some bodies crash it before they are checked. */
function crashingOn(isFatal: (body: JsonObject) => boolean): Behaviour {
  return {
    ...conforming,
    select: (query, body, context) => {
      if (isFatal(body)) throw crash('Internal error');
      return conforming.select(query, body, context);
    },
  };
}
