import { type Customer, customerProperties, type Json, type JsonObject, sentences, validateUpdate } from '../schemas/contract.ts';
import { platformProperties, uniqueProperties } from '../schemas/properties.ts';
import { SettingsError, shown } from './settings-error.ts';
import { misspelt } from './suggestion.ts';
import { readTextFile, TEXT_LIMIT, TextFileError } from './text-file.ts';

/** What the run itself gives each customer, and what the platform does. */
const OWN_BY_THE_RUN: readonly string[] = [...uniqueProperties, ...platformProperties];
/** Levels of nesting: what walks the customer later, ajv and JSON.stringify among them, is recursive. */
const DEPTH = 20;
/** Names that not every copy of a JavaScript object keeps. */
const SPECIAL = ['__proto__', 'constructor'];

/** Reads the properties that every plain customer gets. Throws SettingsError, one line. */
export function readCustomerFile(file: string): Partial<Customer> {
  const fail = (wrong: string) => new SettingsError(`TRUSTLY_CUSTOMER_FILE ${shown(file)} ${wrong}`);
  const content = parse(file, fail);
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw fail('does not hold an object; write one such as {"currency":"USD"}');
  }
  const wrong = faultOfNesting(content) ?? faultOfProperties(content);
  if (wrong) throw fail(wrong);
  if (!validateUpdate(content)) throw fail(`is not part of a customer: ${shown(sentences(validateUpdate.errors)[0] ?? '')}; correct it`);
  return content as Partial<Customer>;
}

function parse(file: string, fail: (wrong: string) => SettingsError): Json {
  try {
    return JSON.parse(readTextFile(file, TEXT_LIMIT));
  } catch (error) {
    throw fail(error instanceof TextFileError ? error.message : 'is not JSON; write an object such as {"currency":"USD"}');
  }
}

/** Goes through the values level by level, without recursion. */
function faultOfNesting(content: JsonObject): string | undefined {
  let objects: object[] = [content];
  for (let depth = 1; objects.length > 0; depth += 1) {
    if (depth > DEPTH) return `is nested deeper than ${DEPTH} levels; write a simpler customer`;
    const special = objects.flatMap((value) => Object.keys(value)).find((name) => SPECIAL.includes(name));
    if (special) return `has a property ${special}, which is reserved in JavaScript; remove it`;
    objects = objects.flatMap((value) => Object.values(value)).filter((value) => typeof value === 'object' && value !== null);
  }
  return undefined;
}

function faultOfProperties(content: JsonObject): string | undefined {
  for (const [name, value] of Object.entries(content)) {
    if (!(customerProperties as string[]).includes(name)) {
      const meant = misspelt(name, customerProperties);
      return meant ? `has ${shown(name)}; did you mean ${meant}?` : `has ${shown(name)}, which is not a property of a customer; remove it`;
    }
    if (OWN_BY_THE_RUN.includes(name)) return `sets ${name}, which differs for each customer; remove it`;
    if (value === null) return `sets ${name} to null; give it a value or remove it`;
  }
  return undefined;
}
