import { createHash } from 'node:crypto';
// Only one locale: loading all of them takes a worker six times as long.
import { faker as english } from '@faker-js/faker/locale/en';
import type { Customer } from '../schemas/contract.ts';
import type { Removable } from '../schemas/properties.ts';
import { areaCodes, places } from './places.ts';

/** A plain customer as the run creates it: the narrowest of the vendor's documents, so an externalId and a taxId always. */
export type Plain = Customer & Required<Pick<Customer, 'externalId' | 'taxId'>>;

/** Reserves a value for one customer of the run; returns false if another customer has it. */
export type Reserve = (value: string) => boolean;

/** The class itself is in the entry that loads every locale. */
const Faker = english.constructor as new (options: { locale: typeof english.rawDefinitions; seed: number }) => typeof english;

/** Faker's dates are relative to this day, so a seed gives the same customer in every year. */
const REFERENCE_DATE = '2026-01-01T00:00:00Z';

/** What people are drawn from. */
type PeopleOptions = { seed: number; name: string; prefix: string; reserve: Reserve; overrides: Partial<Customer> };

/** Realistic people who cannot exist: reserved e-mail domains, 555-01xx numbers, tax ids that are never issued. */
export class People {
  readonly #options: PeopleOptions;
  readonly #run: string;
  readonly #prefix: string;
  readonly #reserve: Reserve;
  readonly #overrides: Partial<Customer>;
  readonly #faker: typeof english;
  readonly #drawn = new Set<string>();
  #count = 0;

  /** `name` is what the seed is mixed with: the check that these people are for. `prefix` begins every externalId. */
  constructor(options: PeopleOptions) {
    this.#options = options;
    const digest = createHash('sha256').update(`${options.seed} ${options.name}`).digest();
    this.#faker = new Faker({ locale: english.rawDefinitions, seed: digest.readUInt32BE() });
    this.#faker.setDefaultRefDate(REFERENCE_DATE);
    this.#run = options.prefix;
    this.#reserve = options.reserve;
    this.#prefix = this.#own(digest.readUInt32BE(4));
    this.#overrides = options.overrides;
  }

  /** Begins every externalId of these people, and of no others of the run. */
  #own(number: number): string {
    const prefix = `${this.#run}${String(number % 1e9).padStart(9, '0')}`;
    return this.#reserve(`externalIds ${prefix}`) ? prefix : this.#own(number + 1);
  }

  /** Other people, whom no other run with the same seed has. */
  unrepeated(): People {
    return new People({ ...this.#options, name: `${this.#options.name} ${this.#run}` });
  }

  /** Whether an externalId is one of the run's. */
  owns(externalId: string | undefined): boolean {
    return externalId?.startsWith(this.#run) ?? false;
  }

  /** Whether a phone or taxId is one of a plain customer of these. */
  drew(value: string | undefined): boolean {
    return value !== undefined && this.#drawn.has(value);
  }

  /** The properties that the settings demand of every customer, so that none can be removed. */
  get demanded(): readonly string[] {
    return Object.keys(this.#overrides);
  }

  /** A plain customer: required properties, taxId and externalId, with what the settings demand beyond. */
  plain(country: 'US' | 'CA' = 'US'): Plain {
    const [firstName, lastName] = [this.#faker.person.firstName(), this.#faker.person.lastName()];
    const externalId = this.externalId();
    const place = this.#faker.helpers.arrayElement(places.filter((candidate) => candidate.country === country));
    return {
      name: `${firstName} ${lastName}`,
      address: { address1: this.#faker.location.streetAddress(), ...place },
      phone: this.#phone(),
      email: `${firstName}.${lastName}.${externalId}@example.com`.toLowerCase().replace(/[^a-z0-9.@]/g, ''),
      taxId: country === 'US' ? this.#itin() : this.#sin(),
      ...this.#overrides,
      externalId,
    };
  }

  /** A plain customer with every property that a merchant owns. */
  full(country: 'US' | 'CA' = 'US'): Plain & Required<Pick<Customer, Removable>> {
    return { ...this.plain(country), ...this.optional(), ...this.#overrides } as Plain & Required<Pick<Customer, Removable>>;
  }

  /** A value for each optional property that a merchant owns, taxId apart. */
  optional(): Required<Pick<Customer, Removable>> {
    return {
      dateOfBirth: this.#faker.date.birthdate({ mode: 'age', min: 21, max: 80 }).toISOString().slice(0, 10),
      enrollDate: this.#faker.date.past({ years: 8 }).getTime(),
      vip: String(this.#faker.number.int({ min: 1, max: 9 })),
      currency: this.#faker.helpers.arrayElement(['USD', 'CAD']),
      balance: this.#faker.finance.amount({ min: 1, max: 9999, dec: 2 }),
      organizationNumber: `0${this.#faker.string.numeric(8)}`,
      externalTier: this.#faker.helpers.arrayElement(['Gold', 'Silver', 'Diamond', '4 stars']),
      customData: {
        segment: this.#faker.word.noun(),
        visits: this.#faker.number.int({ min: 1, max: 99 }),
        newsletter: this.#faker.datatype.boolean(),
      },
      driverLicense: {
        number: this.#faker.string.alpha({ length: 1, casing: 'upper' }) + this.#faker.string.numeric(7),
        state: this.#faker.location.state({ abbreviated: true }),
      },
      nationalId: `0${this.#faker.string.numeric(8)}`,
    };
  }

  /** A fresh externalId: the run's prefix and more digits, as in the page's samples. */
  externalId(): string {
    this.#count += 1;
    return `${this.#prefix}${String(this.#count).padStart(3, '0')}`;
  }

  #take(value: string): boolean {
    const isFree = this.#reserve(value);
    if (isFree) this.#drawn.add(value);
    return isFree;
  }

  /** A phone number that no other customer of the run has, in the form of the page's samples. */
  #phone(): string {
    const { helpers, string } = this.#faker;
    let phone: string;
    do phone = `+1${helpers.arrayElement(areaCodes)}55501${string.numeric(2)}`;
    while (!this.#take(phone));
    return phone;
  }

  /** A US tax id never issued: it begins with 9, and its middle digits are none that individual taxpayer numbers use. */
  #itin(): string {
    const { number, string } = this.#faker;
    let taxId: string;
    do taxId = `9${string.numeric(2)}${String(number.int({ min: 10, max: 49 }))}${string.numeric(4)}`;
    while (!this.#take(taxId));
    return taxId;
  }

  /** A Canadian social insurance number never issued: it begins with 0; its last digit is the Luhn check digit. */
  #sin(): string {
    let taxId: string;
    do {
      const digits = `0${this.#faker.string.numeric(7)}`;
      const sum = [...digits]
        .map((digit, index) => Number(digit) * (index % 2 ? 2 : 1))
        .reduce((total, n) => total + (n > 9 ? n - 9 : n), 0);
      taxId = digits + String((10 - (sum % 10)) % 10);
    } while (!this.#take(taxId));
    return taxId;
  }
}
