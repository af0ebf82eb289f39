import * as v from 'valibot';
import { baseUrl } from './base-url.ts';
import { readCustomerFile } from './customer-file.ts';
import { parseHost } from './hosts.ts';
import { readReplay } from './replay.ts';
import { SettingsError, shown } from './settings-error.ts';

/** A setting: an environment variable, or a line of `.env`. */
export type Variable = {
  /** The value that holds without one, as it is written; settings without it are undefined then, and `unset` says what that means. */
  default?: string;
  unset?: string;
  effect: string;
  example: string;
  /** Parses the value. A message of it continues the variable's name: "is …; write …". */
  schema: v.GenericSchema<string, unknown>;
};

/** Begins the name of every setting that adds a request header. */
export const HEADER_PREFIX = 'TRUSTLY_HEADER_';

/** How many cases generated checks have. */
export type Depth = 'quick' | 'standard' | 'deep';

const given = ({ input }: { input: unknown }) => `is “${shown(String(input))}”`;
const integer = (min: number, max: number) =>
  v.pipe(
    v.string(),
    v.check(
      (text) => /^\d+$/.test(text) && Number(text) >= min && Number(text) <= max,
      (issue) => `${given(issue)}; write an integer from ${min} to ${max}, in digits`,
    ),
    v.transform(Number),
  );
/** A secret, or what is shown with one: no message repeats it. */
const credential = v.pipe(
  v.string(),
  v.regex(/^\P{Cc}*$/u, 'contains a control character; check the value'),
  v.maxLength(1_000, 'is longer than 1,000 characters; check the value'),
);
const accessId = v.pipe(credential, v.excludes(':', 'contains a colon, which HTTP Basic does not allow; check the value'));
const path = v.pipe(
  v.string(),
  v.regex(/^\P{Cc}*$/u, 'contains a control character; write the path of a folder'),
  v.regex(
    /^[^~]/,
    'begins with ~, which only a shell expands, and only outside quotes; write the full path, or ./~ for a folder of that name',
  ),
);

/** Every setting; the README's table and `.env.example` are made from it. */
export const variables = {
  TRUSTLY_BASE_URL: {
    unset: 'the embedded sandbox',
    effect:
      "Root of the target's API, without `/customers`. Requires TRUSTLY_ACCESS_ID and TRUSTLY_ACCESS_KEY; neither may be set without it.",
    example: 'https://sandbox.trustly.one/api/v1',
    schema: baseUrl,
  },
  TRUSTLY_ACCESS_ID: { effect: 'accessId of the merchant.', example: 'my-access-id', schema: accessId },
  TRUSTLY_ACCESS_KEY: { effect: 'accessKey of the merchant.', example: 'my-access-key', schema: credential },
  TRUSTLY_OTHER_ACCESS_ID: {
    effect: 'accessId of a second merchant. Without one, the checks that need two merchants are not applicable.',
    example: 'other-access-id',
    schema: accessId,
  },
  TRUSTLY_OTHER_ACCESS_KEY: { effect: 'accessKey of the second merchant.', example: 'other-access-key', schema: credential },
  TRUSTLY_TARGET_NAME: {
    unset: 'the host',
    effect: 'Name of the target in the results.',
    example: 'trustly-sandbox',
    schema: v.pipe(
      v.string(),
      v.regex(
        /^[^\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]*$/u,
        'contains a control character or a line separator; write one line of plain text',
      ),
      v.maxGraphemes(100, 'is longer than 100 characters; write a shorter name'),
    ),
  },
  TRUSTLY_CUSTOMER_FILE: {
    effect: 'JSON file with properties that every plain customer gets, for a target that requires more than the page does.',
    example: 'customer.json',
    schema: v.pipe(v.string(), v.transform(readCustomerFile)),
  },
  TRUSTLY_SEED: {
    unset: 'random, printed',
    effect:
      'Seed of the customer data, an integer: the same seed gives the same customers. Only the prefix of their externalIds is new in every run.',
    example: '42',
    schema: integer(0, 0xffff_ffff),
  },
  TRUSTLY_TIMEOUT_MS: {
    default: '10000',
    effect: 'Maximum duration of one request, in milliseconds.',
    example: '10000',
    schema: integer(1, 600_000),
  },
  TRUSTLY_STRICT: {
    default: 'false',
    effect: '`true`: a failed SHOULD counts as a failure.',
    example: 'true',
    schema: v.pipe(
      v.picklist(['true', 'false'], (issue) => `${given(issue)}; write true or false`),
      v.transform((text) => text === 'true'),
    ),
  },
  TRUSTLY_DEPTH: {
    default: 'standard',
    effect: 'How many cases the generated checks have: `quick`, `standard` or `deep`.',
    example: 'quick',
    schema: v.picklist(['quick', 'standard', 'deep'], (issue) => `${given(issue)}; write quick, standard or deep`),
  },
  TRUSTLY_CONCURRENCY: {
    default: '8',
    effect: 'Maximum concurrent requests of the generated checks, across all workers. At 1, the race checks are not applicable.',
    example: '8',
    schema: integer(1, 64),
  },
  TRUSTLY_MAX_RPS: { effect: 'Maximum requests per second.', example: '20', schema: integer(1, 10_000) },
  TRUSTLY_MAX_REQUESTS: {
    effect: 'Maximum requests per run. Checks that no longer fit are skipped and listed.',
    example: '5000',
    schema: integer(100, 1_000_000),
  },
  TRUSTLY_MAX_SECONDS: {
    effect: 'Maximum duration of the run. Checks that no longer fit are skipped and listed.',
    example: '600',
    schema: integer(10, 86_400),
  },
  TRUSTLY_REPLAY: {
    effect: 'Repeats one generated case and nothing else. Copy the value from a failure report.',
    example: '1234;7:0:1;;a title',
    schema: v.pipe(v.string(), v.transform(readReplay)),
  },
  TRUSTLY_ALLOW_HOST: {
    effect: 'The one host, over https, that is allowed in addition to loopback, private addresses and `sandbox.trustly.one`.',
    example: 'gateway.example.com',
    schema: v.pipe(
      v.string(),
      v.check((text) => parseHost(text) !== undefined, 'is not a host; write one host name, like gateway.example.com'),
      v.toLowerCase(),
    ),
  },
  [`${HEADER_PREFIX}<NAME>`]: {
    effect: 'Extra request header for a gateway in front of the target: `TRUSTLY_HEADER_X_API_KEY` sends `X-Api-Key`.',
    example: 'my-gateway-key',
    schema: v.string(),
  },
  TRUSTLY_CLIENT_CERT: {
    effect: 'PEM file of a client certificate. Requires TRUSTLY_CLIENT_KEY and an https target.',
    example: 'client.crt',
    schema: v.string(),
  },
  TRUSTLY_CLIENT_KEY: {
    effect: 'PEM file of the private key of the client certificate, unencrypted.',
    example: 'client.key',
    schema: v.string(),
  },
  TRUSTLY_OUT: { default: 'reports/out', effect: 'Folder for the results.', example: 'reports/out', schema: path },
} satisfies Record<string, Variable>;

type Variables = typeof variables;
/** The value of each setting, parsed; undefined for one that is not set and has no default. */
export type Values = {
  [Name in keyof Variables]: v.InferOutput<Variables[Name]['schema']> | (Variables[Name] extends { default: string } ? never : undefined);
};

/** Parses every setting. Throws SettingsError for the first one that is wrong. */
export function parseVariables(env: NodeJS.ProcessEnv): Values {
  const values = Object.entries<Variable>(variables).map(([name, variable]) => {
    const text = env[name] ?? variable.default;
    if (text === undefined) return [name, undefined];
    const { success, output, issues } = v.safeParse(variable.schema, text, { abortEarly: true });
    if (!success) throw new SettingsError(`${name} ${issues[0].message}`);
    return [name, output];
  });
  return Object.fromEntries(values);
}
