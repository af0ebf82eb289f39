import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { generateDocs } from './docs.ts';

/** Numbers in the sample output may differ between two runs. */
const withoutNumbers = (text: string) => text.replaceAll(/\d+/g, 'N');

test('the generated pages, numbers, sample and snippets are fresh', async () => {
  const docs = await generateDocs();
  const stale = [...docs].filter(
    ([path, text]) => !existsSync(path) || withoutNumbers(readFileSync(path, 'utf8')) !== withoutNumbers(text),
  );
  expect(
    stale.map(([path]) => path),
    'npm run docs writes them anew',
  ).toEqual([]);
});
