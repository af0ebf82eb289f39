import { isDeepStrictEqual } from 'node:util';
import type { Answer, Behaviour, Context } from '../../sandbox/behaviour.ts';
import { isObject, type JsonObject } from '../../sandbox/json.ts';
import { without } from '../steps.ts';
import { born, IDS, mapTexts, mapValues, reading, replaced, showing } from './change.ts';
import type { Latitude } from './latitude.ts';

/** Values shown otherwise than they were sent. */
export const value = [
  {
    name: 'tax-id-masked-but-last-four',
    why: 'A tax id is shown as hash signs and its last four digits.',
    limits: ['CRE-3', 'UPD-2'],
    steps: (base) => masking(base, 'taxId', (value) => lastOf(value, '#')),
  },
  {
    name: 'tax-id-masked-but-first-two',
    why: 'A tax id is shown as its first two digits and asterisks.',
    limits: ['CRE-3', 'UPD-2'],
    steps: (base) => masking(base, 'taxId', (value) => value.replace(/(?<=^..).+/s, (rest) => '*'.repeat(rest.length))),
  },
  {
    name: 'tax-id-masked-by-x',
    why: 'A tax id is shown as letters X, with its hyphens.',
    limits: ['CRE-3', 'UPD-2'],
    steps: (base) => masking(base, 'taxId', (value) => value.replace(/[^-]/gu, 'X')),
  },
  {
    name: 'tax-id-masked-in-fixed-length',
    why: 'A tax id is shown as five asterisks, however long it is.',
    limits: ['CRE-3', 'UPD-2'],
    steps: (base) => masking(base, 'taxId', (value) => value && '*****'),
  },
  {
    name: 'national-id-masked',
    why: 'A national id is shown as asterisks and at most its last two characters.',
    limits: ['CRE-3', 'UPD-2'],
    steps: (base) => masking(base, 'nationalId', (value) => lastOf(value, '*', 2)),
  },
  {
    name: 'driver-license-number-masked',
    why: 'A driver license number is shown as asterisks and its last characters.',
    limits: ['CRE-3', 'UPD-2'],
    steps: (base) =>
      showing(base, (shown) =>
        isObject(shown.driverLicense)
          ? { ...shown, driverLicense: replaced(shown.driverLicense, 'number', (value) => lastOf(value, '*', 3)) }
          : shown,
      ),
  },
  {
    name: 'tax-id-withheld',
    why: 'Tax ids are stored, and never shown.',
    limits: ['CRE-3', 'UPD-2', 'NULL-6'],
    steps: (base) => showing(base, (shown) => without(shown, 'taxId')),
  },
  {
    name: 'national-id-withheld',
    why: 'National ids are stored, and never shown.',
    limits: ['CRE-3', 'UPD-2', 'NULL-1'],
    steps: (base) => showing(base, (shown) => without(shown, 'nationalId')),
  },
  {
    name: 'driver-license-withheld',
    why: 'Driver licenses are stored, and never shown.',
    limits: ['CRE-3', 'UPD-2', 'VAL-2'],
    steps: (base) => showing(base, (shown) => without(shown, 'driverLicense')),
  },
  {
    name: 'strings-trimmed',
    why: 'Leading and trailing white space is removed from every text except the ids.',
    limits: ['CRE-3', 'VAL-5'],
    steps: (base) => reading(base, (body) => mapTextsButIds(body, (text) => text.trim())),
  },
  {
    name: 'unicode-composed',
    why: 'Every text except the ids is stored in NFC.',
    limits: ['CRE-3', 'VAL-5'],
    steps: (base) => reading(base, (body) => mapTextsButIds(body, (text) => text.normalize('NFC'))),
  },
  {
    name: 'unicode-decomposed',
    why: 'Every text except the ids is stored in NFD, as in some file systems.',
    limits: ['CRE-3', 'VAL-5'],
    steps: (base) => reading(base, (body) => mapTextsButIds(body, (text) => text.normalize('NFD'))),
  },
  {
    name: 'phone-as-digits',
    why: 'Phone numbers are stored without the plus sign and punctuation.',
    limits: ['CRE-3', 'VAL-5'],
    steps: (base) => reading(base, (body) => replaced(body, 'phone', (phone) => phone.replace(/[\p{P}\p{Z}+]/gu, ''))),
  },
  {
    name: 'phone-punctuated',
    why: 'Phone numbers are shown in groups of digits.',
    limits: ['CRE-3', 'VAL-5'],
    steps: (base) =>
      masking(base, 'phone', (phone) => phone.replace(/^\+?(1?)[- .(]*(\d{3})[- .)]*(\d{3})[- .]*(\d{4})$/, '$1 ($2) $3-$4').trim()),
  },
  {
    name: 'email-in-lower-case',
    why: 'E-mail addresses are stored in lower case.',
    limits: ['CRE-3', 'UPD-2'],
    steps: (base) => reading(base, (body) => replaced(body, 'email', (email) => email.toLowerCase())),
  },
  {
    name: 'email-domain-in-lower-case',
    why: 'The domain of an e-mail address is stored in lower case.',
    limits: ['CRE-3', 'UPD-2'],
    steps: (base) =>
      reading(base, (body) => replaced(body, 'email', (email) => email.replace(/@[^@]*$/, (domain) => domain.toLowerCase()))),
  },
  {
    name: 'timestamps-in-seconds',
    why: 'Timestamps are UNIX times in seconds.',
    limits: ['VAL-3', 'VAL-4'],
    steps: (base) =>
      showing(base, (shown, { createdAt, updatedAt }) => ({
        ...shown,
        createdAt: Math.floor(createdAt / 1000),
        updatedAt: Math.floor(updatedAt / 1000),
      })),
  },
  {
    name: 'timestamps-of-whole-seconds',
    why: 'The database cuts off the milliseconds, and the answer multiplies the seconds by a thousand.',
    limits: ['VAL-3', 'VAL-4'],
    steps: (base) =>
      showing(base, (shown, { createdAt, updatedAt }) => ({
        ...shown,
        createdAt: createdAt - (createdAt % 1000),
        updatedAt: updatedAt - (updatedAt % 1000),
      })),
  },
  {
    name: 'timestamps-left-out',
    why: 'The timestamps of a record are not shown.',
    limits: ['VAL-3', 'VAL-4', 'UPD-5', 'UPD-6'],
    steps: (base) => showing(base, (shown) => without(shown, 'createdAt', 'updatedAt')),
  },
  {
    name: 'created-at-left-out',
    why: 'Only the time of the last update is stored.',
    limits: ['VAL-3', 'UPD-5'],
    steps: (base) => showing(base, (shown) => without(shown, 'createdAt')),
  },
  {
    name: 'updated-at-left-out',
    why: 'Only the time of the creation is stored.',
    limits: ['VAL-4', 'UPD-6'],
    steps: (base) => showing(base, (shown) => without(shown, 'updatedAt')),
  },
  {
    name: 'timestamps-in-reads-only',
    why: 'The answer to a POST is built before the record has its timestamps.',
    limits: ['ANS-5', 'VAL-3', 'VAL-4'],
    steps: (base) => ({
      upsert: (request, context) =>
        base.upsert(request, {
          ...context,
          behaviour: {
            ...context.behaviour,
            present: (customer, inner) => without(context.behaviour.present(customer, inner), 'createdAt', 'updatedAt'),
          },
        }),
    }),
  },
  {
    name: 'updated-at-of-creation',
    why: 'updatedAt is the record created date and time, as its description says.',
    limits: ['UPD-6', 'VAL-4'],
    steps: (base) => showing(base, (shown, { createdAt }) => ({ ...shown, updatedAt: createdAt })),
  },
  {
    name: 'updated-at-kept-by-empty-update',
    why: 'The ORM writes no row that has not changed.',
    limits: ['UPD-6', 'VAL-4'],
    steps: (base) => ({
      save: (properties, before, context) =>
        before && isDeepStrictEqual(properties, before) ? before : base.save(properties, before, context),
    }),
  },
  {
    name: 'clock-an-hour-behind',
    why: 'The clock of the machine is an hour behind, and so are its Date header fields.',
    limits: ['VAL-3', 'VAL-4'],
    steps: (base) => {
      const behind = (time: number) => time - 3_600_000;
      const slow = (context: Context): Context => ({ ...context, now: () => behind(context.now()) });
      const dated = (answer: Answer, now: number): Answer => ({
        ...answer,
        headers: { ...answer.headers, Date: new Date(now).toUTCString() },
      });
      return {
        upsert: (request, context) => base.upsert(request, slow(context)),
        readOne: (customerId, context) => base.readOne(customerId, slow(context)),
        readList: (request, context) => base.readList(request, slow(context)),
        answer: (content, context) => dated(base.answer(content, context), context.now()),
        refuse: (refusal, now) =>
          dated(
            base.refuse(refusal, () => behind(now())),
            behind(now()),
          ),
      };
    },
  },
  {
    name: 'no-merchant-id',
    why: 'Answers omit the merchantId, because a merchant knows its own.',
    limits: ['ANS-3', 'CRE-5'],
    steps: (base) => showing(base, (shown) => without(shown, 'merchantId')),
  },
  {
    name: 'ids-long',
    why: 'Customer ids are 120 characters long.',
    limits: ['CRE-2'],
    steps: (base) => numbering(base, (number) => number.padStart(120, 'customer')),
  },
  {
    name: 'ids-are-uuids',
    why: 'Customer ids are UUIDs.',
    limits: ['CRE-2'],
    steps: (base) => numbering(base, () => crypto.randomUUID()),
  },
  {
    name: 'ids-with-prefix',
    why: 'Customer ids begin with letters, some of them capitals.',
    limits: ['CRE-2', 'IDY-4'],
    steps: (base) => numbering(base, (number) => `cus_${Number(number).toString(36)}Z`),
  },
  {
    name: 'ids-with-leading-zeros',
    why: 'Customer ids have a fixed number of digits, with leading zeros.',
    limits: ['CRE-2', 'IDY-4'],
    steps: (base) => numbering(base, (number) => number.padStart(16, '0')),
  },
  {
    name: 'ids-are-urns',
    why: 'Customer ids are URNs, which must be encoded in a path.',
    limits: ['CRE-2', 'IDY-1'],
    steps: (base) => numbering(base, (number) => `urn:customer:${number}/#1`),
  },
  {
    name: 'person-id-from-creation',
    why: 'The platform gives each new customer a personId.',
    limits: ['CRE-3', 'UPD-4'],
    steps: (base) => ({
      save: (properties, before, context) =>
        base.save(before ? properties : { ...properties, personId: crypto.randomUUID() }, before, context),
    }),
  },
  {
    name: 'person-id-from-first-update',
    why: 'The platform looks up the person behind a customer when the customer is updated.',
    limits: ['UPD-4', 'UPD-8'],
    steps: (base) => ({
      save: (properties, before, context) =>
        base.save(before ? { personId: `person-${before.customerId}`, ...properties } : properties, before, context),
    }),
  },
] as const satisfies readonly Latitude[];

/** Shows a text property in another way, and leaves it out where the change gives none. */
function masking(base: Behaviour, name: string, mask: (value: string) => string | undefined): Partial<Behaviour> {
  return showing(base, (shown) => replaced(shown, name, mask));
}

/** Gives ids of another form, made of the number that the store would give. */
function numbering(base: Behaviour, idOf: (number: string) => string): Partial<Behaviour> {
  return { save: (properties, before, context) => base.save(properties, before ?? born(idOf(context.store.nextId()), context), context) };
}

function mapTextsButIds(body: JsonObject, change: (text: string) => string): JsonObject {
  return mapValues(body, (value, name) => (IDS.includes(name) ? value : mapTexts(value, change)));
}

/** Hides all but some of the last characters, and all of a short text. */
function lastOf(value: string, mask: string, shown = 4): string {
  const hidden = value.length > 2 * shown ? value.length - shown : value.length;
  return mask.repeat(hidden) + value.slice(hidden);
}
