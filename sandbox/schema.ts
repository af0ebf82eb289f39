import { readFileSync } from 'node:fs';
import { type ErrorObject, Ajv2020 as Validator } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { COUNTRIES } from './countries.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import { invalid } from './refusal.ts';

interface Schema {
  $ref?: string;
  properties?: Record<string, Schema>;
  required?: string[];
}

interface Document {
  components: { schemas: Record<string, Schema> & { Customer: Schema } };
}

const document: Document = parse(readFileSync(new URL('../schemas/post-customers.openapi.yaml', import.meta.url), 'utf8'));
const schemas = document.components.schemas;
const reference = 'openapi#/components/schemas/Customer';

/** The properties that the published `Customer` has. */
export const PROPERTIES: readonly string[] = Object.keys(schemas.Customer.properties ?? {});

/** The properties that the published `Customer` requires. */
export const REQUIRED: readonly string[] = schemas.Customer.required ?? [];

// OpenAPI's own keywords surround the schemas; a schema with an unknown keyword is still an error.
const validator = new Validator().addVocabulary(Object.keys(document)).addSchema(document, 'openapi');
const matchesCreate = validator.compile({ $ref: reference });
const matchesUpdate = validator.compile({
  type: 'object',
  properties: Object.fromEntries(PROPERTIES.map((name) => [name, { $ref: `${reference}/properties/${name}` }])),
});

/** Refuses properties that are not of the published types, or (`create`) lack a required one. */
export function checkTypes(properties: JsonObject, create: boolean): void {
  const matches = create ? matchesCreate : matchesUpdate;
  if (matches(properties)) return;
  const error: Partial<ErrorObject> = matches.errors?.[0] ?? {};
  const path = (error.instancePath ?? '').slice(1).replaceAll('/', '.');
  if (error.keyword === 'required') {
    const missing = [path, error.params?.missingProperty].filter(Boolean).join('.');
    throw invalid(`Missing required property ${missing}`, missing);
  }
  throw invalid(`Invalid ${path}: ${error.message}`, path);
}

/** The object without the properties that the published `Customer`, or an object inside it, does not have. */
export function knownProperties(body: JsonObject): JsonObject {
  return known(body, schemas.Customer);
}

function known(value: JsonObject, schema: Schema): JsonObject {
  const properties = Object.entries(schema.properties ?? {});
  // customData is published without properties: all of it is the merchant's.
  if (properties.length === 0) return value;
  const kept: JsonObject = {};
  for (const [name, { $ref }] of properties) {
    const property = Object.hasOwn(value, name) ? value[name] : undefined;
    if (property === undefined) continue;
    const inner = $ref === undefined ? undefined : schemas[$ref.slice('#/components/schemas/'.length)];
    kept[name] = inner && isObject(property) ? known(property, inner) : property;
  }
  return kept;
}

const MAX_CHARACTERS = 1024;
const MAX_DEPTH = 64;
const NOT_BLANK = ['name', 'phone', 'email', 'externalId', 'address.country'];

/** Refuses values that the published types allow and the server's business does not. */
export function checkValues(properties: JsonObject): void {
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'customData') checkData(value, name, 1);
    else checkValue(value, name);
  }
}

function checkValue(value: Json, path: string): void {
  if (typeof value === 'string') {
    checkText(value, path);
    if (/\p{Cc}/u.test(value)) throw invalid(`Invalid ${path}: must not contain control characters`, path);
    if (NOT_BLANK.includes(path) && value.trim() === '') throw invalid(`Invalid ${path}: must not be empty or blank`, path);
    if (path === 'address.country' && !COUNTRIES.has(value)) {
      throw invalid(`Invalid ${path}: must be a country code of ISO 3166-1 alpha-2 in upper case`, path);
    }
    if (path === 'driverLicense.state' && [...value].length !== 2) throw invalid(`Invalid ${path}: must be two characters`, path);
  } else if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw invalid(`Invalid ${path}: must be an integer between -(2^53 - 1) and 2^53 - 1`, path);
  } else if (isObject(value)) {
    for (const [name, inner] of Object.entries(value)) checkValue(inner, `${path}.${name}`);
  }
}

// A path inside customData would repeat the merchant's own names in the message, so customData alone is named.
function checkData(value: Json, path: string, depth: number): void {
  if (depth > MAX_DEPTH) throw invalid(`Invalid ${path}: must not be nested deeper than ${MAX_DEPTH}`, path);
  if (value === null) throw invalid(`Invalid ${path}: must not contain null`, path);
  if (typeof value === 'string') checkText(value, path);
  else if (Array.isArray(value)) for (const item of value) checkData(item, path, depth + 1);
  else if (isObject(value)) {
    for (const [name, inner] of Object.entries(value)) {
      checkText(name, path);
      checkData(inner, path, depth + 1);
    }
  }
}

function checkText(text: string, path: string): void {
  if (!text.isWellFormed()) throw invalid(`Invalid ${path}: must not contain lone surrogates`, path);
  if ([...text].length > MAX_CHARACTERS) throw invalid(`Invalid ${path}: must be at most ${MAX_CHARACTERS} characters`, path);
}
