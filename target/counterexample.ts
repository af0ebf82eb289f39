import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Exchange } from './exchange.ts';

/** One exchange of a counterexample, and what it was for. */
export type Step = { intent: string; exchange: Exchange };

/** One point where a customer was not as expected, as JSON texts. */
type Line = { expected: string; actual: string };

/** A failing case that was made as short as it could be. */
export type Counterexample = {
  /** A file's name without its extension. */
  name: string;
  requirement: string;
  statement: string;
  /** What was wrong, first line first. */
  message: string;
  lines: readonly Line[];
  steps: readonly Step[];
  baseUrl: string;
  /** Begins every externalId of the run; the script takes a fresh one. */
  prefix: string;
};

/** Ids that answers gave, in the order of their coming: the script takes those of its own answers. */
function idsOf(steps: readonly Step[]): string[] {
  const ids = steps.flatMap(({ exchange }) => /"customerId":"([^"]+)"/.exec(exchange.response?.body ?? '')?.[1] ?? []);
  return [...new Set(ids)];
}

/**
 * Writes a counterexample as a script that runs on Node alone: the requests with fresh externalIds and phone numbers, the credentials from the
 * variables. The result is its path.
 */
export function writeCounterexample(folder: string, counterexample: Counterexample): string {
  const { name, requirement, statement, message, lines, steps, baseUrl, prefix } = counterexample;
  const ids = idsOf(steps);
  const requests = steps.map(({ intent, exchange: { request, response, error } }) => ({
    intent,
    method: request.method,
    path: request.url.slice(baseUrl.length),
    headers: Object.fromEntries(request.headers),
    body: request.body ?? null,
    credentials: /\$(TRUSTLY_(?:OTHER_)?)ACCESS_ID/.exec(request.authorization.curl)?.[1] ?? null,
    recorded: response ? `${response.status} ${response.body}` : (error ?? 'no answer'),
  }));
  const text = `// ${requirement}: ${statement}
// ${message.split('\n')[0]}
${lines.map(({ expected, actual }) => `//   expected: ${expected}\n//   actual:   ${actual}`).join('\n')}
// Run it by \`node ${name}.mjs\`; TRUSTLY_BASE_URL, TRUSTLY_ACCESS_ID and TRUSTLY_ACCESS_KEY say where and by whom.

const baseUrl = (process.env.TRUSTLY_BASE_URL ?? ${JSON.stringify(baseUrl)}).replace(/\\/+$/, '');
const prefix = ${JSON.stringify(prefix)};
const customerIds = ${JSON.stringify(ids)};
const requests = ${JSON.stringify(requests, null, 2)};

// Ids and phone numbers of the first run belong to its customers.
const fresh = new Map([[prefix, \`\${Date.now()}\`.slice(-prefix.length).padStart(prefix.length, '1')]]);
const renew = (text) => {
  let renewed = text.replaceAll(/\\+1\\d{3}55501\\d{2}/g, (phone) => {
    if (!fresh.has(phone)) fresh.set(phone, \`+1\${200 + Math.floor(Math.random() * 700)}55501\${String(Math.floor(Math.random() * 100)).padStart(2, '0')}\`);
    return fresh.get(phone);
  });
  for (const [old, value] of fresh) if (!old.startsWith('+')) renewed = renewed.replaceAll(old, value);
  return renewed;
};

for (const [index, { intent, method, path, headers, body, credentials, recorded }] of requests.entries()) {
  const id = process.env[\`\${credentials}ACCESS_ID\`];
  const key = process.env[\`\${credentials}ACCESS_KEY\`];
  if (credentials && (!id || !key)) throw new Error(\`set \${credentials}ACCESS_ID and \${credentials}ACCESS_KEY\`);
  const authorization = credentials ? { Authorization: \`Basic \${Buffer.from(\`\${id}:\${key}\`).toString('base64')}\` } : {};
  const response = await fetch(baseUrl + renew(path), { method, headers: { ...headers, ...authorization }, ...(body !== null && { body: renew(body) }) });
  const answer = await response.text();
  const given = /"customerId":"([^"]+)"/.exec(answer)?.[1];
  const before = /"customerId":"([^"]+)"/.exec(recorded)?.[1];
  if (given && before && customerIds.includes(before) && !fresh.has(before)) fresh.set(before, given);
  console.log(\`\${index + 1}. \${intent}\\n   \${method} \${renew(path)} \${body === null ? '' : renew(body)}\\n   now:  \${response.status} \${answer}\\n   then: \${renew(recorded)}\`);
}
`;
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, text);
  return path;
}
