import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { compile } from 'json-schema-to-typescript';
import { catalogue } from './catalogue.ts';
import { type JsonObject, openapi } from './contract.ts';

/** The generated files, and what makes their text. */
export const generated = [
  { file: new URL('customer.d.ts', import.meta.url), generate: generateTypes },
  { file: new URL('requirement-id.ts', import.meta.url), generate: async () => generateIds() },
];

/** The TypeScript types of the published schemas, as text. */
function generateTypes(): Promise<string> {
  const { schemas } = openapi.components as { schemas: JsonObject };
  const text = JSON.stringify({
    ...schemas,
    CustomerCustomData: { ...(schemas.CustomerCustomData as JsonObject), additionalProperties: true },
  });
  const definitions = JSON.parse(text.replaceAll('#/components/schemas/', '#/definitions/'));
  return compile({ $ref: '#/definitions/Customers_post-customers_Response_200', definitions }, 'CustomerAnswer', {
    additionalProperties: false,
    bannerComment: '// Generated from post-customers.openapi.yaml by `npm run types`.',
    style: { singleQuote: true, printWidth: 140 },
  });
}

/** The type of a requirement's id, as text: a mistyped id does not compile. */
function generateIds(): string {
  const ids = catalogue.map(({ id }) => `  | '${id}'`);
  return [
    '// Generated from requirements.yaml by `npm run types`.',
    '',
    '/** The id of a requirement of the catalogue. */',
    'export type RequirementId =',
    `${ids.join('\n')};`,
    '',
  ].join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const { file, generate } of generated) {
    const text = await generate();
    const before = readFileSync(file, { encoding: 'utf8', flag: 'a+' });
    writeFileSync(file, text);
    const name = file.pathname.split('/').at(-1);
    console.log(text === before ? `${name} was up to date` : `${name} was written`);
  }
}
