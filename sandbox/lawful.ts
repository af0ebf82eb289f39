import { type Behaviour, conforming } from './behaviour.ts';
import { combinations } from './combined.ts';
import { access } from './lawful/access.ts';
import { answer } from './lawful/answer.ts';
import { leniency } from './lawful/leniency.ts';
import { read } from './lawful/read.ts';
import { refusal } from './lawful/refusal.ts';
import { selector } from './lawful/selector.ts';
import { strictness } from './lawful/strictness.ts';
import { value } from './lawful/value.ts';
import type { Lawful } from './variant.ts';

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
export const lawful: readonly Lawful[] = latitudes.map(({ name, why }) => ({ name, why, behaviour: combine(name) }));

/** Servers that use several latitudes at once. None of them may fail. */
export const combined: readonly Lawful[] = combinations.map(({ name, why, latitudes: names }) => ({
  name,
  why,
  behaviour: combine(...names),
}));
