/** A setting: an environment variable, or a line of `.env`. */
export type Variable = {
  name: string;
  default: string;
  effect: string;
  example: string;
  /** The name in the example, if it differs. */
  exampleName?: string;
  planned?: true;
};

/** Begins the name of every setting that adds a request header. */
export const HEADER_PREFIX = 'TRUSTLY_HEADER_';

/** Every setting; the README's table and `.env.example` are made from it. */
export const variables: readonly Variable[] = [
  {
    name: 'TRUSTLY_BASE_URL',
    default: 'the embedded sandbox',
    effect:
      "Root of the target's API, without `/customers`. Requires TRUSTLY_ACCESS_ID and TRUSTLY_ACCESS_KEY; neither may be set without it.",
    example: 'https://sandbox.trustly.one/api/v1',
  },
  { name: 'TRUSTLY_ACCESS_ID', default: '–', effect: 'accessId of the merchant.', example: 'my-access-id' },
  { name: 'TRUSTLY_ACCESS_KEY', default: '–', effect: 'accessKey of the merchant.', example: 'my-access-key' },
  {
    name: 'TRUSTLY_OTHER_ACCESS_ID',
    default: '–',
    effect: 'accessId of a second merchant. Without one, the checks between merchants are not applicable.',
    example: 'other-access-id',
  },
  { name: 'TRUSTLY_OTHER_ACCESS_KEY', default: '–', effect: 'accessKey of the second merchant.', example: 'other-access-key' },
  { name: 'TRUSTLY_TARGET_NAME', default: 'the host', effect: 'Name of the target in the results.', example: 'trustly-sandbox' },
  {
    name: 'TRUSTLY_CUSTOMER_FILE',
    default: '–',
    effect: 'JSON file with properties that every plain customer gets, for a target that requires more than the page does.',
    example: 'customer.json',
  },
  {
    name: 'TRUSTLY_SEED',
    default: 'random, printed',
    effect: 'Integer that repeats the customers of a run. Only the prefix of their externalIds is new in every run.',
    example: '42',
  },
  { name: 'TRUSTLY_TIMEOUT_MS', default: '10000', effect: 'Maximum duration of one request, in milliseconds.', example: '10000' },
  { name: 'TRUSTLY_STRICT', default: 'false', effect: '`true`: a failed SHOULD counts as a failure.', example: 'true' },
  {
    name: 'TRUSTLY_DEPTH',
    default: 'standard',
    effect: 'How many cases the generated checks have: `quick`, `standard` or `deep`.',
    example: 'quick',
  },
  {
    name: 'TRUSTLY_CONCURRENCY',
    default: '8',
    effect: 'Maximum concurrent requests of the generated checks, over all workers. At 1, the race checks are not applicable.',
    example: '8',
  },
  { name: 'TRUSTLY_MAX_RPS', default: '–', effect: 'Maximum requests per second.', example: '20' },
  {
    name: 'TRUSTLY_MAX_REQUESTS',
    default: '–',
    effect: 'Maximum requests per run. Checks that no longer fit are skipped and listed.',
    example: '5000',
  },
  {
    name: 'TRUSTLY_MAX_SECONDS',
    default: '–',
    effect: 'Maximum duration of the run. Checks that no longer fit are skipped and listed.',
    example: '600',
  },
  {
    name: 'TRUSTLY_REPLAY',
    default: '–',
    effect: 'Repeats one generated case and nothing else. Copy the value from a failure report.',
    example: '1234;7:0:1;;a title',
  },
  {
    name: 'TRUSTLY_ALLOW_HOST',
    default: '–',
    effect: 'The one host, over https, that is allowed in addition to loopback, private addresses and `sandbox.trustly.one`.',
    example: 'gateway.example.com',
  },
  {
    name: `${HEADER_PREFIX}<NAME>`,
    default: '–',
    effect: 'Extra request header for a gateway in front of the target: `TRUSTLY_HEADER_X_API_KEY` sends `X-Api-Key`.',
    example: 'my-gateway-key',
    exampleName: `${HEADER_PREFIX}X_API_KEY`,
  },
  {
    name: 'TRUSTLY_CLIENT_CERT',
    default: '–',
    effect: 'PEM file of a client certificate. Requires TRUSTLY_CLIENT_KEY and an https target.',
    example: 'client.crt',
  },
  {
    name: 'TRUSTLY_CLIENT_KEY',
    default: '–',
    effect: 'PEM file of the key of the client certificate, not encrypted.',
    example: 'client.key',
  },
  { name: 'TRUSTLY_OUT', default: 'reports/out', effect: 'Folder of the results.', example: 'reports/out' },
  { name: 'TRUSTLY_WAIVERS', default: '', effect: '', example: '', planned: true },
];
