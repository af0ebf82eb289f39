import type { IncomingHttpHeaders } from 'node:http';
import { MIMEType } from 'node:util';
import { inexactNumber, isObject, type Json, type JsonObject } from './json.ts';
import { conflict, invalid, notFound, type Refusal, unauthorized, unsupportedMediaType } from './refusal.ts';
import { checkTypes, checkValues, knownProperties, REQUIRED } from './schema.ts';
import type { Customer, Store } from './store.ts';

/** A merchant account and the credentials of its HTTP Basic authentication. */
export interface Merchant {
  /** The user-id; it has no colon. */
  accessId: string;
  /** The password. */
  accessKey: string;
  merchantId: string;
}

/** A request of an authenticated merchant, as it arrived. */
export interface Request {
  /** The query component, still encoded, without its question mark. */
  query: string;
  headers: IncomingHttpHeaders;
  /** The content, empty if none was sent. */
  body: Buffer;
}

/** What is sent back. */
export interface Answer {
  /** The status code; 0 closes the connection without an answer. */
  status: number;
  headers: Record<string, string>;
  content: string;
}

/** What a step can reach besides its arguments. */
export interface Context {
  /** The behaviour that is mounted: a step calls other steps through it, so that a variant's own are used. */
  behaviour: Behaviour;
  store: Store;
  merchant: Merchant;
  /** Milliseconds since 1970. */
  now: () => number;
}

/** The customer that a request names. */
export interface Selection {
  /** The customer to update; none for a create. */
  customer: Customer | undefined;
  /** The externalId of the query, which a create stores. */
  externalId: string | undefined;
}

/**
 * The steps that make up the server. A variant of it is an object that replaces one of them:
 * `{ ...conforming, present: (customer) => ({ ...customer, taxId: '*****' }) }`.
 */
export interface Behaviour {
  /** Finds the merchant whose credentials the Authorization field holds, or refuses. Comes first, on every path. */
  authenticate(authorization: string | undefined, merchants: readonly Merchant[]): Merchant;
  /** Reads the query, or refuses it. */
  parseQuery(query: string): URLSearchParams;
  /** Reads the content of a POST as a JSON object, or refuses it. */
  parseBody(body: Buffer, headers: IncomingHttpHeaders): JsonObject;
  /** Finds the customer that the request names, or refuses. */
  select(query: URLSearchParams, body: JsonObject, context: Context): Selection;
  /** Checks the body and gives what it changes: a value to set, or `null` to remove. */
  validate(body: JsonObject, selection: Selection, context: Context): JsonObject;
  /** The properties that result from changes to a customer, or to nothing. */
  apply(before: Customer | undefined, changes: JsonObject, context: Context): JsonObject;
  /** Refuses an externalId that another customer has. */
  checkUnique(properties: JsonObject, before: Customer | undefined, context: Context): void;
  /** Stores the properties with those that the server gives. */
  save(properties: JsonObject, before: Customer | undefined, context: Context): Customer;
  /** The customer as it stands in any answer. */
  present(customer: Customer, context: Context): JsonObject;
  /** The answer to an accepted request. */
  answer(content: JsonObject, context: Context): Answer;
  /** The answer to a refused request. */
  refuse(refusal: Refusal, now: () => number): Answer;
  /** `POST /customers`, made of the steps above. Without a promise nothing can come between two steps. */
  upsert(request: Request, context: Context): Answer | Promise<Answer>;
  /** `GET /customers/{customerId}`. */
  readOne(customerId: string, context: Context): Answer | Promise<Answer>;
  /** `GET /customers`. */
  readList(request: Request, context: Context): Answer | Promise<Answer>;
}

/** The behaviour that the published contract describes. */
export const conforming: Behaviour = {
  authenticate,
  parseQuery,
  parseBody,
  select,
  validate,
  apply,
  checkUnique,
  save,
  present: (customer) => customer,
  answer: (content) => json(200, content),
  refuse,
  upsert,
  readOne,
  readList,
};

/** An answer of JSON content. */
export function json(status: number, content: Json, headers: Record<string, string> = {}): Answer {
  return { status, headers: { 'Content-Type': 'application/json', ...headers }, content: JSON.stringify(content) };
}

function authenticate(authorization: string | undefined, merchants: readonly Merchant[]): Merchant {
  const encoded = /^basic +([a-z0-9+/]+={0,2})$/i.exec(authorization ?? '')?.[1];
  const credentials = encoded && decodeBase64(encoded);
  const merchant = merchants.find(({ accessId, accessKey }) => credentials === `${accessId}:${accessKey}`);
  if (!merchant) throw unauthorized();
  return merchant;
}

function decodeBase64(encoded: string): string | undefined {
  const bytes = Buffer.from(encoded, 'base64');
  return bytes.toString('base64') === encoded ? decodeUtf8(bytes) : undefined;
}

function decodeUtf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function parseQuery(query: string): URLSearchParams {
  try {
    // URLSearchParams takes anything; this is stricter.
    decodeURIComponent(query);
  } catch {
    throw invalid('Invalid query: must be percent-encoded UTF-8');
  }
  if (/[^!-~]/.test(query)) throw invalid('Invalid query: must be percent-encoded');
  return new URLSearchParams(query);
}

/** The one value of a query parameter, `undefined` if it was not sent. */
function parameter(query: URLSearchParams, name: string): string | undefined {
  const values = query.getAll(name);
  if (values.length > 1 || values[0] === '') throw invalid(`Invalid query parameter ${name}: must be one value that is not empty`, name);
  return values[0];
}

function parseBody(body: Buffer, headers: IncomingHttpHeaders): JsonObject {
  const contentType = headers['content-type'];
  if (contentType === undefined ? body.length > 0 : !isJson(contentType)) throw unsupportedMediaType();
  if ((headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') {
    throw unsupportedMediaType('Unsupported content coding: send the content as it is');
  }
  const text = decodeUtf8(body);
  if (text === undefined) throw invalid('Invalid body: must be UTF-8');
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid('Invalid body: must be JSON');
  }
  if (!isObject(value)) throw invalid('Invalid body: must be a JSON object');
  const number = inexactNumber(text);
  if (number !== undefined) throw invalid(`Invalid body: the number ${excerpt(number)} has more digits than can be kept`);
  return value;
}

function isJson(contentType: string): boolean {
  try {
    const { essence, params } = new MIMEType(contentType);
    return essence === 'application/json' && (params.get('charset') ?? 'utf-8').toLowerCase() === 'utf-8';
  } catch {
    return false;
  }
}

function excerpt(text: string): string {
  return text.length > 64 ? `${text.slice(0, 64)}…` : text;
}

// An id that is not a string selects nothing here; validate refuses it.
function select(query: URLSearchParams, body: JsonObject, { store, merchant }: Context): Selection {
  const queried = parameter(query, 'externalId');
  const { customerId, externalId } = body;
  const found = queried === undefined ? undefined : store.byExternalId(merchant.merchantId, queried);

  if (typeof customerId === 'string') {
    const customer = store.byId(merchant.merchantId, customerId);
    if (!customer) throw unknownCustomer(customerId);
    if (queried !== undefined && found !== customer) {
      throw invalid('The externalId of the query is not that of the Customer that customerId names', 'externalId');
    }
    return { customer, externalId: undefined };
  }
  if (queried !== undefined) {
    const renames = externalId !== undefined && externalId !== null && externalId !== queried;
    if (!found && renames) throw invalid('Could not find Customer using the externalId of the query', 'externalId');
    return { customer: found, externalId: queried };
  }
  const customer = typeof externalId === 'string' ? store.byExternalId(merchant.merchantId, externalId) : undefined;
  return { customer, externalId: undefined };
}

function unknownCustomer(customerId: string): Refusal {
  return invalid(`Could not find Customer using Id ${excerpt(customerId)}`, 'customerId');
}

const GIVEN_BY_SERVER = ['customerId', 'merchantId', 'createdAt', 'updatedAt', 'personId'];
const NOT_REMOVABLE = [...REQUIRED, 'externalId'];

function validate(body: JsonObject, { customer, externalId }: Selection): JsonObject {
  const sent = knownProperties(body);
  if (!customer && externalId !== undefined) sent.externalId = externalId;

  const values = Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== null));
  checkTypes(values, !customer);
  checkValues(values);
  const removed = NOT_REMOVABLE.find((name) => customer && sent[name] === null);
  if (removed) throw invalid(`Invalid ${removed}: must not be removed`, removed);

  return Object.fromEntries(Object.entries(sent).filter(([name]) => !GIVEN_BY_SERVER.includes(name)));
}

function apply(before: Customer | undefined, changes: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries({ ...before, ...changes }).filter(([, value]) => value !== null));
}

function checkUnique({ externalId }: JsonObject, before: Customer | undefined, { store, merchant }: Context): void {
  const owner = typeof externalId === 'string' ? store.byExternalId(merchant.merchantId, externalId) : undefined;
  if (owner && owner.customerId !== before?.customerId) throw conflict();
}

function save(properties: JsonObject, before: Customer | undefined, { store, merchant, now }: Context): Customer {
  // The clock may have been set back since the last update.
  const time = Math.max(now(), before?.updatedAt ?? 0);
  const customer: Customer = {
    ...properties,
    customerId: before?.customerId ?? store.nextId(),
    merchantId: merchant.merchantId,
    createdAt: before?.createdAt ?? time,
    updatedAt: time,
  };
  store.put(customer);
  return customer;
}

function refuse({ details }: Refusal, now: () => number): Answer {
  const { status, exception, code, message, location, headers } = details;
  const domain = `com.trustly.sandbox.v1.exception.${exception}`;
  const error: JsonObject = { domain, code, message, occurredAt: now() };
  if (location !== undefined) error.location = location;
  return json(status, { errors: [error] }, headers);
}

function upsert(request: Request, context: Context): Answer {
  const { behaviour } = context;
  const body = behaviour.parseBody(request.body, request.headers);
  const selection = behaviour.select(behaviour.parseQuery(request.query), body, context);
  const changes = behaviour.validate(body, selection, context);
  const properties = behaviour.apply(selection.customer, changes, context);
  behaviour.checkUnique(properties, selection.customer, context);
  const customer = behaviour.save(properties, selection.customer, context);
  return behaviour.answer({ customer: behaviour.present(customer, context) }, context);
}

function readOne(customerId: string, context: Context): Answer {
  const { behaviour, store, merchant } = context;
  const customer = store.byId(merchant.merchantId, customerId);
  if (!customer) throw notFound(`Could not find Customer using Id ${excerpt(customerId)}`);
  return behaviour.answer({ customer: behaviour.present(customer, context) }, context);
}

function readList(request: Request, context: Context): Answer {
  const { behaviour, store, merchant } = context;
  const query = behaviour.parseQuery(request.query);
  const customerId = parameter(query, 'customerId');
  const externalId = parameter(query, 'externalId');
  const customers = store
    .all(merchant.merchantId)
    .filter((customer) => customerId === undefined || customer.customerId === customerId)
    .filter((customer) => externalId === undefined || customer.externalId === externalId);
  return behaviour.answer({ customers: customers.map((customer) => behaviour.present(customer, context)) }, context);
}
