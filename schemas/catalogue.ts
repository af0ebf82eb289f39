import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { RequirementId } from './requirement-id.ts';

/** The areas of the contract, each a Playwright project. */
export const areas = ['answer', 'create', 'update', 'identity', 'removal', 'values', 'refusal', 'access'] as const;
/** The areas whose checks are generated: what they check belongs to the others. */
export const generatedAreas = ['properties', 'histories', 'races'] as const;
/** An area whose checks are generated. */
export type GeneratedArea = (typeof generatedAreas)[number];
/** Whether the checks of an area are generated. */
export const isGeneratedArea = (area: string): area is GeneratedArea => (generatedAreas as readonly string[]).includes(area);
/** One area of the contract. */
export type Area = (typeof areas)[number];
/** MUST: the page or the operation's own vendor documents. SHOULD: a standard or the vendor's general pages. */
export type Level = 'MUST' | 'SHOULD';
/** What a requirement rests on. */
export type Source = { pointer: string; words: string } | { fact: string } | { rfc: string; section: string };

/** A row of the requirement catalogue. */
export type Requirement = {
  id: RequirementId;
  level: Level;
  area: Area;
  statement: string;
  source: Source;
  /** Why no check covers it. */
  unchecked?: string;
};

/** What the vendor publishes beyond the page. */
export type Fact = { id: string; strength: 'solid' | 'single'; statement: string; published: string };
/** Where the page is silent, and the requirements that bound a target all the same. */
export type Question = { id: string; question: string; bounds: RequirementId[] };

const read = (file: string) => readFileSync(new URL(file, import.meta.url), 'utf8');

/** The requirement catalogue. */
export const catalogue: readonly Requirement[] = parse(read('requirements.yaml'));
/** The facts that requirements rest on. */
export const facts: readonly Fact[] = parse(read('facts.yaml'));
/** The open questions. */
export const questions: readonly Question[] = parse(read('questions.yaml'));
/** Names the catalogue's exact text, so that a result can be traced to it. */
export const catalogueSha256 = createHash('sha256').update(read('requirements.yaml')).digest('hex');

const byId = new Map<string, Requirement>(catalogue.map((row) => [row.id, row]));

/** Whether the catalogue has a requirement with this id. */
export function isRequirementId(id: string): id is RequirementId {
  return byId.has(id);
}

/** Returns the requirement with this id. Throws if the catalogue has no such id. */
export function requirementOf(id: RequirementId): Requirement {
  const row = byId.get(id);
  if (!row) throw new Error(`There is no requirement ${id} in schemas/requirements.yaml`);
  return row;
}

/** The source of a requirement in one line: the quoted words and their place. */
export function quote({ source }: Requirement): string {
  if ('pointer' in source) return `“${source.words}” (OpenAPI ${source.pointer})`;
  if ('rfc' in source) return `${source.rfc}, section ${source.section}`;
  const fact = facts.find(({ id }) => id === source.fact);
  return `${fact?.statement} (${fact?.published})`;
}
