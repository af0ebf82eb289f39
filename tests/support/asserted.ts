import { isRequirementId } from '../../schemas/catalogue.ts';
import { readMark } from '../../schemas/mark.ts';
import type { Asserted } from '../../target/attempt.ts';

let asserted = new Set<Asserted>();

/** Starts a new record of what expectations run. A worker performs one check at a time, so that one record is enough. */
export function recordAsserted(): ReadonlySet<Asserted> {
  asserted = new Set();
  return asserted;
}

/** Records that an expectation ran, whether it passed or failed. */
export function noteAsserted(what: Asserted): void {
  asserted.add(what);
}

/** What an expectation with this message is about. */
export function assertedBy(message: unknown): Asserted {
  const { id } = (typeof message === 'string' && readMark(message)) || {};
  return id !== undefined && isRequirementId(id) ? id : 'all';
}
