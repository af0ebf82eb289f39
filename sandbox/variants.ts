import { access } from './broken/access.ts';
import { answer } from './broken/answer.ts';
import { create } from './broken/create.ts';
import { identity } from './broken/identity.ts';
import { refusal } from './broken/refusal.ts';
import { removal } from './broken/removal.ts';
import { update } from './broken/update.ts';
import { values } from './broken/values.ts';
import { combined, lawful } from './lawful.ts';
import type { Mount } from './server.ts';
import type { Broken, Lawful, Variant } from './variant.ts';

/** Servers that break a promise each, by area. */
export const brokenServers: readonly Broken[] = [answer, create, update, identity, removal, values, refusal, access].flat();

/** Servers that keep every promise, each in another of the ways that the contract leaves. */
export const lawfulServers: readonly Lawful[] = [...lawful, ...combined];

/** Where a variant is served. */
export const basePathOf = ({ name }: Variant) => `/${name}/api/v1`;

/** A mount for each of these servers. */
export const mountsOf = (variants: readonly Variant[]): Mount[] =>
  variants.map((variant) => ({ basePath: basePathOf(variant), behaviour: variant.behaviour }));
