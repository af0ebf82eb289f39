import { type Asked, answering, spoiling } from './proxy.ts';
import { accepted, edited } from './spoils.ts';
import { type Serve, type Sketch, targets } from './target.ts';
import type { Answer } from './wire.ts';

const ID = /customerId/;

/** Shows another customerId in the place of the true one. */
type Rename = (id: string) => unknown;

/** The id behind a shown one. */
type TrueId = (shown: string) => string | undefined;

const decoded = (text: string) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** Shows every customerId renamed, and takes the new name back in a path, a query and a body. */
const renaming = (rename: Rename): Serve =>
  answering(async ({ asked, forward, memory, accuse }) => {
    const trueId: TrueId = (shown) => [...memory].find((id) => rename(id) === shown);
    const answer = await forward({ path: truePath(asked, trueId, memory, accuse), body: trueBody(asked, trueId, memory) });
    return answer.status === 200 ? show(answer, rename, memory) : answer;
  });

const show = (answer: Answer, rename: Rename, memory: Set<string>) =>
  edited(answer, (customer) => {
    const id = String(customer.customerId);
    memory.add(id);
    customer.customerId = rename(id);
  });

function truePath({ path }: Asked, trueId: TrueId, memory: Set<string>, accuse: (offence: string) => void): string {
  const noted = (offence: string) => accuse(`${offence}: ${path.slice(0, 100)}`);
  if (!/^\/api\/v1\/customers([/?]|$)/.test(path)) noted('a request left the path of the operation');
  return path
    .replace(/(?<=\/customers\/)[^?]+/, (shown) => {
      // An id that is not encoded changes the path, or loses what follows its ? or #.
      const ofCustomer = [...memory].some((id) => shown.startsWith(id));
      if ((ofCustomer && /[/#]/.test(shown)) || (encodeURIComponent(shown) !== shown && trueId(shown))) noted('an id is not encoded');
      if (memory.has(shown) && !trueId(shown)) noted('an id was cut short');
      return encodeURIComponent(known(decoded(shown), trueId, memory));
    })
    .replace(/(?<=[?&]customerId=)[^&]+/, (shown) => encodeURIComponent(known(decoded(shown), trueId, memory)));
}

/** The id that the server behind knows. It does not know its own ids by their true names. */
function known(shown: string, trueId: TrueId, memory: Set<string>): string {
  return trueId(shown) ?? (memory.has(shown) ? 'unknown' : shown);
}

function trueBody({ body }: Asked, trueId: TrueId, memory: Set<string>): Buffer {
  try {
    const content = JSON.parse(body.toString());
    if (typeof content?.customerId !== 'string') return body;
    return Buffer.from(JSON.stringify({ ...content, customerId: known(content.customerId, trueId, memory) }));
  } catch {
    // What is no JSON names no customer.
    return body;
  }
}

const wrongType = (kind: string, rename: Rename): Sketch => ({
  name: `customer-id-as-${kind}`,
  why: 'The schema wants text.',
  exits: [1],
  says: ID,
  serve: renaming(rename),
});

const shared = (kind: string, id: string): Sketch => ({
  name: `customer-id-${kind}`,
  why: 'No two customers have one id, and this one is poison to paths, objects or reports.',
  exits: [1],
  says: ID,
  projects: ['answer', 'create'],
  serve: renaming((_id) => id),
});

/** Text that is dangerous or hardly printable: a run may refuse to send it, but must survive it. */
const dangerous = (kind: string, why: string, rename: (id: string) => string): Sketch => ({
  name: `customer-id-with-${kind}`,
  why,
  exits: [0, 1, 2],
  says: ID,
  projects: ['answer', 'create'],
  seconds: 60,
  serve: renaming(rename),
});

/** Printable text, which the page allows: no target may be accused of it. */
const lawful = (kind: string, why: string, rename: (id: string) => string): Sketch => ({
  ...dangerous(kind, why, rename),
  name: `lawful-customer-id-with-${kind}`,
  exits: [0, 2],
});

let turn = 0;
const inTurn: Rename = (id) => {
  turn += 1;
  return [id, Number(id), null, { id }, [id], true][turn % 6];
};

/** Ids of the wrong type, and ids whose text is poison to paths, objects or reports. */
export const ids = targets([
  wrongType('number', (id) => Number(id)),
  wrongType('null', (_id) => null),
  wrongType('object', (id) => ({ id })),
  wrongType('array', (id) => [id]),
  wrongType('boolean', (_id) => true),
  wrongType('another-type-each-time', inTurn),
  shared('empty', ''),
  shared('the-same-for-all', '1002580963'),
  shared('two-dots', '..'),
  shared('proto', '__proto__'),
  dangerous('a-lone-surrogate', 'encodeURIComponent throws on it.', (id) => `${id}\ud800`),
  dangerous('dots-and-slashes', 'A path that is not encoded leads out of the API.', (id) => `../../admin/${id}`),
  dangerous('nul', 'Text ends here for some.', (id) => `${id}\u0000`),
  dangerous(
    'line-feeds',
    'The rest of it begins a line of the output, or a field of a request.',
    (id) => `${id}\r\n::error::x\r\nX-Injected: 1`,
  ),
  dangerous('100-kilobytes', 'A path of this length is refused, and a report of it is unreadable.', (id) => `${id}${'9'.repeat(100_000)}`),
  dangerous('a-right-to-left-override', 'What follows it is shown backwards.', (id) => `${id}\u202e0001`),
  lawful('a-slash', 'A path must encode it.', (id) => `${id}/a`),
  lawful('a-question-mark', 'Not encoded, it begins a query.', (id) => `${id}?admin=true`),
  lawful('a-number-sign', 'Not encoded, it begins a fragment, and the rest of the id is lost.', (id) => `${id}#a`),
  lawful('a-percent-sign', 'Not encoded, it is decoded to another id.', (id) => `${id}%31`),
  lawful('an-emoji', 'Text beyond the BMP is text.', (id) => `${id}\u{1f600}`),
  lawful('proto', 'A name that objects already have.', (id) => `__proto__${id}`),
  {
    name: 'external-id-as-number',
    why: 'The schema wants text, and the id is not the one sent.',
    exits: [1],
    says: /externalId/,
    serve: spoiling(accepted((answer) => edited(answer, (customer) => (customer.externalId = 4567890)))),
  },
  {
    name: 'external-id-of-somebody-else',
    why: 'The id of the run’s own customer is replaced by one that a careless client would then write to.',
    exits: [1],
    says: /externalId/,
    serve: answering(async ({ asked, forward, accuse }) => {
      if (`${asked.path} ${asked.body}`.includes('somebody-else')) accuse('an externalId that the target made up was sent back');
      const answer = await forward();
      return answer.status === 200 ? edited(answer, (customer) => (customer.externalId = 'somebody-else')) : answer;
    }),
  },
]);
