import { type Behaviour, conforming } from '../../sandbox/behaviour.ts';
import type { LawfulServer } from '../variant.ts';
import { combinations } from './combinations.ts';
import { type LatitudeName, latitudes } from './latitudes.ts';

/** The latitudes of these names. */
const named = (names: readonly LatitudeName[]) => names.flatMap((name) => latitudes.filter((each) => each.name === name));

/** The conforming behaviour with several latitudes, the first one innermost. */
function combine(...names: readonly LatitudeName[]): Behaviour {
  let behaviour = conforming;
  for (const latitude of named(names)) behaviour = { ...behaviour, ...latitude.steps(behaviour) };
  return behaviour;
}

/** Servers that use one latitude of the contract each. None of them may fail. */
export const lawful: readonly LawfulServer[] = latitudes.map(({ name, why, limits }) => ({ name, why, limits, behaviour: combine(name) }));

/** Servers that use several latitudes at once. None of them may fail. */
export const combined: readonly LawfulServer[] = combinations.map(({ name, why, latitudes: names }) => ({
  name,
  why,
  limits: [...new Set(named(names).flatMap(({ limits }) => limits))],
  behaviour: combine(...names),
}));
