import type { Behaviour } from '../../sandbox/behaviour.ts';
import type { RequirementId } from '../../schemas/requirement-id.ts';

/** One use of the room that the contract leaves, as a change to any behaviour. What it remembers of customers lives as long as their store. */
export interface Latitude {
  name: string;
  why: string;
  /** The requirements that the checks read less strictly because of it. A SHOULD among them may be a warning on such a target. */
  limits: readonly [RequirementId, ...RequirementId[]];
  steps: (base: Behaviour) => Partial<Behaviour>;
}
