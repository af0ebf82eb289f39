import { isDeepStrictEqual } from 'node:util';
import type { Behaviour } from '../../sandbox/behaviour.ts';
import { isObject, type Json, type JsonObject } from '../../sandbox/json.ts';
import { invalid } from '../../sandbox/refusal.ts';
import { checkValues, knownProperties, PROPERTIES, REQUIRED } from '../../sandbox/schema.ts';
import type { Customer } from '../../sandbox/store.ts';
import { without } from '../steps.ts';
import { checking, DEEP, IDS, mapValues, reading } from './change.ts';
import type { Latitude } from './latitude.ts';

const INTEGERS = ['enrollDate', 'createdAt', 'updatedAt'];

/** Data that others refuse, and what becomes of null and of nested objects. */
export const leniency = [
  {
    name: 'long-text-kept',
    why: 'A text of any length is kept.',
    limits: ['CRE-3'],
    steps: (base) => keeping(base, (text) => [...text].slice(0, 100).join('')),
  },
  {
    name: 'control-characters-kept',
    why: 'Control characters are kept like any others.',
    limits: ['CRE-3', 'VAL-5'],
    steps: (base) => keeping(base, (text) => text.replace(/\p{Cc}/gu, '_')),
  },
  {
    name: 'blank-text-kept',
    why: 'Empty and blank texts are kept like any other.',
    limits: ['CRE-3'],
    steps: (base) => keeping(base, (text) => (text.trim() === '' ? '_' : text)),
  },
  {
    name: 'unknown-properties-kept',
    why: 'The document store keeps and shows whatever it is sent.',
    limits: ['ANS-3', 'UPD-4'],
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
    why: 'The JSON mapper ignores the case of property names.',
    limits: ['CRE-3', 'UPD-4'],
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
    limits: ['REF-5'],
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
    limits: ['REF-5'],
    steps: (base) =>
      reading(base, (body) => {
        const isNumeric = (value: Json | undefined) => typeof value === 'string' && /^-?\d{1,15}$/.test(value);
        const numeric = INTEGERS.filter((name) => isNumeric(body[name]));
        return { ...body, ...Object.fromEntries(numeric.map((name) => [name, Number(body[name])])) };
      }),
  },
  {
    name: 'fractions-cut-off',
    why: 'The JSON mapper truncates a fraction to an integer.',
    limits: ['REF-5'],
    steps: (base) =>
      reading(base, (body) => (typeof body.enrollDate === 'number' ? { ...body, enrollDate: Math.trunc(body.enrollDate) } : body)),
  },
  {
    name: 'single-items-unwrapped',
    why: 'The JSON mapper reads an array of one value as that value.',
    limits: ['REF-5'],
    steps: (base) =>
      reading(base, (body) => {
        const item = (value: Json) => (Array.isArray(value) && value.length === 1 && value[0] !== undefined ? value[0] : value);
        return mapValues(body, (value, name) => (IDS.includes(name) ? value : item(value)));
      }),
  },

  {
    name: 'null-on-create-refused',
    why: 'A new customer has nothing to remove.',
    limits: ['NULL-1'],
    steps: (base) =>
      checking(base, (body, { customer }) => {
        const name = PROPERTIES.find((property) => !customer && body[property] === null);
        if (name !== undefined) throw invalid(`Invalid ${name}: must not be null`, name);
      }),
  },
  {
    name: 'empty-string-on-create-left-out',
    why: 'The database treats an empty string as no value when a row is inserted.',
    limits: ['CRE-3'],
    steps: (base) =>
      reading(base, (body, { customer }) =>
        customer ? body : Object.fromEntries(Object.entries(body).filter(([name, value]) => value !== '' || REQUIRED.includes(name))),
      ),
  },
  {
    name: 'empty-object-on-create-left-out',
    why: 'No row is inserted for customData without properties.',
    limits: ['CRE-3'],
    steps: (base) =>
      reading(base, (body, { customer }) => (!customer && isDeepStrictEqual(body.customData, {}) ? without(body, 'customData') : body)),
  },
  {
    name: 'required-removal-ignored',
    why: 'A required property set to null is ignored.',
    limits: ['NULL-1', 'REF-6'],
    steps: (base) =>
      reading(base, (body, { customer }) => (customer ? without(body, ...REQUIRED.filter((name) => body[name] === null)) : body)),
  },
  {
    name: 'nested-null-left-out',
    why: 'A null inside an object is treated as a property that was not sent.',
    limits: ['CRE-3', 'UPD-2'],
    steps: (base) => reading(base, (body) => mergeObjects(body, undefined, mergePatch)),
  },
  {
    name: 'nested-null-in-custom-data-kept',
    why: 'customData is kept as it is, nulls included.',
    limits: ['ANS-3', 'CRE-3'],
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
    limits: ['UPD-2'],
    steps: (base) => reading(base, (body, { customer }) => mergeObjects(body, customer, mergePatch)),
  },
  {
    name: 'objects-merged-one-level',
    why: 'The properties of a nested object are assigned one by one.',
    limits: ['UPD-2'],
    steps: (base) =>
      reading(base, (body, { customer }) =>
        mergeObjects(body, customer, (target, patch) => (isObject(target) && isObject(patch) ? { ...target, ...patch } : patch)),
      ),
  },
  {
    name: 'custom-data-merged-alone',
    why: 'Custom data is merged; address and driver license are replaced.',
    limits: ['UPD-2'],
    steps: (base) =>
      reading(base, (body, { customer }) =>
        isObject(body.customData) ? { ...body, customData: mergePatch(customer?.customData, body.customData) } : body,
      ),
  },
] as const satisfies readonly Latitude[];

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
