import type { Depth } from '../../target/settings.ts';

/** What a depth multiplies the cases of a generated check by. */
export const factors: Record<Depth, number> = { quick: 0.2, standard: 1, deep: 10 };
