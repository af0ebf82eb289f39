import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import { type Answer, type Behaviour, type Context, conforming, type Selection } from './behaviour.ts';
import { combinations } from './combined.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import { contentTooLarge, invalid, methodNotAllowed, notFound, Refusal, unauthorized, unsupportedMediaType } from './refusal.ts';
import { checkValues, knownProperties, PROPERTIES, REQUIRED } from './schema.ts';
import { type Customer, Store } from './store.ts';
import type { Lawful } from './variant.ts';

/** One use of the room that the contract leaves, as a change to any behaviour. What it remembers lives as long as the behaviour. */
interface Latitude {
  name: string;
  why: string;
  steps: (base: Behaviour) => Partial<Behaviour>;
}

const IDS = ['customerId', 'externalId', 'merchantId', 'personId'];
const INTEGERS = ['enrollDate', 'createdAt', 'updatedAt'];
const DEEP = 64;
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi;

/** Changes every answer, accepted or refused. */
function answering(base: Behaviour, change: (answer: Answer) => Answer): Partial<Behaviour> {
  return { answer: (...args) => change(base.answer(...args)), refuse: (...args) => change(base.refuse(...args)) };
}

/** Content that Fastify sends as it is, with no charset of its own. */
function asBytes(content: Buffer): string {
  return content as unknown as string;
}

/** Adds header fields to every answer. */
function sending(base: Behaviour, headers: Record<string, string>): Partial<Behaviour> {
  return answering(base, (answer) => ({ ...answer, headers: { ...answer.headers, ...headers } }));
}

/** Writes every JSON answer in another way. */
function writing(base: Behaviour, write: (content: string) => string): Partial<Behaviour> {
  return answering(base, (answer) => (isJson(answer) ? { ...answer, content: write(String(answer.content)) } : answer));
}

/** Gives every JSON answer another Content-Type. */
function typing(base: Behaviour, type: string): Partial<Behaviour> {
  return answering(base, (answer) => (isJson(answer) ? { ...answer, headers: { ...answer.headers, 'Content-Type': type } } : answer));
}

function isJson({ headers }: Answer): boolean {
  return /^application\/json/i.test(headers['Content-Type'] ?? '');
}

/** Changes the answer to a refused request, not to a mistake of the server. */
function refusing(base: Behaviour, change: (answer: Answer, refusal: Refusal) => Answer): Partial<Behaviour> {
  const refused = (answer: Answer, refusal: Refusal) => (answer.status < 500 ? change(answer, refusal) : answer);
  return { refuse: (refusal, now) => refused(base.refuse(refusal, now), refusal) };
}

/** Answers refusals with another status, but for those that have one of their own to keep. */
function refusingWith(base: Behaviour, status: number): Partial<Behaviour> {
  return refusing(base, (answer) => (answer.status === 401 || answer.status === 429 ? answer : { ...answer, status }));
}

/** Answers refusals with other content; no type for none. */
function explaining(base: Behaviour, type: string, explain: (refusal: Refusal) => string): Partial<Behaviour> {
  return refusing(base, ({ status, headers: { 'Content-Type': _, ...headers } }, refusal) => ({
    status,
    headers: type ? { ...headers, 'Content-Type': type } : headers,
    content: explain(refusal),
  }));
}

/** Leaves a header field out of refusals. */
function dropping(base: Behaviour, field: string): Partial<Behaviour> {
  return refusing(base, ({ headers: { [field]: _, ...headers }, ...answer }) => ({ ...answer, headers }));
}

/** Refuses wrong credentials with another status. */
function denying(base: Behaviour, status: number): Partial<Behaviour> {
  return refusing(base, (answer) => {
    const { 'WWW-Authenticate': _, ...headers } = answer.headers;
    return answer.status === 401 ? { ...answer, status, headers } : answer;
  });
}

/** Changes how a customer is shown. */
function showing(base: Behaviour, change: (shown: JsonObject, customer: Customer) => JsonObject): Partial<Behaviour> {
  return { present: (customer, context) => change(base.present(customer, context), customer) };
}

/** Shows a text property in another way, and leaves it out where the change gives none. */
function masking(base: Behaviour, name: string, mask: (value: string) => string | undefined): Partial<Behaviour> {
  return showing(base, (shown) => replaced(shown, name, mask));
}

/** Changes the content of a request before it is checked. */
function reading(base: Behaviour, change: (body: JsonObject, selection: Selection) => JsonObject): Partial<Behaviour> {
  return { validate: (body, selection, context) => base.validate(change(body, selection), selection, context) };
}

/** Refuses more than the types ask for. */
function checking(base: Behaviour, check: (body: JsonObject, selection: Selection) => void): Partial<Behaviour> {
  return {
    validate(body, selection, context) {
      check(body, selection);
      return base.validate(body, selection, context);
    },
  };
}

/** Refuses texts anywhere, the names of customData's own properties excepted. */
function refusingText(base: Behaviour, reason: string, isRefused: (text: string) => boolean): Partial<Behaviour> {
  return {
    validate(body, selection, context) {
      const changes = base.validate(body, selection, context);
      for (const [name, value] of Object.entries(changes)) {
        mapTexts(value, (text) => {
          if (isRefused(text)) throw invalid(`Invalid ${name}: ${reason}`, name);
          return text;
        });
      }
      return changes;
    },
  };
}

/** Refuses values of one property; a dot leads into an object. */
function demanding(base: Behaviour, path: string, form: RegExp | ((value: Json) => boolean)): Partial<Behaviour> {
  const [outer = '', inner] = path.split('.');
  const isRight = (value: Json) => (form instanceof RegExp ? typeof value !== 'string' || form.test(value) : form(value));
  return {
    validate(body, selection, context) {
      const changes = base.validate(body, selection, context);
      const object = changes[outer];
      const value = inner === undefined ? object : isObject(object) ? object[inner] : undefined;
      if (value !== undefined && value !== null && !isRight(value)) throw invalid(`Invalid ${path}: not supported`, path);
      return changes;
    },
  };
}

/** Refuses a value that another customer of the merchant has. */
function uniquely(base: Behaviour, name: string): Partial<Behaviour> {
  return {
    checkUnique(properties, before, context) {
      base.checkUnique(properties, before, context);
      const value = properties[name];
      const others = context.store.all(context.merchant.merchantId).filter(({ customerId }) => customerId !== before?.customerId);
      if (value !== undefined && others.some((other) => other[name] === value)) throw clash(`Another Customer has this ${name}`);
    },
  };
}

/** Keeps texts that are refused otherwise: those outside ids and objects, with a harmless one checked in their place. */
function keeping(base: Behaviour, harmless: (text: string) => string): Partial<Behaviour> {
  return {
    validate(body, selection, context) {
      const texts = Object.entries(body).filter(([name, value]) => typeof value === 'string' && !IDS.includes(name));
      const stand = texts.map(([name, value]) => [name, harmless(String(value))]);
      const changes = base.validate({ ...body, ...Object.fromEntries(stand) }, selection, context);
      return { ...changes, ...Object.fromEntries(texts.filter(([name]) => typeof changes[name] === 'string')) };
    },
  };
}

/** Comes before each operation. */
function preceding(base: Behaviour, guard: (context: Context) => unknown): Partial<Behaviour> {
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

/** Refuses now and then: `times` of every 400 requests. */
function limiting(base: Behaviour, headers: () => Record<string, string>, times = 1): Partial<Behaviour> {
  let count = 0;
  const details = { status: 429, exception: 'TooManyRequestsException', code: 200, message: 'Too many requests' };
  return preceding(base, () => {
    count += 1;
    if (count > times && count % 400 < times) throw new Refusal({ ...details, headers: headers() });
  });
}

/** Gives ids of another form, made of the number that the store would give. */
function numbering(base: Behaviour, idOf: (number: string) => string): Partial<Behaviour> {
  return { save: (properties, before, context) => base.save(properties, before ?? born(idOf(context.store.nextId()), context), context) };
}

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

/** Takes other media types than application/json as JSON. */
function taking(base: Behaviour, isTaken: (contentType: string | undefined) => boolean): Partial<Behaviour> {
  const asJson = { 'content-type': 'application/json' };
  return {
    parseBody: (body, headers) => base.parseBody(body, isTaken(headers['content-type']) ? { ...headers, ...asJson } : headers),
  };
}

/** Reads repeated names of a JSON object: the first of them counts, or `refuse`. */
function repeating(base: Behaviour, refuse: boolean): Partial<Behaviour> {
  let count = 0;
  const numbered = (text: string) =>
    text.replace(/("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?/g, (token, name: string, colon?: string) => {
      count += 1;
      return colon ? `"${count} ${name.slice(1)}${colon}` : token;
    });
  const first = (value: Json, depth = 0): Json => {
    if (depth > DEEP) throw invalid('Invalid body: nested too deep');
    if (Array.isArray(value)) return value.map((item) => first(item, depth + 1));
    if (!isObject(value)) return value;
    const unique = new Map<string, Json>();
    for (const [name, inner] of Object.entries(value)) {
      const sent = name.replace(/^\d+ /, '');
      if (refuse && unique.has(sent)) throw invalid('Invalid body: a name stands in it twice');
      if (!unique.has(sent)) unique.set(sent, first(inner, depth + 1));
    }
    return Object.fromEntries(unique);
  };
  return {
    parseBody(body, headers) {
      base.parseBody(body, headers);
      return first(JSON.parse(numbered(body.toString()))) as JsonObject;
    },
  };
}

function perStore<T>(make: () => T): (store: Store) => T {
  const made = new WeakMap<Store, T>();
  return (store) => {
    const value = made.get(store) ?? make();
    made.set(store, value);
    return value;
  };
}

function born(customerId: string, { merchant, now }: Context): Customer {
  return { customerId, merchantId: merchant.merchantId, createdAt: now(), updatedAt: now() };
}

function clash(message: string): Refusal {
  return new Refusal({ status: 409, exception: 'DuplicateException', code: 210, message });
}

/** The object with every text in it changed; what is nested too deep is left to the checks. */
function mapTexts(value: Json, change: (text: string) => string, depth = 0): Json {
  if (typeof value === 'string') return change(value);
  if (depth > DEEP) return value;
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change, depth + 1));
  if (!isObject(value)) return value;
  return mapValues(value, (inner) => mapTexts(inner, change, depth + 1));
}

function mapTextsButIds(body: JsonObject, change: (text: string) => string): JsonObject {
  return mapValues(body, (value, name) => (IDS.includes(name) ? value : mapTexts(value, change)));
}

function replaced(object: JsonObject, name: string, change: (value: string) => string | undefined): JsonObject {
  const value = object[name];
  if (typeof value !== 'string') return object;
  const { [name]: _, ...others } = object;
  const result = change(value);
  return result === undefined ? others : { ...object, [name]: result };
}

function without(object: JsonObject, ...names: string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}

/** Hides all but some of the last characters, and all of a short text. */
function lastOf(value: string, mask: string, shown = 4): string {
  const hidden = value.length > 2 * shown ? value.length - shown : value.length;
  return mask.repeat(hidden) + value.slice(hidden);
}

/** RFC 7396 inside the objects of a customer. */
function mergePatch(target: Json | undefined, patch: Json, depth = 0): Json {
  if (!isObject(patch) || depth > DEEP) return patch;
  const result = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) result.delete(name);
    else result.set(name, mergePatch(result.get(name), value, depth + 1));
  }
  return Object.fromEntries(result);
}

function mergeObjects(body: JsonObject, before: Customer | undefined, merge: typeof mergePatch): JsonObject {
  return mapValues(body, (value, name) => (isObject(value) ? merge(before?.[name], value) : value));
}

/** Coerces what should be a text, in the objects of a customer too. */
function coerceTexts(body: JsonObject, coerce: (value: Json) => Json): JsonObject {
  const texts = Object.entries(knownProperties(body)).filter(([name]) => name !== 'customData' && !INTEGERS.includes(name));
  const coerced = texts.map(([name, value]): [string, Json] => [name, isObject(value) ? mapValues(value, coerce) : coerce(value)]);
  return { ...body, ...Object.fromEntries(coerced) };
}

function mapValues(object: JsonObject, change: (value: Json, name: string) => Json): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value, name)]));
}

const latitudes = [
  // Answers.
  {
    name: 'extra-at-top-level',
    why: 'The framework puts its own properties beside the customer.',
    steps: (base) => ({
      answer: (content, context) => base.answer({ ...content, requestId: 'f81d4fae', warnings: [], error: null }, context),
    }),
  },
  {
    name: 'extra-in-customer',
    why: 'The platform shows more of a customer than is published.',
    steps: (base) =>
      showing(base, (shown) => ({ ...shown, status: 'ACTIVE', riskScore: 0.5, tags: [], links: { self: '/customers' }, segment: null })),
  },
  {
    name: 'extra-in-address',
    why: 'Addresses are shown with the result of their validation.',
    steps: (base) =>
      showing(base, (shown) => (isObject(shown.address) ? { ...shown, address: { ...shown.address, verified: false } } : shown)),
  },
  {
    name: 'extra-in-driver-license',
    why: 'Driver licenses are shown with the country they are from.',
    steps: (base) =>
      showing(base, (shown) =>
        isObject(shown.driverLicense) ? { ...shown, driverLicense: { ...shown.driverLicense, country: null } } : shown,
      ),
  },
  {
    name: 'extra-in-custom-data',
    why: 'Custom data is shown with the version of its format.',
    steps: (base) =>
      showing(base, (shown) => (isObject(shown.customData) ? { ...shown, customData: { ...shown.customData, formatVersion: 1 } } : shown)),
  },
  {
    name: 'extra-in-errors',
    why: 'Errors carry an id for the support desk.',
    steps: (base) =>
      writing(base, (content) => {
        const { errors, ...others } = JSON.parse(content);
        return errors ? JSON.stringify({ ...others, traceId: 'f81d4fae', errors: [{ ...errors[0], helpUrl: null }] }) : content;
      }),
  },
  {
    name: 'pretty-printed',
    why: 'JSON is written for people, with a line end after it.',
    steps: (base) => writing(base, (content) => `${JSON.stringify(JSON.parse(content), null, 4)}\r\n`),
  },
  {
    name: 'escaped-json',
    why: 'The JSON library escapes slashes and all that is not ASCII.',
    steps: (base) =>
      writing(base, (content) =>
        content.replaceAll('/', '\\/').replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
      ),
  },
  {
    name: 'properties-reversed',
    why: 'The properties of a customer come in an order of their own.',
    steps: (base) => showing(base, (shown) => Object.fromEntries(Object.entries(shown).reverse())),
  },
  {
    name: 'integers-with-point',
    why: 'The JSON library writes every number with a decimal point.',
    steps: (base) =>
      writing(base, (content) => content.replace(STRING_OR_NUMBER, (token) => (/^-?\d+$/.test(token) ? `${token}.0` : token))),
  },
  {
    name: 'charset-parameter',
    why: 'A proxy writes the charset in capitals and without a space.',
    steps: (base) => typing(base, 'application/json;charset=UTF-8'),
  },
  {
    name: 'no-charset-parameter',
    why: 'The Content-Type of JSON has no parameters, as its registration says.',
    steps: (base) => answering(base, (answer) => ({ ...answer, content: asBytes(Buffer.from(answer.content)) })),
  },
  {
    name: 'content-type-oddly-spaced',
    why: 'A proxy rewrites the Content-Type with capitals, spaces and quotes.',
    steps: (base) => typing(base, 'Application/JSON ; Charset="UTF-8"'),
  },
  {
    name: 'gzip',
    why: 'A proxy compresses the answers to clients that accept it.',
    steps: (base) => ({
      async upsert(request, context) {
        const answer = await base.upsert(request, context);
        if (!/\bgzip\b(?! *; *q=0)/.test(String(request.headers['accept-encoding']))) return answer;
        const content = asBytes(gzipSync(answer.content));
        return { ...answer, headers: { ...answer.headers, 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' }, content };
      },
    }),
  },
  {
    name: 'connection-close',
    why: 'No connection is kept for a second request.',
    steps: (base) => sending(base, { Connection: 'close' }),
  },
  {
    name: 'set-cookie',
    why: 'A load balancer sets its cookie with each answer.',
    steps: (base) =>
      sending(base, { 'Set-Cookie': 'lb=f81d4fae; Path=/; HttpOnly', 'Cache-Control': 'no-store', 'X-Request-Id': 'f81d4fae' }),
  },
  {
    name: 'slow',
    why: 'Each request goes through three other services.',
    steps: (base) => preceding(base, () => pause(20)),
  },
  {
    name: 'unevenly-slow',
    why: 'Requests go to two machines, one of them slow, so that later ones overtake.',
    steps: (base) => {
      let count = 0;
      return preceding(base, () => {
        count += 1;
        return pause(count % 2 ? 15 : 0);
      });
    },
  },

  // Values as they are shown.
  {
    name: 'tax-id-masked-but-last-four',
    why: 'Of a tax id the last four digits are shown, after hash signs.',
    steps: (base) => masking(base, 'taxId', (value) => lastOf(value, '#')),
  },
  {
    name: 'tax-id-masked-but-first-two',
    why: 'Of a tax id the first two digits are shown, before asterisks.',
    steps: (base) => masking(base, 'taxId', (value) => value.replace(/(?<=^..).+/s, (rest) => '*'.repeat(rest.length))),
  },
  {
    name: 'tax-id-masked-by-x',
    why: 'A tax id is shown as so many letters X, its hyphens kept.',
    steps: (base) => masking(base, 'taxId', (value) => value.replace(/[^-]/gu, 'X')),
  },
  {
    name: 'tax-id-masked-in-fixed-length',
    why: 'A tax id is shown as five asterisks, however long it is.',
    steps: (base) => masking(base, 'taxId', (value) => value && '*****'),
  },
  {
    name: 'national-id-masked',
    why: 'A national id is shown as asterisks.',
    steps: (base) => masking(base, 'nationalId', (value) => lastOf(value, '*', 2)),
  },
  {
    name: 'driver-license-number-masked',
    why: 'Of a driver license number the last characters are shown.',
    steps: (base) =>
      showing(base, (shown) =>
        isObject(shown.driverLicense)
          ? { ...shown, driverLicense: replaced(shown.driverLicense, 'number', (value) => lastOf(value, '*', 3)) }
          : shown,
      ),
  },
  {
    name: 'tax-id-withheld',
    why: 'Tax ids are stored, and never shown.',
    steps: (base) => showing(base, (shown) => without(shown, 'taxId')),
  },
  {
    name: 'national-id-withheld',
    why: 'National ids are stored, and never shown.',
    steps: (base) => showing(base, (shown) => without(shown, 'nationalId')),
  },
  {
    name: 'driver-license-withheld',
    why: 'Driver licenses are stored, and never shown.',
    steps: (base) => showing(base, (shown) => without(shown, 'driverLicense')),
  },
  {
    name: 'strings-trimmed',
    why: 'Surrounding white space is taken off every text but the ids.',
    steps: (base) => reading(base, (body) => mapTextsButIds(body, (text) => text.trim())),
  },
  {
    name: 'unicode-composed',
    why: 'Every text but the ids is stored in NFC.',
    steps: (base) => reading(base, (body) => mapTextsButIds(body, (text) => text.normalize('NFC'))),
  },
  {
    name: 'unicode-decomposed',
    why: 'Every text but the ids is stored in NFD, as some file systems do.',
    steps: (base) => reading(base, (body) => mapTextsButIds(body, (text) => text.normalize('NFD'))),
  },
  {
    name: 'phone-as-digits',
    why: 'Phone numbers are stored without plus sign and punctuation.',
    steps: (base) => reading(base, (body) => replaced(body, 'phone', (phone) => phone.replace(/[\p{P}\p{Z}+]/gu, ''))),
  },
  {
    name: 'phone-punctuated',
    why: 'Phone numbers are shown in groups of digits.',
    steps: (base) =>
      masking(base, 'phone', (phone) => phone.replace(/^\+?(1?)[- .(]*(\d{3})[- .)]*(\d{3})[- .]*(\d{4})$/, '$1 ($2) $3-$4').trim()),
  },
  {
    name: 'email-in-lower-case',
    why: 'E-mail addresses are stored in lower case.',
    steps: (base) => reading(base, (body) => replaced(body, 'email', (email) => email.toLowerCase())),
  },
  {
    name: 'email-domain-in-lower-case',
    why: 'The domain of an e-mail address is stored in lower case.',
    steps: (base) =>
      reading(base, (body) => replaced(body, 'email', (email) => email.replace(/@[^@]*$/, (domain) => domain.toLowerCase()))),
  },
  {
    name: 'timestamps-in-seconds',
    why: 'A UNIX timestamp counts seconds.',
    steps: (base) =>
      showing(base, (shown, { createdAt, updatedAt }) => ({
        ...shown,
        createdAt: Math.floor(createdAt / 1000),
        updatedAt: Math.floor(updatedAt / 1000),
      })),
  },
  {
    name: 'timestamps-of-whole-seconds',
    why: 'The database cuts off the milliseconds, and the answer multiplies by a thousand.',
    steps: (base) =>
      showing(base, (shown, { createdAt, updatedAt }) => ({
        ...shown,
        createdAt: createdAt - (createdAt % 1000),
        updatedAt: updatedAt - (updatedAt % 1000),
      })),
  },
  {
    name: 'timestamps-left-out',
    why: 'The times of a record are not shown.',
    steps: (base) => showing(base, (shown) => without(shown, 'createdAt', 'updatedAt')),
  },
  {
    name: 'created-at-left-out',
    why: 'Only the time of the last update is stored.',
    steps: (base) => showing(base, (shown) => without(shown, 'createdAt')),
  },
  {
    name: 'updated-at-left-out',
    why: 'Only the time of the creation is stored.',
    steps: (base) => showing(base, (shown) => without(shown, 'updatedAt')),
  },
  {
    name: 'timestamps-in-reads-only',
    why: 'The answer to a POST is made before the record has its times.',
    steps: (base) => ({
      upsert: (request, context) =>
        base.upsert(request, {
          ...context,
          behaviour: {
            ...context.behaviour,
            present: (customer, inner) => without(context.behaviour.present(customer, inner), 'createdAt', 'updatedAt'),
          },
        }),
    }),
  },
  {
    name: 'updated-at-of-creation',
    why: 'updatedAt is the record created date and time, as its description says.',
    steps: (base) => showing(base, (shown, { createdAt }) => ({ ...shown, updatedAt: createdAt })),
  },
  {
    name: 'updated-at-kept-by-empty-update',
    why: 'The ORM writes no row that has not changed.',
    steps: (base) => ({
      save: (properties, before, context) =>
        before && isDeepStrictEqual(properties, before) ? before : base.save(properties, before, context),
    }),
  },
  {
    name: 'clock-an-hour-behind',
    why: 'The clock of the machine is an hour behind, in its Date fields too.',
    steps: (base) => {
      const behind = (time: number) => time - 3_600_000;
      const slow = (context: Context): Context => ({ ...context, now: () => behind(context.now()) });
      const dated = (answer: Answer, now: number): Answer => ({
        ...answer,
        headers: { ...answer.headers, Date: new Date(now).toUTCString() },
      });
      return {
        upsert: (request, context) => base.upsert(request, slow(context)),
        readOne: (customerId, context) => base.readOne(customerId, slow(context)),
        readList: (request, context) => base.readList(request, slow(context)),
        answer: (content, context) => dated(base.answer(content, context), context.now()),
        refuse: (refusal, now) =>
          dated(
            base.refuse(refusal, () => behind(now())),
            behind(now()),
          ),
      };
    },
  },
  {
    name: 'no-merchant-id',
    why: 'A merchant knows who it is.',
    steps: (base) => showing(base, (shown) => without(shown, 'merchantId')),
  },
  {
    name: 'ids-long',
    why: 'Customer ids are 120 characters long.',
    steps: (base) => numbering(base, (number) => number.padStart(120, 'customer')),
  },
  {
    name: 'ids-are-uuids',
    why: 'Customer ids are UUIDs.',
    steps: (base) => numbering(base, () => crypto.randomUUID()),
  },
  {
    name: 'ids-with-prefix',
    why: 'Customer ids begin with letters, some of them capitals.',
    steps: (base) => numbering(base, (number) => `cus_${Number(number).toString(36)}Z`),
  },
  {
    name: 'ids-with-leading-zeros',
    why: 'Customer ids are digits of a fixed number, with zeros before them.',
    steps: (base) => numbering(base, (number) => number.padStart(16, '0')),
  },
  {
    name: 'ids-are-urns',
    why: 'Customer ids are URNs, which a path has to encode.',
    steps: (base) => numbering(base, (number) => `urn:customer:${number}/#1`),
  },
  {
    name: 'person-id-from-creation',
    why: 'The platform gives each new customer a personId.',
    steps: (base) => ({
      save: (properties, before, context) =>
        base.save(before ? properties : { ...properties, personId: crypto.randomUUID() }, before, context),
    }),
  },
  {
    name: 'person-id-from-first-update',
    why: 'The platform looks for the person behind a customer when it is updated.',
    steps: (base) => ({
      save: (properties, before, context) =>
        base.save(before ? { personId: `person-${before.customerId}`, ...properties } : properties, before, context),
    }),
  },

  // Data that is refused.
  {
    name: 'over-long-text-refused',
    why: 'The columns of the table hold 100 characters.',
    steps: (base) => refusingText(base, 'too long', (text) => text.length > 100),
  },
  {
    name: 'over-long-body-refused',
    why: 'The gateway takes no body over 16 KiB.',
    steps: (base) => ({
      parseBody(body, headers) {
        if (body.length > 16 * 1024) throw contentTooLarge(16 * 1024);
        return base.parseBody(body, headers);
      },
    }),
  },
  {
    name: 'oversized-body-cut-off',
    why: 'The connection is closed on a body that is larger than any customer.',
    steps: (base) => refusing(base, (answer) => (answer.status === 413 ? { ...answer, status: 0 } : answer)),
  },
  {
    name: 'empty-text-refused',
    why: 'A text of no characters is taken for a mistake.',
    steps: (base) => refusingText(base, 'must not be empty', (text) => text === ''),
  },
  {
    name: 'blank-text-refused',
    why: 'A text of nothing but white space is taken for a mistake.',
    steps: (base) => refusingText(base, 'must not be blank', (text) => text.trim() === ''),
  },
  {
    name: 'short-text-refused',
    why: 'The shortest lengths of the full export are enforced.',
    steps: (base) =>
      checking(base, ({ address }) => {
        const { address1, city, state, zip } = isObject(address) ? address : {};
        const isShort = (text: Json | undefined, length: number) => typeof text === 'string' && text.length < length;
        if (isShort(address1, 1) || isShort(city, 1) || isShort(state, 2) || isShort(zip, 5)) throw invalid('Invalid address', 'address');
      }),
  },
  {
    name: 'control-characters-refused-everywhere',
    why: 'Control characters are refused inside customData too.',
    steps: (base) => refusingText(base, 'must not contain control characters', (text) => /\p{Cc}/u.test(text)),
  },
  {
    name: 'surrounding-space-refused',
    why: 'A text with white space around it is taken for a mistake.',
    steps: (base) => refusingText(base, 'must not begin or end with white space', (text) => text !== text.trim()),
  },
  {
    name: 'non-ascii-refused',
    why: 'The core system behind knows ASCII only.',
    steps: (base) => refusingText(base, 'must be ASCII', (text) => /[^ -~]/.test(text)),
  },
  {
    name: 'beyond-bmp-refused',
    why: 'The database keeps at most three bytes for a character.',
    steps: (base) => refusingText(base, 'must not contain characters beyond U+FFFF', (text) => /[\u{10000}-\u{10ffff}]/u.test(text)),
  },
  {
    name: 'markup-refused',
    why: 'The web application firewall refuses all that looks like markup or SQL.',
    steps: (base) => refusingText(base, 'not allowed', (text) => /[<>]|;\s*(drop|select|delete)\b/i.test(text)),
  },
  {
    name: 'unknown-properties-refused',
    why: 'The body is read with additionalProperties false.',
    steps: (base) =>
      checking(base, (body) => {
        if (!isDeepStrictEqual(knownProperties(body), { ...body })) throw invalid('Invalid body: unknown property');
      }),
  },
  {
    name: 'other-countries-refused',
    why: 'The business is in the United States and Canada.',
    steps: (base) => demanding(base, 'address.country', /^(US|CA)$/),
  },
  {
    name: 'currency-refused-but-two',
    why: 'The business is in two currencies.',
    steps: (base) => demanding(base, 'currency', /^(USD|CAD)$/),
  },
  {
    name: 'balance-refused-but-decimal',
    why: 'A balance is digits with at most two decimals.',
    steps: (base) => demanding(base, 'balance', /^-?\d{1,12}(\.\d{1,2})?$/),
  },
  {
    name: 'vip-refused-but-positive-integer',
    why: 'A vip level is a positive integer, as the guide says.',
    steps: (base) => demanding(base, 'vip', /^[1-9]\d{0,5}$/),
  },
  {
    name: 'date-of-birth-refused-but-iso',
    why: 'A date of birth is a day of the calendar before today, as YYYY-MM-DD.',
    steps: (base) =>
      demanding(base, 'dateOfBirth', (value) => {
        const time = Date.parse(`${value}T00:00:00Z`);
        return time < Date.now() && new Date(time).toISOString().startsWith(String(value)) && /^\d{4}-\d\d-\d\d$/.test(String(value));
      }),
  },
  {
    name: 'email-refused-but-usual',
    why: 'An e-mail address is checked by a pattern.',
    steps: (base) => demanding(base, 'email', /^[\w.+'-]+@[a-z0-9-]+(\.[a-z0-9-]+)+$/i),
  },
  {
    name: 'phone-refused-but-north-american',
    why: 'A phone number has the digits of a North American one.',
    steps: (base) => demanding(base, 'phone', (value) => /^1?\d{9,10}$/.test(String(value).replace(/[-+ .()]/g, ''))),
  },
  {
    name: 'tax-id-refused-but-nine-digits',
    why: 'A tax id has nine digits, with or without hyphens or spaces.',
    steps: (base) => demanding(base, 'taxId', (value) => /^\d{9}$/.test(String(value).replace(/[- ]/g, ''))),
  },
  {
    name: 'negative-balance-refused',
    why: 'A balance is never below zero.',
    steps: (base) => demanding(base, 'balance', /^[^-]*$/),
  },
  {
    name: 'negative-enroll-date-refused',
    why: 'No customer was enrolled before 1970.',
    steps: (base) => demanding(base, 'enrollDate', (value) => Number(value) >= 0),
  },
  {
    name: 'future-enroll-date-refused',
    why: 'A first transaction lies in the past.',
    steps: (base) => demanding(base, 'enrollDate', (value) => Number(value) <= Date.now()),
  },
  {
    name: 'external-id-refused-but-letters-digits',
    why: 'An externalId is made of letters and digits.',
    steps: (base) => demanding(base, 'externalId', /^[a-z\d]+$/i),
  },
  {
    name: 'external-id-refused-but-url-safe',
    why: 'An externalId is made of characters that a URL takes as they are.',
    steps: (base) => demanding(base, 'externalId', /^[\w.~-]{1,64}$/),
  },
  {
    name: 'create-without-external-id-refused',
    why: 'externalId is required, as the older page says.',
    steps: (base) =>
      checking(base, (body, { customer, externalId }) => {
        if (!customer && typeof body.externalId !== 'string' && externalId === undefined) throw invalid('Missing externalId', 'externalId');
      }),
  },
  {
    name: 'partial-update-refused',
    why: 'The same schema, with what it requires, holds for an update.',
    steps: (base) =>
      checking(base, (body, { customer }) => {
        const missing = REQUIRED.find((name) => body[name] === undefined);
        if (customer && missing !== undefined) throw invalid(`Missing required property ${missing}`, missing);
      }),
  },
  {
    name: 'tax-id-null-refused',
    why: 'A tax id may be required, so it is never removed.',
    steps: (base) =>
      checking(base, (body) => {
        if (body.taxId === null) throw invalid('Invalid taxId: must not be removed', 'taxId');
      }),
  },
  {
    name: 'tax-id-required-at-create',
    why: 'The industry asks for a tax id of each new customer.',
    steps: (base) =>
      checking(base, (body, { customer }) => {
        if (!customer && typeof body.taxId !== 'string') throw invalid('Missing required property taxId', 'taxId');
      }),
  },
  {
    name: 'tax-id-required-always',
    why: 'The industry asks for a tax id, in updates too.',
    steps: (base) =>
      checking(base, (body) => {
        if (typeof body.taxId !== 'string') throw invalid('Missing required property taxId', 'taxId');
      }),
  },
  {
    name: 'removal-of-nothing-refused',
    why: 'What is not there cannot be removed.',
    steps: (base) =>
      checking(base, (body, { customer }) => {
        const absent = PROPERTIES.find((name) => body[name] === null && customer && customer[name] === undefined);
        if (absent !== undefined) throw invalid(`Invalid ${absent}: there is none to remove`, absent);
      }),
  },
  {
    name: 'duplicate-email-refused',
    why: 'No two customers of a merchant have one e-mail address.',
    steps: (base) => uniquely(base, 'email'),
  },
  {
    name: 'duplicate-phone-refused',
    why: 'No two customers of a merchant have one phone number.',
    steps: (base) => uniquely(base, 'phone'),
  },
  {
    name: 'duplicate-tax-id-refused',
    why: 'No two customers of a merchant have one tax id.',
    steps: (base) => uniquely(base, 'taxId'),
  },
  {
    name: 'server-properties-refused',
    why: 'A client that sends what the platform gives is told so.',
    steps: (base) =>
      checking(base, (body) => {
        const given = ['merchantId', 'createdAt', 'updatedAt', 'personId'].find((name) => body[name] !== undefined);
        if (given !== undefined) throw invalid(`Invalid ${given}: is given by the platform`, given);
      }),
  },
  {
    name: 'foreign-merchant-id-refused',
    why: 'A merchantId is compared with that of the credentials.',
    steps: (base) => ({
      validate(body, selection, context) {
        const { merchantId = context.merchant.merchantId } = body;
        if (merchantId !== context.merchant.merchantId) throw invalid('Invalid merchantId: not that of the credentials', 'merchantId');
        return base.validate(body, selection, context);
      },
    }),
  },
  {
    name: 'person-id-taken-over',
    why: 'A personId of the client is kept like any other property.',
    steps: (base) => ({
      validate(body, selection, context) {
        const changes = base.validate(body, selection, context);
        return body.personId === undefined ? changes : { ...changes, personId: body.personId };
      },
    }),
  },

  // Data that is kept where others refuse it.
  {
    name: 'long-text-kept',
    why: 'A text of any length is kept.',
    steps: (base) => keeping(base, (text) => [...text].slice(0, 100).join('')),
  },
  {
    name: 'control-characters-kept',
    why: 'Control characters are kept like any others.',
    steps: (base) => keeping(base, (text) => text.replace(/\p{Cc}/gu, '_')),
  },
  {
    name: 'blank-text-kept',
    why: 'A text is a text, be it empty or blank.',
    steps: (base) => keeping(base, (text) => (text.trim() === '' ? '_' : text)),
  },
  {
    name: 'unknown-properties-kept',
    why: 'The document store keeps and shows what it is sent.',
    steps: (base) => ({
      validate(body, selection, context) {
        const unknown = without(body, ...PROPERTIES);
        checkValues({ customData: Object.fromEntries(Object.entries(unknown).filter(([, value]) => value !== null)) });
        return { ...unknown, ...base.validate(body, selection, context) };
      },
    }),
  },
  {
    name: 'names-in-any-case',
    why: 'The JSON mapper compares property names without case.',
    steps: (base) => {
      const names = new Map(PROPERTIES.map((name) => [name.toLowerCase(), name]));
      return {
        parseBody(body, headers) {
          const sent = Object.entries(base.parseBody(body, headers));
          const exact = sent.filter(([name]) => PROPERTIES.includes(name));
          return {
            ...Object.fromEntries(sent.map(([name, value]) => [names.get(name.toLowerCase()) ?? name, value])),
            ...Object.fromEntries(exact),
          };
        },
      };
    },
  },
  {
    name: 'numbers-and-booleans-become-strings',
    why: 'The JSON mapper reads a number or a boolean into a string.',
    steps: (base) => ({
      parseBody: (body, headers) =>
        coerceTexts(base.parseBody(body, headers), (value) =>
          typeof value === 'number' || typeof value === 'boolean' ? String(value) : value,
        ),
    }),
  },
  {
    name: 'numeric-strings-become-integers',
    why: 'The JSON mapper reads a string of digits into an integer.',
    steps: (base) =>
      reading(base, (body) => {
        const isNumeric = (value: Json | undefined) => typeof value === 'string' && /^-?\d{1,15}$/.test(value);
        const numeric = INTEGERS.filter((name) => isNumeric(body[name]));
        return { ...body, ...Object.fromEntries(numeric.map((name) => [name, Number(body[name])])) };
      }),
  },
  {
    name: 'fractions-cut-off',
    why: 'The JSON mapper cuts a fraction off an integer.',
    steps: (base) =>
      reading(base, (body) => (typeof body.enrollDate === 'number' ? { ...body, enrollDate: Math.trunc(body.enrollDate) } : body)),
  },
  {
    name: 'single-items-unwrapped',
    why: 'The JSON mapper reads an array of one value as that value.',
    steps: (base) =>
      reading(base, (body) => {
        const item = (value: Json) => (Array.isArray(value) && value.length === 1 && value[0] !== undefined ? value[0] : value);
        return mapValues(body, (value, name) => (IDS.includes(name) ? value : item(value)));
      }),
  },

  // Null and nested objects.
  {
    name: 'null-on-create-refused',
    why: 'A new customer has nothing to remove.',
    steps: (base) =>
      checking(base, (body, { customer }) => {
        const name = PROPERTIES.find((property) => !customer && body[property] === null);
        if (name !== undefined) throw invalid(`Invalid ${name}: must not be null`, name);
      }),
  },
  {
    name: 'empty-string-on-create-left-out',
    why: 'The database takes an empty string for nothing when a row is made.',
    steps: (base) =>
      reading(base, (body, { customer }) =>
        customer ? body : Object.fromEntries(Object.entries(body).filter(([name, value]) => value !== '' || REQUIRED.includes(name))),
      ),
  },
  {
    name: 'empty-object-on-create-left-out',
    why: 'No row is made for customData that has no properties.',
    steps: (base) =>
      reading(base, (body, { customer }) => (!customer && isDeepStrictEqual(body.customData, {}) ? without(body, 'customData') : body)),
  },
  {
    name: 'required-removal-ignored',
    why: 'A required property set to null is passed over.',
    steps: (base) =>
      reading(base, (body, { customer }) => (customer ? without(body, ...REQUIRED.filter((name) => body[name] === null)) : body)),
  },
  {
    name: 'nested-null-left-out',
    why: 'A null inside an object is taken as a property that was not sent.',
    steps: (base) => reading(base, (body) => mergeObjects(body, undefined, mergePatch)),
  },
  {
    name: 'nested-null-in-custom-data-kept',
    why: 'customData is kept as it is, null and all.',
    steps: (base) => ({
      validate(body, selection, context) {
        const stand = (value: Json, depth = 0): Json => {
          if (value === null) return 0;
          if (depth > DEEP || typeof value !== 'object') return value;
          if (Array.isArray(value)) return value.map((item) => stand(item, depth + 1));
          return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, stand(inner, depth + 1)]));
        };
        const { customData } = body;
        if (!isObject(customData)) return base.validate(body, selection, context);
        return { ...base.validate({ ...body, customData: stand(customData) }, selection, context), customData };
      },
    }),
  },
  {
    name: 'objects-merged-deeply',
    why: 'Nested objects are merged with what is there, and null removes inside them.',
    steps: (base) => reading(base, (body, { customer }) => mergeObjects(body, customer, mergePatch)),
  },
  {
    name: 'objects-merged-one-level',
    why: 'The properties of a nested object are assigned one by one.',
    steps: (base) =>
      reading(base, (body, { customer }) =>
        mergeObjects(body, customer, (target, patch) => (isObject(target) && isObject(patch) ? { ...target, ...patch } : patch)),
      ),
  },
  {
    name: 'custom-data-merged-alone',
    why: 'Custom data is merged, address and driver license are replaced.',
    steps: (base) =>
      reading(base, (body, { customer }) =>
        isObject(body.customData) ? { ...body, customData: mergePatch(customer?.customData, body.customData) } : body,
      ),
  },

  // Selectors.
  {
    name: 'unknown-customer-id-created-afresh',
    why: 'A customerId that is not known is passed over.',
    steps: (base) => ({
      select(query, body, context) {
        const { customerId, ...others } = body;
        const isUnknown = typeof customerId === 'string' && !context.store.byId(context.merchant.merchantId, customerId);
        return base.select(query, isUnknown ? others : body, context);
      },
    }),
  },
  {
    name: 'unknown-customer-id-created-with-it',
    why: 'A customerId that no one has is that of the new customer.',
    steps: (base) => {
      const givenOf = perStore(() => new Set<string>());
      const free = (id: Json | undefined, { store }: Context) =>
        typeof id === 'string' && /^[\w-]{1,64}$/.test(id) && !givenOf(store).has(id);
      const next = (store: Store): string => {
        const id = store.nextId();
        return givenOf(store).has(id) ? next(store) : id;
      };
      return {
        select: (query, body, context) => base.select(query, free(body.customerId, context) ? without(body, 'customerId') : body, context),
        validate(body, selection, context) {
          const changes = base.validate(body, selection, context);
          return !selection.customer && typeof body.customerId === 'string' ? { ...changes, customerId: body.customerId } : changes;
        },
        save(properties, before, context) {
          const id = typeof properties.customerId === 'string' ? properties.customerId : next(context.store);
          givenOf(context.store).add(id);
          return base.save(properties, before ?? born(id, context), context);
        },
      };
    },
  },
  {
    name: 'unknown-customer-id-answered-404',
    why: 'A customerId that is not known is not found.',
    steps: (base) => refusing(base, (answer, { details }) => (details.location === 'customerId' ? { ...answer, status: 404 } : answer)),
  },
  {
    name: 'unknown-external-id-in-query-passed-over',
    why: 'The query only finds customers: a new one takes its externalId from the body.',
    steps: (base) => ({
      select(query, body, context) {
        const { externalId } = base.select(query, without(body, 'externalId'), context);
        const found = externalId !== undefined && context.store.byExternalId(context.merchant.merchantId, externalId);
        return externalId === undefined || found ? base.select(query, body, context) : { customer: undefined, externalId: undefined };
      },
    }),
  },
  {
    name: 'unknown-external-id-in-query-refused',
    why: 'A query that finds no customer is a mistake.',
    steps: (base) => ({
      select(query, body, context) {
        const selection = base.select(query, body, context);
        if (!selection.customer && selection.externalId !== undefined)
          throw notFound('Could not find Customer using the externalId of the query');
        return selection;
      },
    }),
  },
  {
    name: 'customer-id-wins',
    why: 'Where selectors disagree, the customerId counts.',
    steps: (base) => ({
      select(query, body, context) {
        const { customerId } = body;
        const customer = typeof customerId === 'string' ? context.store.byId(context.merchant.merchantId, customerId) : undefined;
        return customer ? { customer, externalId: undefined } : base.select(query, body, context);
      },
    }),
  },
  {
    name: 'external-id-wins',
    why: 'Where selectors disagree, the externalId counts, that of the query first.',
    steps: (base) => ({
      select(query, body, context) {
        const [externalId = body.externalId, ...more] = query.getAll('externalId');
        const found =
          typeof externalId === 'string' && more.length === 0 && context.store.byExternalId(context.merchant.merchantId, externalId);
        return found ? { customer: found, externalId: undefined } : base.select(query, body, context);
      },
    }),
  },
  {
    name: 'external-id-change-refused',
    why: 'The externalId of a customer never changes.',
    steps: (base) =>
      checking(base, ({ externalId }, { customer }) => {
        const before = customer?.externalId;
        if (before !== undefined && externalId !== undefined && externalId !== before)
          throw invalid('Invalid externalId: must not change', 'externalId');
      }),
  },
  {
    name: 'external-id-change-ignored',
    why: 'Another externalId for a customer that has one is passed over, null too.',
    steps: (base) =>
      reading(base, (body, { customer }) =>
        customer?.externalId !== undefined && (body.externalId === null || typeof body.externalId === 'string')
          ? without(body, 'externalId')
          : body,
      ),
  },
  {
    name: 'external-id-removable',
    why: 'An externalId set to null is removed like any other property.',
    steps: (base) => ({
      validate(body, selection, context) {
        if (body.externalId !== null || !selection.customer) return base.validate(body, selection, context);
        return { ...base.validate(without(body, 'externalId'), selection, context), externalId: null };
      },
    }),
  },
  {
    name: 'first-query-parameter-counts',
    why: 'Of repeated query parameters the framework reads the first.',
    steps: (base) => ({ parseQuery: (query) => new URLSearchParams(Object.fromEntries([...base.parseQuery(query)].reverse())) }),
  },
  {
    name: 'last-query-parameter-counts',
    why: 'Of repeated query parameters the framework reads the last.',
    steps: (base) => ({ parseQuery: (query) => new URLSearchParams(Object.fromEntries(base.parseQuery(query))) }),
  },
  {
    name: 'empty-query-parameter-ignored',
    why: 'An empty query parameter is taken as one that was not sent.',
    steps: (base) => ({ parseQuery: (query) => new URLSearchParams([...base.parseQuery(query)].filter(([, value]) => value !== '')) }),
  },
  {
    name: 'unknown-query-parameter-refused',
    why: 'A query parameter that is not published is a mistake.',
    steps: (base) => ({
      parseQuery(query) {
        const parameters = base.parseQuery(query);
        const unknown = [...parameters.keys()].some((name) => name !== 'externalId' && name !== 'customerId');
        if (unknown) throw invalid('Invalid query: unknown parameter');
        return parameters;
      },
    }),
  },
  {
    name: 'plus-in-query-literal',
    why: 'A plus sign in the query is a plus sign.',
    steps: (base) => ({ parseQuery: (query) => base.parseQuery(query.replaceAll('+', '%2B')) }),
  },
  {
    name: 'first-repeated-name-counts',
    why: 'Of repeated names in an object the JSON parser keeps the first.',
    steps: (base) => repeating(base, false),
  },
  {
    name: 'repeated-names-refused',
    why: 'The JSON parser refuses an object in which a name is repeated.',
    steps: (base) => repeating(base, true),
  },

  // Media types.
  {
    name: 'text-plain-taken',
    why: 'A body of text/plain is read as JSON.',
    steps: (base) => taking(base, (type) => /^text\/plain\b/i.test(type ?? '')),
  },
  {
    name: 'json-suffix-taken',
    why: 'A media type that ends in +json is read as JSON.',
    steps: (base) => taking(base, (type) => /^[^;]+\+json\s*(;|$)/i.test(type ?? '')),
  },
  {
    name: 'any-media-type-taken',
    why: 'The body is read as JSON, whatever its Content-Type.',
    steps: (base) => taking(base, (type) => type !== undefined),
  },
  {
    name: 'missing-content-type-taken',
    why: 'A body without Content-Type is read as JSON.',
    steps: (base) => taking(base, (type) => type === undefined),
  },
  {
    name: 'content-type-parameters-refused',
    why: 'The Content-Type is compared as a whole.',
    steps: (base) => ({
      parseBody(body, headers) {
        if (headers['content-type']?.includes(';')) throw unsupportedMediaType();
        return base.parseBody(body, headers);
      },
    }),
  },
  {
    name: 'empty-body-taken-as-empty-object',
    why: 'A body of no bytes is taken as an object of no properties.',
    steps: (base) => ({ parseBody: (body, headers) => (body.length === 0 ? {} : base.parseBody(body, headers)) }),
  },
  {
    name: 'byte-order-mark-ignored',
    why: 'A byte order mark before the JSON is passed over.',
    steps: (base) => ({
      parseBody: (body, headers) => base.parseBody(body.subarray(0, 3).equals(Buffer.from('\uFEFF')) ? body.subarray(3) : body, headers),
    }),
  },

  // Refusals.
  {
    name: 'refusals-without-body',
    why: 'The status of a refusal says it all.',
    steps: (base) => explaining(base, '', () => ''),
  },
  {
    name: 'refusals-in-plain-text',
    why: 'A refusal is explained in plain text.',
    steps: (base) => explaining(base, 'text/plain; charset=utf-8', ({ message }) => message),
  },
  {
    name: 'refusals-in-html',
    why: 'A proxy puts its own page in the place of every refusal.',
    steps: (base) => explaining(base, 'text/html', () => '<!doctype html><title>Error</title><h1>The request was refused</h1>'),
  },
  {
    name: 'refusals-with-message-alone',
    why: 'A refusal carries a message and no list of errors, as some operations do.',
    steps: (base) => explaining(base, 'application/json', ({ message }) => JSON.stringify({ message })),
  },
  {
    name: 'refusals-as-json-string',
    why: 'The framework writes the message as a JSON string.',
    steps: (base) => explaining(base, 'application/json', ({ message }) => JSON.stringify(message)),
  },
  {
    name: 'refusals-as-problem-json',
    why: 'Refusals follow RFC 9457.',
    steps: (base) =>
      explaining(base, 'application/problem+json', ({ message, details }) =>
        JSON.stringify({ type: 'about:blank', title: 'Refused', status: details.status, detail: message }),
      ),
  },
  {
    name: 'refusals-without-message',
    why: 'Errors carry their code, and no message, time or place.',
    steps: (base) => explaining(base, 'application/json', ({ details }) => JSON.stringify({ errors: [{ code: details.code }] })),
  },
  {
    name: 'refusals-of-live-domain',
    why: 'The domain of an error is the exception that the live platform names.',
    steps: (base) => writing(base, (content) => content.replace('com.trustly.sandbox.v1', 'com.paywithmybank.merchantgateway.v1')),
  },
  {
    name: 'refused-with-404',
    why: 'Every refusal is a page not found.',
    steps: (base) => refusingWith(base, 404),
  },
  {
    name: 'refused-with-409',
    why: 'Every refusal is a conflict.',
    steps: (base) => refusingWith(base, 409),
  },
  {
    name: 'refused-with-418',
    why: 'The status of refusals was chosen for fun.',
    steps: (base) => refusingWith(base, 418),
  },
  {
    name: 'refused-with-422',
    why: 'The framework answers all it does not like with 422.',
    steps: (base) => refusingWith(base, 422),
  },
  {
    name: 'refused-with-499',
    why: 'Refusals have a status of the platform alone.',
    steps: (base) => refusingWith(base, 499),
  },
  {
    name: 'no-allow',
    why: 'A 405 does not say which methods there are.',
    steps: (base) => dropping(base, 'Allow'),
  },

  // Access.
  {
    name: 'no-challenge',
    why: 'A 401 does not say how to authenticate, so that browsers open no window.',
    steps: (base) => dropping(base, 'WWW-Authenticate'),
  },
  {
    name: 'denied-with-400',
    why: 'Wrong credentials are a wrong request.',
    steps: (base) => denying(base, 400),
  },
  {
    name: 'denied-with-403',
    why: 'Wrong credentials are forbidden.',
    steps: (base) => denying(base, 403),
  },
  {
    name: 'denied-with-404',
    why: 'Nothing is told to a stranger.',
    steps: (base) => denying(base, 404),
  },
  {
    name: 'scheme-in-exact-case',
    why: 'The name of the scheme is compared as Basic.',
    steps: (base) => ({
      authenticate(authorization, merchants) {
        if (!authorization?.startsWith('Basic ')) throw unauthorized();
        return base.authenticate(authorization, merchants);
      },
    }),
  },
  {
    name: 'lenient-base64',
    why: 'The decoder passes over missing padding, white space and the other alphabet.',
    steps: () => ({
      authenticate(authorization, merchants) {
        const [, encoded = ''] = /^\s*basic\s+(.*)$/is.exec(authorization ?? '') ?? [];
        const credentials = Buffer.from(encoded, 'base64').toString();
        const merchant = merchants.find(({ accessId, accessKey }) => credentials === `${accessId}:${accessKey}`);
        if (!merchant) throw unauthorized();
        return merchant;
      },
    }),
  },

  // Many requests.
  {
    name: 'limit-with-retry-after',
    why: 'Now and then there are too many requests, and the next may come at once.',
    steps: (base) => limiting(base, () => ({ 'Retry-After': '0' })),
  },
  {
    name: 'limit-with-retry-date',
    why: 'Now and then there are too many requests, until the time that is given.',
    steps: (base) => limiting(base, () => ({ 'Retry-After': new Date(Date.now() + 1000).toUTCString() })),
  },
  {
    name: 'limit-without-retry-after',
    why: 'Now and then there are too many requests, and it is not said for how long.',
    steps: (base) => limiting(base, () => ({})),
  },
  {
    name: 'limit-twice-in-a-row',
    why: 'Now and then there are too many requests, longer than the answer says.',
    steps: (base) => limiting(base, () => ({ 'Retry-After': '0' }), 2),
  },
  {
    name: 'busy-customer-refused',
    why: 'A customer is locked while a request writes it, and the others get 409.',
    steps: (base) => {
      const busyOf = perStore(() => new Set<string>());
      return {
        async upsert(request, context) {
          const { behaviour, store, merchant } = context;
          const body = behaviour.parseBody(request.body, request.headers);
          const { customer, externalId = body.externalId } = behaviour.select(behaviour.parseQuery(request.query), body, context);
          const key = JSON.stringify([merchant.merchantId, customer?.customerId ?? null, customer ? null : (externalId ?? null)]);
          const busy = busyOf(store);
          if (typeof externalId === 'string' || customer) {
            if (busy.has(key)) throw clash('The Customer is being changed by another request');
            busy.add(key);
          }
          try {
            await pause(5);
            return await base.upsert(request, context);
          } finally {
            busy.delete(key);
          }
        },
      };
    },
  },
  {
    name: 'one-write-at-a-time',
    why: 'All writes go through one queue.',
    steps: (base) => {
      let last: Promise<unknown> = Promise.resolve();
      return {
        upsert(request, context) {
          const answer = last.then(() => pause(1)).then(() => base.upsert(request, context));
          last = answer.catch(() => undefined);
          return answer;
        },
      };
    },
  },

  // Read-back.
  {
    name: 'read-back-not-found',
    why: 'Only the one operation was built.',
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
    why: 'The path takes no method but POST.',
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
    why: 'Customers are read by their id, and not listed.',
    steps: () => ({
      readList: () => {
        throw methodNotAllowed('POST');
      },
    }),
  },
  {
    name: 'read-list-alone',
    why: 'Customers are listed, and not read by their id.',
    steps: () => ({
      readOne: () => {
        throw notFound();
      },
    }),
  },
  {
    name: 'read-back-lags',
    why: 'Reads go to a replica that is 0.8 second behind.',
    steps: (base) => lagging(base, () => true),
  },
  {
    name: 'read-back-lags-now-and-then',
    why: 'One read of three goes to a replica that is 0.8 second behind.',
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
    why: 'The customers of a merchant are too many to list.',
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
    steps: (base) => ({
      answer(content, context) {
        if (Array.isArray(content.customers) && content.customers.length === 0) throw notFound('Could not find Customer');
        return base.answer(content, context);
      },
    }),
  },
  {
    name: 'list-newest-first',
    why: 'Customers are listed the newest first, with the address of the list.',
    steps: (base) => ({
      answer: ({ customers, ...content }, context) =>
        base.answer(Array.isArray(customers) ? { ...content, url: '/customers', customers: customers.toReversed() } : content, context),
    }),
  },
  {
    name: 'unknown-id-read-400',
    why: 'To read a customer that is not there is an invalid parameter.',
    steps: (base) => ({
      readOne(customerId, context) {
        if (!context.store.byId(context.merchant.merchantId, customerId)) throw invalid('Could not find Customer', 'customerId');
        return base.readOne(customerId, context);
      },
    }),
  },
] as const satisfies readonly Latitude[];

/** The name of a latitude. */
export type LatitudeName = (typeof latitudes)[number]['name'];

/** The conforming behaviour with several latitudes, the first one innermost. */
function combine(...names: readonly LatitudeName[]): Behaviour {
  let behaviour = conforming;
  for (const latitude of names.map((name) => latitudes.find((each) => each.name === name))) {
    behaviour = { ...behaviour, ...latitude?.steps(behaviour) };
  }
  return behaviour;
}

/** Servers that use one latitude of the contract each. None of them may fail. */
export const lawful: readonly Lawful[] = latitudes.map(({ name, why }) => ({ name, why, behaviour: combine(name) }));

/** Servers that use several latitudes at once. None of them may fail. */
export const combined: readonly Lawful[] = combinations.map(({ name, why, latitudes: names }) => ({
  name,
  why,
  behaviour: combine(...names),
}));
