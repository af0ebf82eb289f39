import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';

/** Licences that a dependency may have: permissive ones. */
const PERMISSIVE = [
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC-BY-4.0',
  'ISC',
  'MIT',
  'PSF-2.0',
  'Python-2.0',
];

type LockFile = { packages: Record<string, { license?: string }> };

test('every dependency has a permissive licence', () => {
  const { packages }: LockFile = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const rows = Object.entries(packages).filter(([path]) => path !== '');
  // Of alternatives one is enough.
  const permissive = (license = '') =>
    license
      .replace(/[()]/g, '')
      .split(' OR ')
      .some((name) => PERMISSIVE.includes(name));

  expect(rows.filter(([, { license }]) => !permissive(license)).map(([path, { license }]) => `${path}: ${license}`)).toEqual([]);
});

test('the lock file names no host', () => {
  expect(readFileSync('package-lock.json', 'utf8')).not.toContain('"resolved"');
});
