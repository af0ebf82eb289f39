// Sends the requests of a failing case again, with fresh externalIds and phone numbers. Needs Node and nothing else.
// TRUSTLY_BASE_URL names the target (default: that of the first run); TRUSTLY_ACCESS_ID and TRUSTLY_ACCESS_KEY name the merchant.

const { requirement, message, lines, customerIds, requests, ...run } = /* data */ {};

const baseUrl = (process.env.TRUSTLY_BASE_URL ?? run.baseUrl ?? fail('Set TRUSTLY_BASE_URL')).replace(/\/+$/, '');
const hrefOf = (url) => (URL.canParse(url) ? new URL(url).href : undefined);
const root = hrefOf(`${baseUrl}/`) ?? fail('TRUSTLY_BASE_URL is not a URL');
/** Shows control characters, and what begins a command of a CI log, as text. */
const show = (value) =>
  String(value)
    .replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replaceAll('##', '# #');

// A target may send credentials back in any spelling, and this output may be a CI log's. So only words are printed that the first run
// showed, which was redacted, or that this script made; any other is replaced by its length. A short word is printed only behind the word
// that it followed in the first run: a key may be spelled in words of two digits, each of which is known.
const WORD = /[^\s"\\,:{}[\]<>]+/g;
const SHORT = 6;
const known = new Set(['null', 'true', 'false']);
const know = (text) => {
  let last;
  for (const word of text.match(WORD) ?? []) {
    known.add(word.length < SHORT ? `${last} ${word}` : word);
    last = word;
  }
};
const masked = (text) => {
  let last;
  const mask = (word) => {
    const isKnown = known.has(word) || known.has(`${last} ${word}`);
    last = word;
    return isKnown ? word : `‹${word.length} characters›`;
  };
  return show(text.replaceAll(WORD, mask));
};

// ExternalIds and phone numbers of the first run belong to its customers.
const fresh = new Map([[run.prefix, `${Date.now()}`.slice(-run.prefix.length).padStart(run.prefix.length, '1')]]);
const phone = () => `+1${200 + Math.floor(Math.random() * 700)}55501${String(Math.floor(Math.random() * 100)).padStart(2, '0')}`;
const renew = (text) =>
  text.replaceAll(run.prefix, fresh.get(run.prefix)).replaceAll(/\+1\d{3}55501\d{2}/g, (old) => {
    if (!fresh.has(old)) fresh.set(old, phone());
    return fresh.get(old);
  });
// So do its customerIds; the target gives new ones.
const given = new Map();
const renewIds = (text) => [...given].reduce((all, [old, id]) => all.replaceAll(old, () => id), renew(text));
/** Whatever characters a customerId has, in /customers/{customerId} it is one segment. */
const renewPath = (path) => {
  const [old, id] = [...given].find(([each]) => path === `/customers/${encodeURIComponent(each)}`) ?? [];
  return old === undefined ? renew(path) : `/customers/${encodeURIComponent(id)}`;
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

know('customer errors message');
for (const text of [requirement, message, ...lines.flatMap(({ expected, actual }) => [expected, actual])]) know(text);
for (const { body, path, recorded } of requests) for (const text of [body ?? '', path, recorded]) know(renew(text));
// Whoever reads the output may stop reading.
process.stdout.on('error', () => process.exit());

console.log(show(requirement));
console.log(show(message));
for (const { expected, actual } of lines) console.log(`  expected: ${show(expected)}\n  actual:   ${show(actual)}`);
for (const [index, { intent, method, path, headers, extra, body, credentials, customerId, recorded }] of requests.entries()) {
  const pair =
    credentials && Buffer.from(`${variable(`${credentials}ACCESS_ID`)}:${variable(`${credentials}ACCESS_KEY`)}`).toString('base64');
  const sent = { path: renewPath(path), body: body === null ? null : renewIds(body) };
  // A path that a target gave may lead the credentials elsewhere.
  if (!hrefOf(baseUrl + sent.path)?.startsWith(root)) fail('a path points outside the target');
  const response = await fetch(baseUrl + sent.path, {
    method,
    headers: {
      ...headers,
      ...Object.fromEntries(extra.map(({ name, variable: holder }) => [name, variable(holder)])),
      ...(pair && { Authorization: `Basic ${pair}` }),
    },
    // A redirect could lead the credentials elsewhere.
    redirect: 'manual',
    ...(sent.body !== null && { body: sent.body }),
  }).catch((error) => fail(`${show(baseUrl)} does not answer: ${show(error.cause?.message ?? error.message)}`));
  const answer = await response.text().catch((error) => fail(`the answer cannot be read: ${show(error.cause?.message ?? error.message)}`));
  const parsed = parse(answer);
  const id = parsed?.customer?.customerId;
  if (typeof id === 'string' && id && customerId && customerIds.includes(customerId) && !given.has(customerId)) given.set(customerId, id);
  console.log(`${index + 1}. ${show(intent)}`);
  console.log(`   ${method} ${masked(sent.path)} ${masked(sent.body ?? '')}`);
  console.log(`   now:  ${response.status} ${masked(parsed === undefined ? answer : JSON.stringify(parsed))}`);
  console.log(`   then: ${show(renew(recorded))}`);
}
