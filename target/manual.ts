import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { type Variable, variables } from './variables.ts';

const rows = Object.entries<Variable>(variables).map(([name, { default: value, unset = '–', ...row }]) => ({
  ...row,
  name,
  value: value ?? unset,
}));

/** The README's table of settings. */
export function settingsTable(): string {
  const lines = rows.map(({ name, value, effect }) => `| \`${name}\` | ${value} | ${effect} |`);
  return ['| variable | default | effect |', '|---|---|---|', ...lines].join('\n');
}

/** `.env.example`: every setting with its default and effect, none of them set. */
export function dotenvExample(): string {
  const lines = rows.map(
    ({ name, value, effect, example }) => `# ${effect} Default: ${value}.\n# ${name.replace('<NAME>', 'X_API_KEY')}=${example}\n`,
  );
  return `# Settings of the conformance suite; the environment wins over this file. Copy it to .env.\n\n${lines.join('\n')}`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(new URL('../.env.example', import.meta.url), dotenvExample());
  console.log(settingsTable());
}
