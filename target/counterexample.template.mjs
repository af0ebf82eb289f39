// Sends the requests of a failing case again, with fresh externalIds and phone numbers. Needs Node and nothing else.
// TRUSTLY_BASE_URL names the target (that of the first run, unless it is set); TRUSTLY_ACCESS_ID and TRUSTLY_ACCESS_KEY name the merchant.

const { requirement, message, lines, customerIds, requests, ...run } = /* data */ {};

const baseUrl = (process.env.TRUSTLY_BASE_URL ?? run.baseUrl).replace(/\/+$/, '');
/** Shows control characters, and what begins a command of a CI log, as text. */
const show = (value) =>
  String(value)
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

// A target may send credentials back, and this output may be a CI log's.
const secrets = new Set();
const keep = (secret) => {
  const bytes = Buffer.from(secret);
  const base64 = [0, 1, 2].map((offset) =>
    Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .slice(offset + 1, -4),
  );
  const plain = [secret, [...secret].reverse().join(''), encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
  const coded = [
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    ...base64,
    ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
  ];
  for (const text of [...plain, ...coded]) if (text.length >= 4) secrets.add(text);
};
const redact = (text) =>
  [...secrets].sort((a, b) => b.length - a.length).reduce((all, secret) => all.replaceAll(secret, '[redacted]'), text);
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
  const answer = await response.text();
  const parsed = parse(answer);
  const given = parsed?.customer?.customerId;
  if (typeof given === 'string' && given && customerId && customerIds.includes(customerId) && !fresh.has(customerId))
    fresh.set(customerId, given);
  console.log(`${index + 1}. ${show(intent)}`);
  console.log(`   ${method} ${show(renew(path))} ${body === null ? '' : show(renew(body))}`);
  console.log(`   now:  ${response.status} ${show(redact(parsed === undefined ? answer : JSON.stringify(parsed)))}`);
  console.log(`   then: ${show(renew(recorded))}`);
}
