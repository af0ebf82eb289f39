import { type Behaviour, conforming } from '../../sandbox/behaviour.ts';
import type { LawfulServer } from '../variant.ts';
import { access } from './access.ts';
import { answer } from './answer.ts';
import { combinations } from './combinations.ts';
import { leniency } from './leniency.ts';
import { read } from './read.ts';
import { refusal } from './refusal.ts';
import { selector } from './selector.ts';
import { strictness } from './strictness.ts';
import { value } from './value.ts';

const latitudes = [...answer, ...value, ...strictness, ...leniency, ...selector, ...refusal, ...access, ...read];

/** The name of a latitude. */
export type LatitudeName = (typeof latitudes)[number]['name'];

/** The conforming behaviour with several latitudes, the first one innermost. */
function combine(...names: readonly LatitudeName[]): Behaviour {
  let behaviour = conforming;
  for (const latitude of names.map((name) => latitudes.find((each) => each.name === name))) {
    behaviour = { ...behaviour, ...latitude?.steps(behaviour) };
  }
  return behaviour;
}

/** Servers that use one latitude of the contract each. None of them may fail. */
export const lawful: readonly LawfulServer[] = latitudes.map(({ name, why }) => ({ name, why, behaviour: combine(name) }));

/** Servers that use several latitudes at once. None of them may fail. */
export const combined: readonly LawfulServer[] = combinations.map(({ name, why, latitudes: names }) => ({
  name,
  why,
  behaviour: combine(...names),
}));
