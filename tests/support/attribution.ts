import { type Changes, type Difference, type State, show } from '../../generators/model.ts';
import type { Json, JsonObject } from '../../schemas/contract.ts';
import type { RequirementId } from '../../schemas/requirement-id.ts';

/** The requirement that an update breaks by reaching another customer than its selector names. */
export const selectorRequirement = { customerId: 'IDY-1', externalId: 'IDY-2', query: 'IDY-3' } as const;

/** A request and the customer before it; they decide which requirement a difference breaks. */
export type Cause = {
  changes: Changes;
  before: State;
  /** Properties that were removed at any time before. */
  removed?: ReadonlySet<string>;
};

/** Attributes a difference after one update to the requirement that it breaks. */
export function attributeUpdate({ property }: Difference, { changes, before, removed }: Cause): RequirementId {
  const name = property.split('.')[0] ?? '';
  if (name in changes) {
    if (changes[name as keyof Changes] === null) return 'NULL-1';
    if (name in before) return 'UPD-2';
    return removed?.has(name) ? 'NULL-4' : 'UPD-3';
  }
  const nulls = Object.values(changes).includes(null);
  if (!(name in before)) return removed?.has(name) ? 'NULL-3' : 'UPD-4';
  return nulls && Object.values(changes).every((value) => value === null) ? 'NULL-5' : 'UPD-4';
}

/** The requests that a customer has had. */
export type RequestHistory = {
  state: State;
  /** How many requests were accepted, the create included. */
  count: number;
  /** Which of them, from 0, wrote a property last. */
  writer: ReadonlyMap<string, number>;
  /** What the customer was before each of them. */
  befores: readonly State[];
  /** What was refused since the last read, and how many had been accepted by then. */
  refused: readonly { changes: Changes; count: number }[];
  /** Whether a request was accepted since the last read. */
  accepted: boolean;
};

/**
 * Attributes a difference after several requests: to REF-1 if a refused request explains it, otherwise to the requirement of the last
 * accepted request that wrote the property.
 */
export function attributeHistory(
  { property, actual }: Difference,
  { writer, count, befores, state, refused: tried, accepted }: RequestHistory,
): RequirementId {
  const name = property.split('.')[0] ?? '';
  const by = writer.get(name);
  const isTried = tried.some(({ changes, count: earlier }) => {
    const isWrittenSince = by !== undefined && by >= earlier;
    return name in changes && shownAt(changes, property) === actual && !(isWrittenSince && actual === show(undefined));
  });
  if (isTried || (tried.length > 0 && !accepted)) return 'REF-1';
  const isLast = by === count - 1;
  if (!(name in state)) return by === undefined ? 'UPD-4' : isLast ? 'NULL-1' : 'NULL-3';
  if (by === 0) return count === 1 ? 'CRE-3' : 'UPD-4';
  if (by === undefined || !isLast) return 'UPD-4';
  if (name in (befores[by] ?? {})) return 'UPD-2';
  return befores.slice(0, by).some((before) => name in before) ? 'NULL-4' : 'UPD-3';
}

/** A value inside what a request had, as a difference shows it. */
function shownAt(changes: Changes, property: string): string {
  const inside = (value: Json | undefined, key: string) => (value as JsonObject | null | undefined)?.[key];
  return show(property.split('.').reduce(inside, changes as JsonObject) ?? undefined);
}
