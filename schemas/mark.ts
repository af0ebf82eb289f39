import type { RequirementId } from './requirement-id.ts';

const MARK = /^\[([A-Z]+-\d+)\] /;

/** Returns the message of an expectation that fails only one requirement: `expect(answer, of('UPD-4', 'the rest'))`. */
export function of(id: RequirementId, message: string): string {
  return `[${id}] ${message}`;
}

/** The id that a message begins with, and the rest; undefined if it begins with none. The catalogue may not have the id. */
export function readMark(text: string): { id: string; message: string } | undefined {
  const [mark, id] = MARK.exec(text) ?? [];
  return mark && id ? { id, message: text.slice(mark.length) } : undefined;
}
