import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { compile } from 'json-schema-to-typescript';
import { type JsonObject, openapi } from './contract.ts';

/** Where the generated types stand. */
export const TYPES = new URL('customer.d.ts', import.meta.url);

/** The TypeScript types of the published schemas, as text. */
export function generateTypes(): Promise<string> {
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

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const text = await generateTypes();
  const before = readFileSync(TYPES, { encoding: 'utf8', flag: 'a+' });
  writeFileSync(TYPES, text);
  console.log(text === before ? 'The types were up to date.' : 'The types were written anew.');
}
