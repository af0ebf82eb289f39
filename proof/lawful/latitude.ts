import type { Behaviour } from '../../sandbox/behaviour.ts';

/** One use of the room that the contract leaves, as a change to any behaviour. What it remembers of customers lives as long as their store. */
export interface Latitude {
  name: string;
  why: string;
  steps: (base: Behaviour) => Partial<Behaviour>;
}
