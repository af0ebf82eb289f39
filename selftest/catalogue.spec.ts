import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { areas, catalogue, facts, questions } from '../schemas/catalogue.ts';
import { resolvePointer } from '../schemas/contract.ts';

/** Frozen: an id is added at the end of its line, and none is ever changed, reused or removed. */
const IDS = [
  'ANS-1 ANS-2 ANS-3 ANS-4 ANS-5 ANS-6 ANS-7 ANS-8 ANS-9',
  'CRE-1 CRE-2 CRE-3 CRE-4 CRE-5',
  'UPD-1 UPD-2 UPD-3 UPD-4 UPD-5 UPD-6 UPD-7 UPD-8 UPD-9 UPD-10 UPD-11',
  'IDY-1 IDY-2 IDY-3 IDY-4 IDY-5 IDY-6 IDY-7 IDY-8',
  'NULL-1 NULL-2 NULL-3 NULL-4 NULL-5 NULL-6',
  'VAL-1 VAL-2 VAL-3 VAL-4 VAL-5 VAL-6',
  'REF-1 REF-2 REF-3 REF-4 REF-5 REF-6 REF-7 REF-8 REF-9 REF-10',
  'ACC-1 ACC-2 ACC-3 ACC-4 ACC-5 ACC-6 ACC-7 ACC-8',
].flatMap((line) => line.split(' '));

type Listed = { title: string; suites?: Listed[]; specs?: { title: string; tags: string[]; tests: { projectName: string }[] }[] };
type ListedCheck = { title: string; tags: string[]; project: string };

/** Every check of the suite, as Playwright lists them. */
function checks(): ListedCheck[] {
  const cli = createRequire(import.meta.url).resolve('@playwright/test/cli');
  const text = execFileSync(process.execPath, [cli, 'test', '--list', '--reporter=json'], { encoding: 'utf8', maxBuffer: 1e8 });
  const walk = (suite: Listed, titles: string[]): ListedCheck[] => [
    ...(suite.specs ?? []).map(({ title, tags, tests }) => ({
      title: [...titles, title].join(' › '),
      tags,
      project: tests[0]?.projectName ?? '',
    })),
    ...(suite.suites ?? []).flatMap((inner) => walk(inner, [...titles, inner.title])),
  ];
  return (JSON.parse(text).suites as Listed[]).flatMap((file) => walk(file, []));
}

test.describe('the requirement catalogue', () => {
  test('ids are frozen and in order', () => {
    expect(catalogue.map(({ id }) => id)).toEqual(IDS);
  });

  test('a check names a requirement by its type, never by a mark written by hand', () => {
    const files = readdirSync('tests', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const marks = files.flatMap((file) => (/\[[A-Z]+-\d+\]/.test(readFileSync(join('tests', file), 'utf8')) ? file : []));
    expect(marks, "write of('UPD-4', 'the rest')").toEqual([]);
  });

  test('every row has a level, an area and a sentence', () => {
    for (const { id, level, area, statement } of catalogue) {
      expect(['MUST', 'SHOULD'], id).toContain(level);
      expect(areas, id).toContain(area);
      expect(statement, id).toMatch(/^\S.*\.$/);
    }
  });

  test('every source stands where the row says', () => {
    for (const { id, source } of catalogue) {
      if ('pointer' in source) {
        const value = resolvePointer(source.pointer);
        expect(value, `${id}: ${source.pointer}`).toBeDefined();
        const text = typeof value === 'string' ? value : JSON.stringify(value);
        expect(text, `${id}: ${source.pointer}`).toContain(source.words);
      } else if ('fact' in source) {
        expect(
          facts.map((fact) => fact.id),
          id,
        ).toContain(source.fact);
      } else {
        expect(source.rfc, id).toMatch(/^RFC \d+$/);
        expect(source.section, id).toMatch(/^\d+(\.\d+)*$/);
      }
    }
  });

  test('every open question is bounded by requirements', () => {
    for (const { id, bounds } of questions) {
      expect(bounds.length, id).toBeGreaterThan(0);
      for (const bound of bounds) expect(IDS, id).toContain(bound);
    }
  });
});

test.describe('the checks', () => {
  const all = checks();

  test('every check names requirements that exist', () => {
    for (const { title, tags } of all) {
      expect(tags.length, title).toBeGreaterThan(0);
      for (const tag of tags.filter((one) => one.replace('@', '') !== 'generated')) expect(IDS, title).toContain(tag.replace('@', ''));
    }
  });

  test('every requirement has a check or says why not', () => {
    for (const { id, unchecked } of catalogue) {
      const covered = all.some(({ tags }) => tags.map((tag) => tag.replace('@', '')).includes(id));
      expect(covered, `${id} is checked or says why not, and not both`).toBe(unchecked === undefined);
    }
  });

  test('titles are unique and short, and say neither “should” nor “test that”', () => {
    const titles = all.map(({ project, title }) => `${project} › ${title}`);
    expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
    for (const title of titles) {
      expect(title.length, title).toBeLessThanOrEqual(110);
      expect(title).not.toMatch(/should|test that/i);
    }
  });
});
