import { access } from './broken/access.ts';
import { answer } from './broken/answer.ts';
import { create } from './broken/create.ts';
import { histories as hiddenHistories } from './broken/hidden/histories.ts';
import { races as hiddenRaces } from './broken/hidden/races.ts';
import { values as hiddenValues } from './broken/hidden/values.ts';
import { identity } from './broken/identity.ts';
import { refusal } from './broken/refusal.ts';
import { removal } from './broken/removal.ts';
import { access as unforeseenAccess } from './broken/unforeseen/access.ts';
import { identity as unforeseenIdentity } from './broken/unforeseen/identity.ts';
import { query as unforeseenQuery } from './broken/unforeseen/query.ts';
import { refusal as unforeseenRefusal } from './broken/unforeseen/refusal.ts';
import { removal as unforeseenRemoval } from './broken/unforeseen/removal.ts';
import { update as unforeseenUpdate } from './broken/unforeseen/update.ts';
import { values as unforeseenValues } from './broken/unforeseen/values.ts';
import { update } from './broken/update.ts';
import { values } from './broken/values.ts';
import { combined, lawful } from './lawful.ts';
import type { Mount } from './server.ts';
import type { Broken, Lawful, Variant } from './variant.ts';

const areas = [answer, create, update, identity, removal, values, refusal, access];

/** Servers that nobody had in mind when the checks were written, by area too. */
const unforeseen = [
  unforeseenUpdate,
  unforeseenIdentity,
  unforeseenQuery,
  unforeseenRemoval,
  unforeseenValues,
  unforeseenRefusal,
  unforeseenAccess,
];

/** Servers that break a promise each, by area. */
export const brokenServers: readonly Broken[] = [...areas, ...unforeseen].flat();

/** Servers that break a promise each where only generated checks can show it: by an unusual value, an order of requests, or requests at once. */
export const hiddenServers: readonly Broken[] = [hiddenValues, hiddenHistories, hiddenRaces].flat();

/** Servers that keep every promise, each in another of the ways that the contract leaves. */
export const lawfulServers: readonly Lawful[] = [...lawful, ...combined];

/** Where a variant is served. */
export const basePathOf = ({ name }: Variant) => `/${name}/api/v1`;

/** A mount for each of these servers. */
export const mountsOf = (variants: readonly Variant[]): Mount[] =>
  variants.map((variant) => ({ basePath: basePathOf(variant), behaviour: variant.behaviour }));
