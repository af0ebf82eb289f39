import type { Customer } from '../schemas/contract.ts';
import type { Answer } from '../target/answer.ts';
import { expect, requirement, test } from './support/fixtures.ts';
import type { PendingAnswer } from './support/pending-answer.ts';
import { selectors, stateAfter, tick } from './support/test-customer.ts';

const REGION = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });

/** Milliseconds that a clock may be off. */
const DRIFT = 5 * 60_000;
/** A UNIX timestamp above this is in milliseconds: as seconds it would lie in the year 5138. */
const SECONDS_END = 1e11;
/** A timestamp of either unit in milliseconds. */
const milliseconds = (timestamp: number) => (timestamp > SECONDS_END ? timestamp : timestamp * 1000);

/** The time of an answer by its own Date header; undefined without one. */
function dateOf(answer: Answer): number | undefined {
  const date = Date.parse(answer.headers().date ?? '');
  return Number.isNaN(date) ? undefined : date;
}

test.describe('a code in an answer', () => {
  for (const country of ['US', 'CA'] as const) {
    test(`address.country is an ISO code for a customer in ${country}`, requirement('VAL-1'), async ({ customers, people }) => {
      const person = people.plain(country);
      const customer = customers.fromCreate(await customers.create(person), person);

      for (const answer of [customer.created, await customers.read(customer)]) {
        const code = answer.customer?.address?.country ?? '';
        expect(code, 'address.country').toMatch(/^[A-Z]{2}$/);
        expect(REGION.of(code), `the country of code ${code}`).toBeDefined();
      }
    });
  }

  test('address.country is an ISO code after an update', requirement('VAL-1'), async ({ customers, people }) => {
    const customer = await customers.given();
    const { address } = people.plain('CA');

    const answer = await customers.update(customer, 'customerId', { address }).orNotTestable();

    expect(answer.customer?.address?.country, 'address.country').toMatch(/^[A-Z]{2}$/);
  });

  test('driverLicense.state has two characters', requirement('VAL-2'), async ({ customers, people }) => {
    const sent = people.full();
    const customer = customers.fromCreate(await customers.create(sent), sent);

    const update = await customers.update(customer, 'query', { driverLicense: { number: 'D7654321', state: 'OR' } });
    const answers = [customer.created, update, await customers.read(customer)];
    const licenses = answers.flatMap(({ customer }) => customer?.driverLicense ?? []);
    if (licenses.length === 0) customers.notApplicable('no answer shows a driverLicense');
    for (const { state } of licenses) expect(state, 'driverLicense.state').toMatch(/^..$/u);
  });
});

test.describe('a timestamp', () => {
  test('createdAt is the time of the create', requirement('VAL-3'), async ({ customers }) => {
    const customer = await customers.given();

    const answers = [customer.created, await customers.read(customer)];
    if (answers.every(({ customer }) => customer?.createdAt === undefined)) customers.notApplicable('no answer shows createdAt');
    for (const answer of answers) {
      const { createdAt } = answer.customer ?? {};
      if (createdAt === undefined) continue;
      expect(Number.isInteger(createdAt), `createdAt ${createdAt} is an integer`).toBe(true);
      const date = dateOf(answer);
      if (date === undefined) continue;
      expect(Math.abs(milliseconds(createdAt) - date), `milliseconds between createdAt ${createdAt} and the Date header`).toBeLessThan(
        DRIFT,
      );
    }
  });

  for (const [by, how] of selectors) {
    test(`updatedAt lies between the create and now, updated ${how}`, requirement('VAL-4'), async ({ customers }) => {
      const customer = await customers.given();
      await tick(customer);
      const update = await customers.update(customer, by, { vip: '3' });

      const answers = [customer.created, update, await customers.read(customer, stateAfter(customer, { vip: '3' }))];
      if (answers.every(({ customer }) => customer?.updatedAt === undefined)) customers.notApplicable('no answer shows updatedAt');
      for (const answer of answers) {
        const { createdAt, updatedAt } = answer.customer ?? {};
        if (updatedAt === undefined) continue;
        // A target that gives one in seconds and the other in milliseconds rounds one of them down.
        const second = createdAt !== undefined && createdAt > SECONDS_END === updatedAt > SECONDS_END ? 0 : 1000;
        if (createdAt !== undefined) {
          expect(milliseconds(updatedAt) + second, `updatedAt ${updatedAt} compared with createdAt`).toBeGreaterThanOrEqual(
            milliseconds(createdAt),
          );
        }
        const date = dateOf(answer);
        if (date === undefined) continue;
        expect(Math.abs(milliseconds(updatedAt) - date), `milliseconds between updatedAt ${updatedAt} and the Date header`).toBeLessThan(
          DRIFT,
        );
      }
    });
  }
});

type Value = readonly [what: string, value: Partial<Customer>];

/** Values whose characters a target may not like: it refuses them or keeps them. */
const unusual: readonly Value[] = [
  ['accents in a name', { name: 'Zoë Nuñez-Ångström' }],
  ['an apostrophe in a name', { name: "Siobhán O'Brien" }],
  ['a typographic apostrophe in a name', { name: 'Siobhan O’Brien' }],
  ['an ampersand in a name', { name: 'Ann & Bob Smith' }],
  ['characters of other scripts in a name', { name: '山田 太郎 Иван علي' }],
  ['a character beyond the BMP in a name', { name: 'Ann 𠮷田 Smith' }],
  ['an emoji in a tier', { externalTier: '4 stars 🌟' }],
  ['quotes and backslashes in a tier', { externalTier: 'The "big" \\ tier' }],
  ['angle brackets in a tier', { externalTier: 'R&D <gold> &amp; more' }],
  ['a percent sign and a plus sign in a tier', { externalTier: '100%25 + more%20' }],
  ['a negative balance', { balance: '-5.10' }],
  ['leading zeros in a balance', { balance: '0012.50' }],
  ['many decimals in a balance', { balance: '1234567890123456.789' }],
  ['a plus sign in an e-mail', { email: '' }],
  ['leading zeros in a driver license', { driverLicense: { number: '00012345', state: 'CA' } }],
  ['an exponent in a license', { driverLicense: { number: '12345E10', state: 'NY' } }],
  ['the word null as a tier', { externalTier: 'null' }],
  ['the word true as a tier', { externalTier: 'true' }],
  ['leading zeros in vip', { vip: '007' }],
  [
    'accents, quotes and numbers in customData',
    { customData: { 'clé "1"': "l'été & <b>", deep: [{ n: 0.1 }, [], {}, 'x'], empty: '', code: '00123', big: '1e5' } },
  ],
];

/** Values that plain customers have: they are kept. */
const plain: readonly Value[] = [
  ['a leading zero in a ZIP code', { address: { address1: '1 Beacon St', city: 'Boston', state: 'MA', zip: '02108', country: 'US' } }],
  ['a trailing zero in a balance', { balance: '100.10' }],
  ['no cents in a balance', { balance: '100.00' }],
  ['leading zeros in an organization number', { organizationNumber: '000123456' }],
  ['leading zeros in a national id', { nationalId: '000456789' }],
  ['a leap day as date of birth', { dateOfBirth: '1984-02-29' }],
  ['a digit as vip', { vip: '1' }],
];

/** A target may refuse an unusual value. That it accepts a plain one is for other checks. */
const acceptedOrEnded = (answer: PendingAnswer, kind: 'plain' | 'unusual') =>
  kind === 'unusual' ? answer.orNotApplicable('the target refuses such a value') : answer.orNotTestable();

test.describe('a string is kept', () => {
  for (const [values, kind] of [
    [plain, 'plain'],
    [unusual, 'unusual'],
  ] as const) {
    for (const [what, value] of values) {
      test(`with ${what}`, requirement('VAL-5'), async ({ customers, people }) => {
        const person = people.plain();
        const changes = 'email' in value ? { email: person.email.replace('@', '+tag@') } : value;
        const sent = { ...person, ...changes };
        await customers.assumeKept(Object.keys(changes));

        const created = await acceptedOrEnded(customers.create(sent), kind);

        await expect(customers.stored(customers.fromCreate(created, sent))).toHaveStored(changes, 'CRE-3');
      });

      test(`with ${what}, in an update`, requirement('VAL-5'), async ({ customers, people }) => {
        const customer = await customers.given();
        const changes = 'email' in value ? { email: people.plain().email.replace('@', '+tag@') } : value;
        await customers.assumeKept(Object.keys(changes));

        await acceptedOrEnded(customers.update(customer, 'query', changes), kind);

        await expect(customers.stored(customer)).toHaveStored(changes, 'UPD-2');
      });
    }
  }
});

test.describe('a taxId is kept', () => {
  test('with its leading zero', requirement('VAL-5'), async ({ customers, people }) => {
    const { taxId, address } = people.plain('CA');
    const sent = { ...people.plain('CA'), taxId, address };
    await customers.assumeKept(['taxId']);

    await expect(customers.stored(customers.fromCreate(await customers.create(sent), sent))).toHaveStored({ taxId }, 'CRE-3');
  });
});

test.describe('enrollDate is kept', () => {
  for (const [what, enrollDate] of [
    ["the page's sample", 1_555_696_836_548],
    ['a date in seconds', 1_555_696_836],
    ['a millisecond more than 2^31', 2 ** 31 + 1],
    ['a millisecond more than 2^32', 2 ** 32 + 1],
  ] as const) {
    test(`with ${what}`, requirement('VAL-6'), async ({ customers, people }) => {
      const sent = { ...people.plain(), enrollDate };
      const known = customers.fromCreate(await customers.create(sent), sent);

      await expect(customers.stored(known)).toHaveStored({ enrollDate }, 'CRE-3');
    });
  }
});
