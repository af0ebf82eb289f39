import { conforming } from '../sandbox/behaviour.ts';
import type { Mount } from '../sandbox/server.ts';
import { access } from './broken/access.ts';
import { answer } from './broken/answer.ts';
import { create } from './broken/create.ts';
import { histories } from './broken/histories.ts';
import { identity } from './broken/identity.ts';
import { races } from './broken/races.ts';
import { refusal } from './broken/refusal.ts';
import { removal } from './broken/removal.ts';
import { update } from './broken/update.ts';
import { values } from './broken/values.ts';
import { combined, lawful } from './lawful/index.ts';
import type { BrokenServer, LawfulServer, Variant } from './variant.ts';

const broken = [answer, create, update, identity, removal, values, refusal, access, histories, races].flat();

/** Servers that break a promise each, in a way that example checks show. */
export const brokenServers: readonly BrokenServer[] = broken.filter(({ shownBy }) => shownBy !== 'generated');

/** Servers that break a promise each, in a way that only generated checks show. */
export const generatedOnlyServers: readonly BrokenServer[] = broken.filter(({ shownBy }) => shownBy === 'generated');

/** Servers that keep every promise, each in another of the ways that the contract leaves. */
export const lawfulServers: readonly LawfulServer[] = [...lawful, ...combined];

/** The embedded sandbox as it is, among the variants of it. */
export const conformingServer: LawfulServer = { name: 'conforming', why: 'The embedded sandbox.', limits: [], behaviour: conforming };

/** Where a variant is served. */
export const basePathOf = ({ name }: Variant) => `/${name}/api/v1`;

/** A mount for each of these servers. */
export const mountsOf = (variants: readonly Variant[]): Mount[] =>
  variants.map((variant) => ({ basePath: basePathOf(variant), behaviour: variant.behaviour }));
