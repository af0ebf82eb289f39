import fc from 'fast-check';
import { customerProperties, type Json, type JsonObject, requiredProperties, resolvePointer, typeOf } from '../schemas/contract.ts';
import { isOwned } from '../schemas/properties.ts';

/** One thing wrong with a request whose body was valid. */
export type Fault = {
  /** One line that says what is wrong. */
  label: string;
  /** By the schema (the JSON value is invalid) or of the wire (the bytes, the media type, the size). */
  of: 'schema' | 'wire';
  /** What the contract says: refused; refused, or coerced to the right type; or left open, within the bounds that always hold. */
  must: 'refuse' | 'refuse-or-coerce' | 'bounded';
  /** `must` holds only if the request names no existing customer. In an update, the contract leaves it open. */
  create?: true;
  /** Only its size is wrong: a target may close the connection instead of answering. */
  oversized?: boolean;
  /** The property concerned, where it is one; in a nested object `address.city`. */
  property?: string;
  /** What is sent instead of the valid body. mediaType: the Content-Type; null: none; undefined: application/json. */
  spoil(body: JsonObject): Spoiled;
};

/** What a fault makes of a body. */
export type Spoiled = { body: Buffer; mediaType?: string | null };

/** A kind of fault. Most have only one fault, whose label is the name of the kind. */
export type FaultKind = { kind: string; faults: fc.Arbitrary<Fault> };

/** Beyond what servers take by default (100 kB to 1 MB), and quick to send. */
const OVERSIZED = 2_000_000;
/** Deeper than recursive parsers can go, and deeper than the limits of other parsers. */
const DEPTH = 5000;

/** A counterexample shows the label instead of the code. */
const shown = (fault: Fault): Fault => Object.assign(fault, { [fc.toStringMethod]: () => fault.label });
const kindOf = (fault: Fault): FaultKind => ({ kind: fault.label, faults: fc.constant(shown(fault)) });

type Details = Pick<Fault, 'must' | 'create' | 'oversized' | 'property'>;

function schema(label: string, details: Details, change: (body: JsonObject) => Json): FaultKind {
  return kindOf({ label, of: 'schema', ...details, spoil: (body) => ({ body: Buffer.from(JSON.stringify(change(body))) }) });
}

function wire(label: string, details: Details, change: (json: string, body: JsonObject) => string | Buffer): FaultKind {
  return kindOf({ label, of: 'wire', ...details, spoil: (body) => ({ body: Buffer.from(change(JSON.stringify(body), body)) }) });
}

const without = (object: JsonObject, name: string) => Object.fromEntries(Object.entries(object).filter(([key]) => key !== name));

/** A body as JSON with a member in front, as text of any kind; it replaces one of the same name. */
function withMember(body: JsonObject, name: string, value: string, key = JSON.stringify(name)): string {
  const rest = JSON.stringify(without(body, name)).slice(1);
  return `{${key}:${value}${rest === '}' ? '' : ','}${rest}`;
}

/** Values of other types than the schema's, none of which a lenient reading turns into a person's data. */
const wrongValues: Record<string, Record<string, Json>> = {
  string: { 'a number': 12_345, true: true, 'an array': ['x'], 'an object': { value: 'x' } },
  integer: { text: 'not a number', 'a fraction': 1.5, true: true, 'an array': [1], 'an object': { value: 1 } },
  object: { text: 'text', 'a number': 5, true: true, 'an array': ['x'] },
};

const owned = customerProperties.filter((name) => isOwned(name));

const wrongTypes = owned
  .filter((name) => name !== 'externalId')
  .flatMap((name) =>
    Object.entries(wrongValues[typeOf(name)] ?? {}).map(([what, value]) =>
      schema(`${name} is ${what}`, { must: 'refuse-or-coerce', property: name }, (body) => ({ ...body, [name]: value })),
    ),
  );

/** The body's own externalId in another type: a target that coerces it finds nobody else by it. */
const wrongExternalIds = Object.entries<(own: Json) => Json>({
  'a number': (own) => Number(own) || 0,
  'an array': (own) => [own],
  'an object': (own) => ({ value: own }),
}).map(([what, disguise]) =>
  schema(`externalId is ${what}`, { must: 'refuse-or-coerce', property: 'externalId' }, (body) => ({
    ...body,
    externalId: disguise(body.externalId ?? ''),
  })),
);

const objects: readonly (readonly [name: string, title: string, fallback: JsonObject])[] = [
  ['address', 'Address', { country: 'US' }],
  ['driverLicense', 'DriverLicense', { number: 'A1234567', state: 'CA' }],
];

/** A nested object may be merged with what was there, so a missing member is left open. */
const nested = objects.flatMap(([name, title, fallback]) => {
  const { properties, required } = resolvePointer(`/components/schemas/${title}`) as { properties: JsonObject; required: string[] };
  const own = (body: JsonObject) => (body[name] ?? fallback) as JsonObject;
  return [
    ...Object.keys(properties).flatMap((member) =>
      Object.entries(wrongValues.string ?? {}).map(([what, value]) =>
        schema(`${name}.${member} is ${what}`, { must: 'refuse-or-coerce', property: `${name}.${member}` }, (body) => ({
          ...body,
          [name]: { ...own(body), [member]: value },
        })),
      ),
    ),
    ...required.map((member) =>
      schema(`${name}.${member} is missing`, { must: 'bounded', property: `${name}.${member}` }, (body) => ({
        ...body,
        [name]: without(own(body), member),
      })),
    ),
  ];
});

const absent = requiredProperties.flatMap((name) => [
  schema(`${name} is missing`, { must: 'refuse', create: true, property: name }, (body) => without(body, name)),
  schema(`${name} is null`, { must: 'bounded', property: name }, (body) => ({ ...body, [name]: null })),
]);

/** An array of one may be unwrapped. Null and what is empty may count as a body that is not there, or that changes nothing. */
const otherBodies = [
  schema('the body is a string', { must: 'refuse' }, () => 'Ann Smith'),
  schema('the body is a number', { must: 'refuse' }, () => 42),
  schema('the body is true', { must: 'refuse' }, () => true),
  schema('the body is null', { must: 'refuse', create: true }, () => null),
  schema('the body is an empty array', { must: 'refuse', create: true }, () => []),
  schema('the body is an empty object', { must: 'refuse', create: true }, () => ({})),
  schema('the body is an array of one customer', { must: 'bounded' }, (body) => [body]),
  schema('the body is its own JSON as a string', { must: 'bounded' }, (body) => JSON.stringify(body)),
];

const malformed = [
  wire('the body is empty', { must: 'refuse', create: true }, () => ''),
  wire('a comma stands before the last brace', { must: 'refuse' }, (json) => json.replace(/}$/, ',}')),
  wire('a text has single quotes', { must: 'refuse', property: 'vip' }, (_json, body) => withMember(body, 'vip', "'1'")),
  wire('a key has no quotes', { must: 'refuse', property: 'vip' }, (_json, body) => withMember(body, 'vip', '"1"', 'vip')),
  wire('enrollDate is NaN', { must: 'refuse', property: 'enrollDate' }, (_json, body) => withMember(body, 'enrollDate', 'NaN')),
  wire('enrollDate has a leading zero', { must: 'refuse', property: 'enrollDate' }, (_json, body) =>
    withMember(body, 'enrollDate', '01555696836548'),
  ),
  wire('there is a comment', { must: 'refuse' }, (json) => `{/* new */${json.slice(1)}`),
  wire('there are two documents', { must: 'refuse' }, (json) => `${json}\n${json}`),
  wire('a brace stands behind the last one', { must: 'refuse' }, (json) => `${json}}`),
  wire('the last brace is a bracket', { must: 'refuse' }, (json) => json.replace(/}$/, ']')),
  wire('a text has a raw line feed', { must: 'refuse', property: 'externalTier' }, (_json, body) =>
    withMember(body, 'externalTier', '"Go\nld"'),
  ),
  wire('a text has an unknown escape', { must: 'refuse', property: 'externalTier' }, (_json, body) =>
    withMember(body, 'externalTier', '"Go\\x6cd"'),
  ),
];

const encodings = [
  wire('the bytes are UTF-16', { must: 'bounded' }, (json) => Buffer.from(json, 'utf16le')),
  wire('there is a byte order mark', { must: 'bounded' }, (json) => `\ufeff${json}`),
  wire('name is in Latin-1', { must: 'bounded', property: 'name' }, (_json, body) => {
    const [before = '', after = ''] = withMember(body, 'name', '"Zo? Smith"').split(/\?(.*)/s);
    return Buffer.concat([Buffer.from(before), Buffer.from('ë', 'latin1'), Buffer.from(after)]);
  }),
];

/** JSON that a reader may take or not: valid by the grammar, but beyond what RFC 8259 lets a sender rely on. */
const unreliable = [
  wire('vip is there twice', { must: 'bounded', property: 'vip' }, (_json, body) => withMember(body, 'vip', '"1","vip":"2"')),
  wire('enrollDate is the number 1e400', { must: 'bounded', property: 'enrollDate' }, (_json, body) =>
    withMember(body, 'enrollDate', '1e400'),
  ),
  wire('enrollDate is a number of 400 digits', { must: 'bounded', property: 'enrollDate' }, (_json, body) =>
    withMember(body, 'enrollDate', '9'.repeat(400)),
  ),
  wire('customData is 2 MB long', { must: 'bounded', oversized: true, property: 'customData' }, (_json, body) =>
    withMember(body, 'customData', `{"note":"${'x'.repeat(OVERSIZED)}"}`),
  ),
  wire('white space makes it 2 MB long', { must: 'bounded', oversized: true }, (json) => `{${' '.repeat(OVERSIZED)}${json.slice(1)}`),
  wire(`customData has ${DEPTH} levels of arrays`, { must: 'bounded', property: 'customData' }, (_json, body) =>
    withMember(body, 'customData', `{"a":${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}}`),
  ),
  wire(`customData has ${DEPTH} levels of objects`, { must: 'bounded', property: 'customData' }, (_json, body) =>
    withMember(body, 'customData', `${'{"a":'.repeat(DEPTH)}1${'}'.repeat(DEPTH)}`),
  ),
];

const mediaTypes = ['text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'application/json; charset=utf-16', null].map(
  (mediaType) =>
    kindOf({
      label: `the media type is ${mediaType ?? 'missing'}`,
      of: 'wire',
      must: 'bounded',
      spoil: (body) => ({ body: Buffer.from(JSON.stringify(body)), mediaType }),
    }),
);

/** The position of the cut is a share of the length, so the label is true of every body. */
const cutOff: FaultKind = {
  kind: 'the JSON is cut off',
  faults: fc.integer({ min: 1, max: 999 }).map((share) =>
    shown({
      label: `the JSON is cut off at ${share / 10} % of its bytes`,
      of: 'wire',
      must: 'refuse',
      spoil: (body) => {
        const bytes = Buffer.from(JSON.stringify(body));
        return { body: bytes.subarray(0, Math.max(1, Math.floor((bytes.length * share) / 1000))) };
      },
    }),
  ),
};

const schemaKinds = [...wrongTypes, ...wrongExternalIds, ...nested, ...absent, ...otherBodies];
const wireKinds = [...malformed, ...encodings, ...unreliable, ...mediaTypes];

/** Every kind of fault. */
export const faultKinds: readonly FaultKind[] = [...schemaKinds, ...wireKinds, cutOff];

const anyOf = (kinds: readonly FaultKind[]) => fc.oneof(...kinds.map(({ faults: ofKind }) => ofKind));

/** Any fault: half of them by the schema, a sixth a cut. */
export const faults: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 3, arbitrary: anyOf(schemaKinds) },
  { weight: 2, arbitrary: anyOf(wireKinds) },
  { weight: 1, arbitrary: cutOff.faults },
);
