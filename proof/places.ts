import { readdirSync, readFileSync } from 'node:fs';

const sources = ['broken', 'lawful'].flatMap((folder) =>
  readdirSync(new URL(`${folder}/`, import.meta.url)).map((name) => ({
    file: `proof/${folder}/${name}`,
    lines: readFileSync(new URL(`${folder}/${name}`, import.meta.url), 'utf8').split('\n'),
  })),
);

/** Returns where a server stands in the sources; undefined if its name is not written out. */
export function placeOf(name: string): { file: string; line: number } | undefined {
  for (const { file, lines } of sources) {
    const index = lines.findIndex((line) => line.trim() === `name: '${name}',`);
    if (index >= 0) return { file, line: index + 1 };
  }
  return undefined;
}
