import { readFileSync } from 'node:fs';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';
import type { Customer } from './customer.d.ts';

export type { Address, Customer, DriverLicense } from './customer.d.ts';

const PUBLISHED = 'post-customers.openapi.yaml';
const READ_BACK = 'read-back.openapi.yaml';

/** A JSON value, as RFC 8259 has it. */
export type Json = string | number | boolean | null | Json[] | JsonObject;
/** A JSON object. */
export type JsonObject = { [key: string]: Json };

function load(file: string): JsonObject {
  return parse(readFileSync(new URL(file, import.meta.url), 'utf8'));
}

/** The page's OpenAPI block, as published. */
export const openapi = load(PUBLISHED);

/** Resolves a JSON pointer (RFC 6901) into the published document; undefined where it leads nowhere. */
export function resolvePointer(pointer: string): Json | undefined {
  let value: Json | undefined = openapi;
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    value = typeof value === 'object' && value !== null ? (value as JsonObject)[key] : undefined;
  }
  return value;
}

const schema = (name: string) => `${PUBLISHED}#/components/schemas/${name}`;
const customerSchema = resolvePointer('/components/schemas/Customer') as JsonObject;

/** The published schema of one property of Customer, by reference. */
const property = (name: string) => `${schema('Customer')}/properties/${name}`;

/** Every property of the published Customer, in the page's order. */
export const customerProperties = Object.keys(customerSchema.properties as JsonObject) as (keyof Customer)[];
/** The properties that the published Customer requires. */
export const requiredProperties = customerSchema.required as string[];

/** The published type (`string`, `integer`, `object`) of a property of Customer, references followed. */
export function typeOf(name: string): string {
  const declared = resolvePointer(`/components/schemas/Customer/properties/${name}`) as JsonObject;
  const target = typeof declared.$ref === 'string' ? (resolvePointer(declared.$ref.slice(1)) as JsonObject) : declared;
  return String(target.type);
}

const ajv = new Ajv2020({ allErrors: true, strictTypes: false });
addFormats.default(ajv);
// A document is more than its schemas: OpenAPI's own keywords stand at its root.
ajv.addVocabulary(['openapi', 'info', 'paths', 'servers', 'components']);
ajv.addSchema(openapi, PUBLISHED);
ajv.addSchema(load(READ_BACK), READ_BACK);

/** A create: the published Customer, unchanged. */
export const validateCreate: ValidateFunction = ajv.compile({ $ref: schema('Customer') });

/**
 * An update: nothing required and everything nullable. The page's one schema serves create, update and answer, so that the documented
 * `null` and an update of some properties alone are invalid by the letter of it; the prose beside it allows both.
 */
export const validateUpdate: ValidateFunction = ajv.compile({
  type: 'object',
  properties: Object.fromEntries(customerProperties.map((name) => [name, { anyOf: [{ $ref: property(name) }, { type: 'null' }] }])),
});

/**
 * An answer 200: the published response, `customer` and its `customerId` present. The page requires neither, yet without them no later
 * request could name the customer that was created.
 */
export const validateAnswer: ValidateFunction = ajv.compile({
  allOf: [{ $ref: schema('Customers_post-customers_Response_200') }],
  type: 'object',
  properties: { customer: { type: 'object', required: ['customerId'] } },
  required: ['customer'],
});

/** An answer 200 of `GET /customers/{customerId}` about a customer that the run made. */
export const validateCustomerAnswer: ValidateFunction = ajv.compile({ $ref: `${READ_BACK}#/components/schemas/CustomerAnswer` });
/** An answer 200 of `GET /customers`. Its customers may be other operations' and lack what POST requires. */
export const validateCustomerList: ValidateFunction = ajv.compile({ $ref: `${READ_BACK}#/components/schemas/CustomerList` });

/** The errors of a validator's last call, one short sentence each: where, and what was promised. */
export function sentences(errors: readonly ErrorObject[] | null | undefined, root = ''): string[] {
  const lines = (errors ?? []).map(({ instancePath, keyword, params, message }) => {
    const detail = keyword === 'type' ? `must be ${params.type}` : (message ?? keyword);
    return `${root}${instancePath || '/'} ${detail}`;
  });
  return [...new Set(lines)];
}
