import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Answer } from './answer.ts';
import type { Mismatch } from './mismatch.ts';
import type { Redact } from './redaction.ts';

/** One exchange of a counterexample, and what it was for. */
export type Step = { intent: string; answer: Answer };

/** A failing case that was made as short as it could be. */
export type Counterexample = {
  /** A file's name without its extension. */
  name: string;
  requirement: string;
  statement: string;
  /** What was wrong, first line first. */
  message: string;
  lines: readonly Mismatch[];
  steps: readonly Step[];
  baseUrl: string;
  /** Begins every externalId of the run; the script takes a fresh one. */
  prefix: string;
  /** Redacts the content of the script. */
  redact: Redact;
};

/** Ids that answers gave, in the order of their coming: the script takes those of its own answers. */
function idsOf(steps: readonly Step[]): string[] {
  return [...new Set(steps.flatMap(({ answer }) => answer.customer?.customerId ?? []))];
}

/** Returns a value as JSON that is safe in a script and in HTML: it cannot begin a comment, a tag or a line. */
function literal(value: unknown): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value, null, 2).replaceAll(/[<>\u2028\u2029\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, escaped);
}

/**
 * Writes a counterexample as a script that needs only Node: it sends the requests with fresh externalIds and phone numbers, and reads the
 * credentials from the variables. Texts of the target are in one JSON value and nowhere else. Returns the path.
 */
export function writeCounterexample(folder: string, counterexample: Counterexample): string {
  const { name, requirement, statement, message, lines, steps, baseUrl, prefix, redact } = counterexample;
  const data = {
    requirement: `${requirement}: ${statement}`,
    message: message.split('\n')[0],
    lines,
    // One that a part of a secret was cut from leads nowhere.
    baseUrl: redact(baseUrl) === baseUrl ? baseUrl : null,
    prefix,
    customerIds: idsOf(steps),
    requests: steps.map(({ intent, answer }) => {
      const { request, response, error } = answer.exchange;
      return {
        intent,
        method: request.method,
        path: request.path,
        headers: Object.fromEntries(request.headers),
        extra: request.extra ?? [],
        body: request.body ?? null,
        credentials: /\$(TRUSTLY_(?:OTHER_)?)ACCESS_ID/.exec(request.authorization.curl)?.[1] ?? null,
        customerId: answer.customer?.customerId ?? null,
        recorded: response ? `${response.status} ${response.body}` : (error ?? 'no answer'),
      };
    }),
  };
  const template = readFileSync(new URL('counterexample.template.mjs', import.meta.url), 'utf8');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name}.mjs`);
  // A function, because a replacement text gives $ a meaning.
  writeFileSync(
    path,
    template.replace('/* data */ {}', () => redact(literal(data))),
  );
  return path;
}
