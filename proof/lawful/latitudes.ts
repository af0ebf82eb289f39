import { access } from './access.ts';
import { answer } from './answer.ts';
import { leniency } from './leniency.ts';
import { read } from './read.ts';
import { refusal } from './refusal.ts';
import { selector } from './selector.ts';
import { strictness } from './strictness.ts';
import { value } from './value.ts';

/** Every freedom that the contract leaves a target, each as a change of the conforming behaviour. */
export const latitudes = [...answer, ...value, ...strictness, ...leniency, ...selector, ...refusal, ...access, ...read];

/** The name of a latitude. */
export type LatitudeName = (typeof latitudes)[number]['name'];
