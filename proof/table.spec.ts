import { writeFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { catalogue } from '../schemas/catalogue.ts';
import { isNightly, type ProofRow, page, rows } from './catches.ts';
import { brokenServers, lawfulServers } from './servers.ts';

let found: ProofRow[];

// The rows are there once the proof has run.
test.beforeAll(() => {
  found = rows();
  const out = new URL('../selftest/out/', import.meta.url);
  writeFileSync(new URL('proof.json', out), `${JSON.stringify(found, null, 2)}\n`);
  writeFileSync(new URL('proof.md', out), page(found));
});

test.describe('the proof', () => {
  test('has a row for every server', () => {
    const names = ['conforming', ...[...brokenServers, ...lawfulServers].map(({ name }) => name)];
    expect(
      names.filter((name, index) => names.indexOf(name) !== index),
      'names that two servers have',
    ).toEqual([]);
    expect(
      names.filter((name) => !isNightly(name) && !found.some(({ server }) => server === name)),
      'servers without a row',
    ).toEqual([]);
  });

  test('has broken servers for every requirement that is checked, and for no other', () => {
    const checked = catalogue.filter(({ unchecked }) => !unchecked);
    for (const { id, level } of checked) {
      const caught = found.filter((row) => row.kind === 'broken' && row.caught.some(({ requirement }) => requirement === id));
      expect(caught.length, `broken servers on which a check of ${id} fails`).toBeGreaterThanOrEqual(level === 'MUST' ? 2 : 1);
    }
    for (const { name, breaks } of brokenServers) {
      for (const id of breaks)
        expect(
          checked.map((row) => row.id),
          `what ${name} breaks`,
        ).toContain(id);
    }
  });
});
