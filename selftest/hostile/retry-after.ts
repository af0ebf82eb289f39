import { answering } from './proxy.ts';
import { type Sketch, targets } from './target.ts';
import { json } from './wire.ts';

const LIMITED = /429|rate|limit|Too Many|Retry-After/i;

const limited = (retryAfter: readonly string[]) =>
  json(429, { errors: [{ code: 200, message: 'Slow down' }] }, ...retryAfter.map((value): [string, string] => ['Retry-After', value]));

/** Refuses one request in `count` with 429, without handing it on. */
const oneIn = (count: number, ...retryAfter: string[]) =>
  answering(({ asked, forward }) => (asked.count % count === 0 ? limited(retryAfter) : forward()));

/** Says an odd Retry-After now and then; a client that cannot use it waits a second. */
const odd = (name: string, why: string, ...retryAfter: string[]): Sketch => ({
  name: `retry-after-${name}`,
  why,
  exits: [0],
  says: LIMITED,
  seconds: 60,
  serve: oneIn(40, ...retryAfter),
});

/** Says one that no run can wait for: it ends, or goes on sooner. */
const far = (name: string, why: string, retryAfter: string): Sketch => ({ ...odd(name, why, retryAfter), exits: [0, 2] });

const always = (name: string, why: string, ...retryAfter: string[]): Sketch => ({
  name,
  why,
  exits: [2],
  says: LIMITED,
  seconds: 90,
  requests: 200,
  serve: oneIn(1, ...retryAfter),
});

/** Lets 20 requests through in each second of the clock, and says when the next begins. */
const twentyASecond = () => {
  let second = 0;
  let passed = 0;
  return answering(({ forward }) => {
    const now = Math.floor(Date.now() / 1000);
    passed = now === second ? passed + 1 : 1;
    second = now;
    return passed > 20 ? limited(['1']) : forward();
  });
};

/** Limits of the rate, and what they say of the wait. */
export const retryAfter = targets([
  odd('0', 'The request may be repeated at once.', '0'),
  odd('0.001', 'No integer, so it is no delay by RFC 9110, 10.2.3.', '0.001'),
  odd('negative', 'A timer of -5 seconds must not become a busy loop.', '-5'),
  odd('date-in-the-past', 'The wait is over.', 'Wed, 21 Oct 2015 07:28:00 GMT'),
  odd('empty', 'An empty value is no delay, and Number("") is 0.', ''),
  odd('garbage', 'Text that is neither seconds nor a date.', 'soon, promised'),
  odd('twice', 'Two fields become "1, 2", which is neither seconds nor a date.', '1', '2'),
  odd('in-hexadecimal', 'Number("0xffff") is 65535, but it is no delay.', '0xffff'),
  odd('exponential', 'Number("1e9") is a billion, but it is no delay.', '1e9'),
  odd('missing', 'A 429 without Retry-After waits a second.'),
  far('date-in-2099', 'No run waits that long.', 'Thu, 31 Dec 2099 23:59:59 GMT'),
  far('99999999999', 'A timer of more than 2^31 milliseconds ends at once, which makes a busy loop.', '99999999999'),
  far('beyond-doubles', 'The number is Infinity.', '9'.repeat(400)),
  always('429-always', 'Nothing is let through.', '1'),
  always('429-always-retry-after-0', 'Nothing is let through, and nothing says to wait: a client must not storm.', '0'),
  always('429-always-without-retry-after', 'Nothing is let through, and nothing says for how long.'),
  {
    name: 'lawful-429-one-in-three',
    why: 'A limit is obeyed and never judged.',
    exits: [0],
    seconds: 90,
    serve: oneIn(3, '1'),
  },
  {
    name: 'limit-of-20-a-second',
    why: 'A limit is obeyed and never judged; the run keeps below it once it has seen it.',
    exits: [0, 2],
    says: LIMITED,
    seconds: 60,
    projects: ['answer', 'create'],
    serve: twentyASecond(),
  },
]);
