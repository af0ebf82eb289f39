import type { Behaviour } from '../sandbox/behaviour.ts';
import type { RequirementId } from '../schemas/requirement-id.ts';

/** A server that differs from the conforming one in one small thing. */
export interface Variant {
  /** Short, in lower case with hyphens; it is the base path and the row of the proof. */
  name: string;
  /** One sentence: what its developer did. */
  why: string;
  behaviour: Behaviour;
}

/** A server that breaks a promise. */
export interface BrokenServer extends Variant {
  /** The requirements that it breaks. */
  breaks: readonly [RequirementId, ...RequirementId[]];
  /** Written by somebody who did not know the checks: it shows what they catch unforeseen. */
  origin?: 'held-out';
  /** What shows it, if no example check does: an unusual value, an order of requests, or requests at once. */
  shownBy?: 'generated';
}

/** A server that keeps every promise, and uses a freedom that the contract leaves. */
export interface LawfulServer extends Variant {
  /** The requirements that the checks read less strictly because of it. A SHOULD among them may be a warning on such a target. */
  limits: readonly RequirementId[];
}
