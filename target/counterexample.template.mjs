// Sends the requests of a failing case again, with fresh externalIds and phone numbers. Needs Node and nothing else.
// TRUSTLY_BASE_URL names the target (that of the first run, unless it is set); TRUSTLY_ACCESS_ID and TRUSTLY_ACCESS_KEY name the merchant.

const { requirement, message, lines, customerIds, requests, ...run } = /* data */ {};

const baseUrl = (process.env.TRUSTLY_BASE_URL ?? run.baseUrl).replace(/\/+$/, '');
// A target may send credentials back in any form, and this output may be a CI log's: such a text is not printed at all.
const secrets = new Set();
const compact = (text) => text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
const keep = (secret) => {
  const letters = [...compact(secret)];
  const half = Math.ceil(letters.length / 2);
  const parts = [letters, letters.slice(0, half), letters.slice(half)].filter((part, index) => index === 0 || part.length >= 6);
  for (const part of parts) for (const order of [part, part.toReversed()]) secrets.add(order.join(''));
};
const code = (digits, base) => String.fromCodePoint(Math.min(Number.parseInt(digits, base), 0x10ffff));
const unescaped = (text) =>
  text
    .replaceAll(/(?:%|\\x|\\u00|=)([\da-f]{2})/gi, (_, digits) => code(digits, 16))
    .replaceAll(/\\u\{?([\da-f]{4,6})\}?|&#x([\da-f]{1,6});?/gi, (_, one, other) => code(one ?? other, 16))
    .replaceAll(/&#(\d{1,7});?/g, (_, digits) => code(digits, 10));
const decoded = (text) => [
  ...[...text.matchAll(/(?:[\da-f]{2}[\s:,-]*(?:0x)?){6,}/gi)].map(([digits]) =>
    Buffer.from(digits.replaceAll(/0x|[^\da-f]/gi, ''), 'hex').toString('latin1'),
  ),
  ...[...text.matchAll(/[\w+/-][\w+/\s-]{6,}/g)].flatMap(([digits]) =>
    [0, 1, 2, 3].map((offset) => Buffer.from(digits.replaceAll(/\s/g, '').slice(offset), 'base64').toString('latin1')),
  ),
];
const givesAway = (text, layers = 3) => {
  const letters = compact(text);
  if ([...secrets].some((secret) => secret && letters.includes(secret))) return true;
  if (layers <= 0) return false;
  const next = unescaped(text);
  return (next !== text && givesAway(next, layers - 1)) || decoded(text).some((each) => givesAway(each, layers - 2));
};
/** Shows control characters, and what begins a command of a CI log, as text. */
const show = (value) =>
  givesAway(String(value))
    ? '[redacted: it contains credentials]'
    : String(value)
        .replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
        .replaceAll('##', '# #');

// Ids and phone numbers of the first run belong to its customers.
const fresh = new Map([[run.prefix, `${Date.now()}`.slice(-run.prefix.length).padStart(run.prefix.length, '1')]]);
const phone = () => `+1${200 + Math.floor(Math.random() * 700)}55501${String(Math.floor(Math.random() * 100)).padStart(2, '0')}`;
const renew = (text) => {
  let renewed = text.replaceAll(/\+1\d{3}55501\d{2}/g, (old) => {
    if (!fresh.has(old)) fresh.set(old, phone());
    return fresh.get(old);
  });
  for (const [old, value] of fresh) if (!old.startsWith('+')) renewed = renewed.replaceAll(old, () => value);
  return renewed;
};
const variable = (name) => process.env[name] ?? fail(`Set ${name}`);
function fail(line) {
  console.error(line);
  process.exit(1);
}
const parse = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

for (const { credentials, extra } of requests) {
  const names = credentials ? [`${credentials}ACCESS_ID`, `${credentials}ACCESS_KEY`] : [];
  for (const name of [...names, ...extra.map(({ variable: holder }) => holder)]) {
    const value = variable(name);
    if (!name.endsWith('ACCESS_ID')) keep(value);
  }
}
// Whoever reads the output may stop reading.
process.stdout.on('error', () => process.exit());

console.log(show(requirement));
console.log(show(message));
for (const { expected, actual } of lines) console.log(`  expected: ${show(expected)}\n  actual:   ${show(actual)}`);
for (const [index, { intent, method, path, headers, extra, body, credentials, customerId, recorded }] of requests.entries()) {
  for (const name of [
    ...(credentials ? [`${credentials}ACCESS_ID`, `${credentials}ACCESS_KEY`] : []),
    ...extra.map(({ variable: holder }) => holder),
  ])
    keep(variable(name));
  const pair =
    credentials && Buffer.from(`${variable(`${credentials}ACCESS_ID`)}:${variable(`${credentials}ACCESS_KEY`)}`).toString('base64');
  const response = await fetch(baseUrl + renew(path), {
    method,
    headers: {
      ...headers,
      ...Object.fromEntries(extra.map(({ name, variable: holder }) => [name, variable(holder)])),
      ...(pair && { Authorization: `Basic ${pair}` }),
    },
    // A redirect could lead the credentials elsewhere.
    redirect: 'manual',
    ...(body !== null && { body: renew(body) }),
  }).catch((error) => fail(`${show(baseUrl)} does not answer: ${show(error.cause?.message ?? error.message)}`));
  const answer = await response.text().catch((error) => fail(`the answer cannot be read: ${show(error.cause?.message ?? error.message)}`));
  const parsed = parse(answer);
  const given = parsed?.customer?.customerId;
  if (typeof given === 'string' && given && customerId && customerIds.includes(customerId) && !fresh.has(customerId))
    fresh.set(customerId, given);
  console.log(`${index + 1}. ${show(intent)}`);
  console.log(`   ${method} ${show(renew(path))} ${body === null ? '' : show(renew(body))}`);
  console.log(`   now:  ${response.status} ${show(parsed === undefined ? answer : JSON.stringify(parsed))}`);
  console.log(`   then: ${show(renew(recorded))}`);
}
