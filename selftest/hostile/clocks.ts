import { type Spoil, spoiling } from './proxy.ts';
import { accepted, edited, inserted } from './spoils.ts';
import { type Sketch, targets } from './target.ts';
import { withBody, withField } from './wire.ts';

const TIME = /createdAt|updatedAt|Date\b/;
const AREAS = ['create', 'values'];

const dated =
  (date: string): Spoil =>
  (answer) => ({ ...answer, headers: withField(answer.headers, 'Date', date) });

/** Gives every accepted customer another `createdAt`. */
const created = (change: (createdAt: number) => unknown): Spoil =>
  accepted((answer) => edited(answer, (customer) => (customer.createdAt = change(Number(customer.createdAt)))));

const stamped = (name: string, why: string, change: (createdAt: number) => unknown): Sketch => ({
  name,
  why,
  exits: [1],
  says: TIME,
  seconds: 60,
  projects: AREAS,
  serve: spoiling(created(change)),
});

/** Clocks that are wrong, and times that are none. */
export const clocks = targets([
  {
    name: 'date-in-1970',
    why: 'Times are judged by the answer’s own Date, which is not that of the customer here.',
    exits: [0, 1],
    says: TIME,
    projects: AREAS,
    seconds: 60,
    serve: spoiling(dated('Thu, 01 Jan 1970 00:00:00 GMT')),
  },
  {
    name: 'date-in-2099',
    why: 'Times are judged by the answer’s own Date, which is not that of the customer here.',
    exits: [0, 1],
    says: TIME,
    projects: AREAS,
    seconds: 60,
    serve: spoiling(dated('Thu, 31 Dec 2099 23:59:59 GMT')),
  },
  {
    name: 'date-malformed',
    why: 'A Date that cannot be read is none, and without one only the order of times is judged.',
    exits: [0],
    projects: AREAS,
    seconds: 60,
    serve: spoiling(dated('yesterday, half past nine')),
  },
  {
    name: 'lawful-without-date',
    why: 'RFC 9110, 6.6.1: a server without a clock sends none.',
    exits: [0],
    projects: AREAS,
    seconds: 60,
    serve: spoiling((answer, { response }) => {
      response.sendDate = false;
      return { ...answer, headers: answer.headers.filter(([name]) => name.toLowerCase() !== 'date') };
    }),
  },
  stamped('created-at-as-text', 'The schema wants an integer.', (createdAt) => new Date(createdAt).toISOString()),
  stamped('created-at-as-digits-in-text', 'The schema wants an integer, and a careless comparison takes it for one.', String),
  stamped('created-at-negative', 'An integer, but long before the customer.', (createdAt) => -createdAt),
  stamped('created-at-1e300', 'An integer by its value, but no date: new Date() of it throws when it is printed.', () => 1e300),
  stamped('created-at-in-microseconds', 'Neither seconds nor milliseconds.', (createdAt) => createdAt * 1000),
  stamped('created-at-with-a-fraction', 'The schema wants an integer.', (createdAt) => createdAt / 1000 + 0.5),
  {
    name: 'created-at-1e999',
    why: 'JSON.parse makes Infinity of it, which is neither an integer nor a date.',
    exits: [1],
    says: TIME,
    projects: AREAS,
    seconds: 60,
    serve: spoiling(accepted((answer) => withBody(answer, answer.body.toString().replace(/"createdAt":\d+/g, '"createdAt":1e999')))),
  },
  {
    name: 'lawful-extra-times-that-are-none',
    why: 'Properties that the page does not know may hold anything, whatever their names.',
    exits: [0],
    projects: AREAS,
    seconds: 60,
    serve: spoiling(accepted((answer) => inserted(answer, '"deletedAt":-1e300,"lastSeenAt":"9999-99-99T99:99:99Z"'))),
  },
]);
