import type { Answer, Behaviour, Context, Selection } from '../../sandbox/behaviour.ts';
import { isObject, type Json, type JsonObject } from '../../sandbox/json.ts';
import { Refusal } from '../../sandbox/refusal.ts';
import type { Customer } from '../../sandbox/store.ts';

/** The properties that name something. */
export const IDS = ['customerId', 'externalId', 'merchantId', 'personId'];

/** How deep nested values are followed. */
export const DEEP = 64;

/** Changes every answer, accepted or refused. */
export function answering(base: Behaviour, change: (answer: Answer) => Answer): Partial<Behaviour> {
  return { answer: (...args) => change(base.answer(...args)), refuse: (...args) => change(base.refuse(...args)) };
}

/** Writes every JSON answer in another way. */
export function writing(base: Behaviour, write: (content: string) => string): Partial<Behaviour> {
  return answering(base, (answer) => (isJson(answer) ? { ...answer, content: write(String(answer.content)) } : answer));
}

/** Whether an answer is JSON. */
export function isJson({ headers }: Answer): boolean {
  return /^application\/json/i.test(headers['Content-Type'] ?? '');
}

/** Changes the answer to a refused request, not to a mistake of the server. */
export function refusing(base: Behaviour, change: (answer: Answer, refusal: Refusal) => Answer): Partial<Behaviour> {
  const refused = (answer: Answer, refusal: Refusal) => (answer.status < 500 ? change(answer, refusal) : answer);
  return { refuse: (refusal, now) => refused(base.refuse(refusal, now), refusal) };
}

/** Leaves a header field out of refusals. */
export function dropping(base: Behaviour, field: string): Partial<Behaviour> {
  return refusing(base, ({ headers: { [field]: _, ...headers }, ...answer }) => ({ ...answer, headers }));
}

/** Changes how a customer is shown. */
export function showing(base: Behaviour, change: (shown: JsonObject, customer: Customer) => JsonObject): Partial<Behaviour> {
  return { present: (customer, context) => change(base.present(customer, context), customer) };
}

/** Changes the content of a request before it is checked. */
export function reading(base: Behaviour, change: (body: JsonObject, selection: Selection) => JsonObject): Partial<Behaviour> {
  return { validate: (body, selection, context) => base.validate(change(body, selection), selection, context) };
}

/** Refuses more than the types ask for. */
export function checking(base: Behaviour, check: (body: JsonObject, selection: Selection) => void): Partial<Behaviour> {
  return {
    validate(body, selection, context) {
      check(body, selection);
      return base.validate(body, selection, context);
    },
  };
}

/** Comes before each operation. */
export function preceding(base: Behaviour, guard: (context: Context) => unknown): Partial<Behaviour> {
  return {
    async upsert(request, context) {
      await guard(context);
      return base.upsert(request, context);
    },
    async readOne(customerId, context) {
      await guard(context);
      return base.readOne(customerId, context);
    },
    async readList(request, context) {
      await guard(context);
      return base.readList(request, context);
    },
  };
}

/** A customer just made, with this id. */
export function born(customerId: string, { merchant, now }: Context): Customer {
  return { customerId, merchantId: merchant.merchantId, createdAt: now(), updatedAt: now() };
}

/** The refusal of what another customer has. */
export function clash(message: string): Refusal {
  return new Refusal({ status: 409, exception: 'DuplicateException', code: 210, message });
}

/** The object with every text in it changed; what is nested too deep is left to the checks. */
export function mapTexts(value: Json, change: (text: string) => string, depth = 0): Json {
  if (typeof value === 'string') return change(value);
  if (depth > DEEP) return value;
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change, depth + 1));
  if (!isObject(value)) return value;
  return mapValues(value, (inner) => mapTexts(inner, change, depth + 1));
}

/** The object with a text of it changed, or gone. */
export function replaced(object: JsonObject, name: string, change: (value: string) => string | undefined): JsonObject {
  const value = object[name];
  if (typeof value !== 'string') return object;
  const { [name]: _, ...others } = object;
  const result = change(value);
  return result === undefined ? others : { ...object, [name]: result };
}

/** The object with every value changed. */
export function mapValues(object: JsonObject, change: (value: Json, name: string) => Json): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value, name)]));
}
