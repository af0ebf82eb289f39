import type { Customer } from './contract.ts';

/** What the page and its reading say of a property. */
type Property = {
  /** Whose requests decide the value. */
  owner: 'merchant' | 'platform';
  /** A merchant may remove it by null. Whether taxId can be removed is left open. */
  removable?: true;
  /** Only its owner may see it in full: a target may mask it or leave it out of answers. */
  withholdable?: true;
  /** An object: an update may merge it with the stored one or replace that. */
  nested?: true;
  /** Each customer of a run gets a value of its own. */
  unique?: true;
};

/** Every property of a customer. The order is that of the checks that go through them. */
export const properties = {
  name: { owner: 'merchant' },
  address: { owner: 'merchant', nested: true },
  phone: { owner: 'merchant', unique: true },
  email: { owner: 'merchant', unique: true },
  taxId: { owner: 'merchant', unique: true, withholdable: true },
  externalId: { owner: 'merchant', unique: true },
  dateOfBirth: { owner: 'merchant', removable: true },
  enrollDate: { owner: 'merchant', removable: true },
  vip: { owner: 'merchant', removable: true },
  currency: { owner: 'merchant', removable: true },
  balance: { owner: 'merchant', removable: true },
  organizationNumber: { owner: 'merchant', removable: true },
  externalTier: { owner: 'merchant', removable: true },
  customData: { owner: 'merchant', removable: true, nested: true },
  driverLicense: { owner: 'merchant', removable: true, nested: true, withholdable: true },
  nationalId: { owner: 'merchant', removable: true, withholdable: true },
  customerId: { owner: 'platform' },
  merchantId: { owner: 'platform' },
  createdAt: { owner: 'platform' },
  updatedAt: { owner: 'platform' },
  personId: { owner: 'platform' },
} as const satisfies Record<keyof Customer, Property>;

type Properties = typeof properties;
/** The names of the properties with a mark. */
type Named<Mark> = { [Name in keyof Properties]: Properties[Name] extends Mark ? Name : never }[keyof Properties];

function namesWith<const Key extends string, const Value>(key: Key, value: Value): readonly Named<Record<Key, Value>>[] {
  const rows = Object.entries(properties) as [string, Record<string, unknown>][];
  return rows.filter(([, row]) => row[key] === value).map(([name]) => name as Named<Record<Key, Value>>);
}

/** A property that a merchant may remove. */
export type Removable = Named<{ removable: true }>;

/** The properties that a merchant may remove. */
export const removableProperties = namesWith('removable', true);
/** The properties that the platform decides: a state of a customer says nothing of them. */
export const platformProperties = namesWith('owner', 'platform');
/** The properties that a target may withhold. */
export const withholdableProperties: readonly string[] = namesWith('withholdable', true);
/** The properties whose objects an update may merge or replace. */
export const nestedProperties = namesWith('nested', true);
/** The properties of which each customer of a run gets a value of its own. */
export const uniqueProperties: readonly string[] = namesWith('unique', true);

/** The properties that the merchant decides. */
export const merchantProperties = namesWith('owner', 'merchant');

/** Whether a merchant may remove a property. */
export const isRemovable = (name: string): name is Removable => (removableProperties as readonly string[]).includes(name);

/** Whether the merchant decides a property. Whatever else an answer has is the platform's, or extra. */
export const isOwned = (name: string): boolean =>
  Object.hasOwn(properties, name) && properties[name as keyof Properties].owner === 'merchant';
