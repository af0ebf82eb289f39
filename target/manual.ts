import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { variables } from './variables.ts';

const offered = variables.filter(({ planned }) => !planned);

/** The README's table of settings. */
export function settingsTable(): string {
  const rows = offered.map(({ name, default: value, effect }) => `| \`${name}\` | ${value} | ${effect} |`);
  return ['| variable | default | effect |', '|---|---|---|', ...rows].join('\n');
}

/** `.env.example`: every setting with its default and effect, none of them set. */
export function dotenvExample(): string {
  const lines = offered.map(
    ({ name, default: value, effect, example, exampleName = name }) => `# ${effect} Default: ${value}.\n# ${exampleName}=${example}\n`,
  );
  return `# Settings of the conformance suite; the environment wins over this file. Copy it to .env.\n\n${lines.join('\n')}`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(new URL('../.env.example', import.meta.url), dotenvExample());
  console.log(settingsTable());
}
