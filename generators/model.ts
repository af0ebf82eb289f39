import type { Customer, Json, JsonObject } from '../schemas/contract.ts';
import { isOwned, platformProperties, withholdableProperties } from '../schemas/properties.ts';
import type { RequirementId } from '../schemas/requirement-id.ts';

/** What a customer is known to be: the properties that its merchant owns. */
export type State = Partial<Customer>;

/** What a request sends: new values, and null for what it removes. */
export type Changes = { [Name in keyof Customer]?: Customer[Name] | null };

/** One point where a customer is not as expected. */
export type Difference = { property: string; expected: string; actual: string };

/** The customer after a request: what it was, plus what was sent, minus what was null. */
export function apply(state: State, changes: Changes): State {
  const after = { ...state, ...changes };
  for (const name of [...platformProperties, ...Object.keys(changes).filter((key) => changes[key as keyof Changes] === null)]) {
    delete after[name as keyof State];
  }
  return after as State;
}

const MASK_CHARACTER = /[*#Xx•●]/;
/** Grouping characters, which a mask may have even if the value has none. */
const SEPARATOR = /[-\s./]/;

/**
 * How a customer differs from a state, beyond what the contract leaves to a target: extra properties; masking and withholding; trimming;
 * Unicode composition; a phone's punctuation; an e-mail's case. For a nested object, `before` has the keys that a merge would have kept.
 */
export function compare(expected: State, actual: State, before: State = {}): Difference[] {
  const differences: Difference[] = [];
  const owned = new Set([...Object.keys(expected), ...Object.keys(actual)].filter(isOwned)) as Set<keyof Customer>;
  for (const name of owned) {
    const [wanted, found] = [expected[name] as Json | undefined, actual[name] as Json | undefined];
    if (wanted === undefined) {
      differences.push({ property: name, expected: 'absent', actual: show(found) });
    } else if (found === undefined) {
      if (!withholdableProperties.includes(name)) differences.push({ property: name, expected: show(wanted), actual: 'absent' });
    } else {
      differences.push(...compareValue(name, wanted, found, before[name] as Json | undefined));
    }
  }
  return differences;
}

function compareValue(path: string, wanted: Json, found: Json, before?: Json): Difference[] {
  if (isObject(wanted) && isObject(found)) return compareObject(path, wanted, found, isObject(before) ? before : {});
  if (Array.isArray(wanted) && Array.isArray(found) && wanted.length === found.length) {
    return wanted.flatMap((item, index) => compareValue(`${path}[${index}]`, item, found[index] ?? null));
  }
  const same = typeof wanted === 'string' && typeof found === 'string' ? sameText(path, wanted, found) : wanted === found;
  return same ? [] : [{ property: path, expected: show(wanted), actual: show(found) }];
}

function compareObject(path: string, wanted: JsonObject, found: JsonObject, before: JsonObject): Difference[] {
  const differences = Object.entries(wanted).flatMap(([key, value]) => {
    const at = `${path}.${key}`;
    const there = Object.hasOwn(found, key) ? found[key] : undefined;
    return there === undefined ? [{ property: at, expected: show(value), actual: 'absent' }] : compareValue(at, value, there, before[key]);
  });
  // A merge keeps the keys that were not sent and a replacement drops them; either way they are not given other values.
  const kept = Object.entries(before).flatMap(([key, value]) => {
    const there = Object.hasOwn(found, key) ? found[key] : undefined;
    return key in wanted || there === undefined ? [] : compareValue(`${path}.${key}`, value, there);
  });
  return [...differences, ...kept];
}

function sameText(path: string, wanted: string, found: string): boolean {
  if (wanted === found) return true;
  if (path === 'externalId') return false;
  if (path === 'phone') return digits(wanted) === digits(found) && digits(wanted) !== '';
  const [a, b] = [wanted.normalize(), found.normalize()].map((text) => (path === 'email' ? text.toLowerCase() : text)) as [string, string];
  if (a === b || (a.includes(b) && a.trim() === b.trim())) return true;
  return ['taxId', 'nationalId', 'driverLicense.number'].includes(path) && isMasked(a, b);
}

/** Whether a text is another one masked: mask characters, and in order at most some of its own. */
export function isMasked(clear: string, masked: string): boolean {
  if (!MASK_CHARACTER.test(masked)) return false;
  const own = [...masked].filter((character) => !MASK_CHARACTER.test(character) && !SEPARATOR.test(character));
  let position = -1;
  return (
    own.length < [...clear].length &&
    own.every((character) => {
      position = clear.indexOf(character, position + 1);
      return position >= 0;
    })
  );
}

const digits = (phone: string) => phone.replace(/\D/g, '');

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value in an expectation's message, cut where it is long. */
export function show(value: Json | undefined): string {
  const text = value === undefined ? 'absent' : JSON.stringify(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/**
 * The requirement that keeps a value: VAL-5 if text was changed, VAL-6 if enrollDate was; what was lost, or is of another kind, breaks
 * `otherwise`, the requirement that what is sent is kept.
 */
export function keptBy({ property, expected, actual }: Difference, otherwise: RequirementId): RequirementId {
  if (actual === 'absent' || actual === 'null') return otherwise;
  if (property === 'enrollDate') return 'VAL-6';
  return expected.startsWith('"') ? 'VAL-5' : otherwise;
}
