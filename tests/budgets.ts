import { type Area, type GeneratedArea, isGeneratedArea } from '../schemas/catalogue.ts';
import type { Budget } from '../target/budget.ts';
import type { Depth } from '../target/settings.ts';
import { factors } from './support/depth.ts';

/**
 * What one check of an area may make at standard depth, repeated reads included. The order is that of a run: no worker is left alone with
 * a long area, generated areas follow one another so that each has all slots, and wrong credentials come last.
 */
export const budgets: Record<Area | GeneratedArea, Budget> = {
  properties: { requests: 2_700, customers: 650 },
  identity: { requests: 30, customers: 20 },
  removal: { requests: 15, customers: 3 },
  update: { requests: 35, customers: 4 },
  refusal: { requests: 25, customers: 8 },
  histories: { requests: 3_500, customers: 800 },
  answer: { requests: 15, customers: 4 },
  races: { requests: 400, customers: 150 },
  values: { requests: 15, customers: 5 },
  create: { requests: 15, customers: 6 },
  access: { requests: 15, customers: 4 },
};

/** Returns what a check of an area may make at this depth. Of a generated check that includes shrinking a failing case. */
export function budgetOf(area: Area | GeneratedArea, depth: Depth): Budget {
  const factor = isGeneratedArea(area) ? Math.max(1, factors[depth]) : 1;
  return { requests: budgets[area].requests * factor, customers: budgets[area].customers * factor };
}
