import { type Behaviour, conforming } from '../../behaviour.ts';
import { isObject, type Json, type JsonObject } from '../../json.ts';
import type { Broken } from '../../variant.ts';

const INHERITED = ['__proto__', 'constructor', 'prototype'];

/** Servers that keep plain values, and lose or change unusual ones. */
export const values: readonly Broken[] = [
  {
    name: 'text-cut-at-255-characters',
    why: 'Text columns hold 255 characters, and a database that is not in strict mode cuts off the rest.',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: keepingColumns((text) => [...text].slice(0, 255).join('')),
  },
  {
    name: 'compatibility-characters-replaced',
    why: 'Text is normalised by NFKC, which search needs, instead of NFC.',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: keepingColumns((text) => text.normalize('NFKC')),
  },
  {
    name: 'white-space-squeezed',
    why: 'Besides trimming it, the filter of the input writes each run of white space as one space.',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: keepingText((text) => text.trim().replace(/\s+/g, ' ')),
  },
  {
    name: 'format-characters-stripped',
    why: 'Characters that cannot be seen are taken for leftovers of a paste, and with them go the joiners of emoji.',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: keepingText((text) => text.replace(/\p{Cf}/gu, '')),
  },
  {
    name: 'custom-data-set-by-path',
    why: 'The document store is told to set customData.<key>, a path, in which a dot of the key leads into an object.',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: keepingData(setByPath),
  },
  {
    name: 'custom-data-cut-below-four-levels',
    why: 'Custom data goes through the function that makes objects fit for the log, which writes [Object] below four levels.',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: keepingData((data) => cutBelow(data, 4) as JsonObject),
  },
  {
    name: 'inherited-names-dropped-from-custom-data',
    why: 'A guard against polluted prototypes drops every key that an object inherits instead of keeping it as an own one.',
    breaks: ['VAL-5', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: keepingData((data) => withoutInherited(data) as JsonObject),
  },
  {
    name: 'enroll-date-without-sign',
    why: 'The parser of timestamps takes their digits, so that a day before 1970 becomes one as long after it.',
    breaks: ['VAL-6', 'CRE-3', 'UPD-2', 'UPD-3'],
    behaviour: keeping((value, path) => (path === 'enrollDate' ? Math.abs(Number(value)) : value)),
  },
];

/** The conforming server, with each property that is set changed before it is kept. */
function keeping(change: (value: Json, name: string) => Json): Behaviour {
  return {
    ...conforming,
    apply: (before, changes, context) => {
      const kept = Object.entries(changes).map(([name, value]) => [name, value === null ? value : change(value, name)]);
      return conforming.apply(before, Object.fromEntries(kept), context);
    },
  };
}

/** Changes all text but the externalId. */
function keepingText(change: (text: string) => string): Behaviour {
  return keeping((value, name) => (name === 'externalId' ? value : mapText(value, change)));
}

/** Changes the text of each property but the externalId and customData, which is a column of its own kind. */
function keepingColumns(change: (text: string) => string): Behaviour {
  return keeping((value, name) => (name === 'externalId' || name === 'customData' ? value : mapText(value, change)));
}

function mapText(value: Json, change: (text: string) => string): Json {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapText(item, change));
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, mapText(inner, change)])) : value;
}

function keepingData(change: (data: JsonObject) => JsonObject): Behaviour {
  return keeping((value, name) => (name === 'customData' && isObject(value) ? change(value) : value));
}

function setByPath(data: JsonObject): JsonObject {
  const nested = Object.entries(data).map(([path, value]) =>
    path.split('.').reduceRight<Json>((inner, key) => Object.fromEntries([[key, inner]]), value),
  );
  return Object.fromEntries(nested.flatMap((object) => Object.entries(object ?? {})));
}

/** A value that has so many levels at most, each array or object being one. */
function cutBelow(value: Json, levels: number): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (levels === 0) return Array.isArray(value) ? '[Array]' : '[Object]';
  if (Array.isArray(value)) return value.map((item) => cutBelow(item, levels - 1));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, cutBelow(inner, levels - 1)]));
}

function withoutInherited(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutInherited);
  if (!isObject(value)) return value;
  const own = Object.entries(value).filter(([key]) => !INHERITED.includes(key));
  return Object.fromEntries(own.map(([key, inner]) => [key, withoutInherited(inner)]));
}
