import type { Behaviour } from './behaviour.ts';

/** A server that differs from the conforming one in one small thing. */
export interface Variant {
  /** Short, in lower case with hyphens; it is the base path and the row of the proof. */
  name: string;
  /** One sentence: what its developer did. */
  why: string;
  behaviour: Behaviour;
}

/** A server that breaks a promise. */
export interface Broken extends Variant {
  /** The requirements that it breaks, as `schemas/requirements.yaml` names them. */
  breaks: readonly [string, ...string[]];
}

/** A server that uses the room which the contract leaves. */
export type Lawful = Variant;
