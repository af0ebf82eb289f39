// Generated from post-customers.openapi.yaml by `npm run types`.

export interface CustomersPostCustomers_Response_200 {
  customer?: Customer;
}
/**
 * The Trustly customer object, containing identification details and contact information.
 */
export interface Customer {
  /**
   * Full name of the Customer
   */
  name: string;
  /**
   * Customer tax ID (e.g. SSN [US], SIN [CA]). *May be required depending on industry and location.*
   */
  taxId?: string;
  address: Address;
  /**
   * Customer phone number.
   */
  phone: string;
  /**
   * Customer email address.
   */
  email: string;
  /**
   * Customer date of birth.
   */
  dateOfBirth?: string;
  /**
   * The record created date and time as a UNIX timestamp.
   */
  createdAt?: number;
  /**
   * The record created date and time as a UNIX timestamp.
   */
  updatedAt?: number;
  /**
   * A unique Trustly customer identifier.
   */
  customerId?: string;
  /**
   * A unique merchant customer identifier.
   */
  externalId?: string;
  /**
   * A unique Trustly merchant identifier.
   */
  merchantId?: string;
  /**
   * Date of the user's first transaction in your system, regardless of payment method used as a UNIX timestamp.
   */
  enrollDate?: number;
  /**
   * Range that determines how low-risk the customer represents to the merchant
   */
  vip?: string;
  /**
   * Customer currency.
   */
  currency?: string;
  /**
   * Customer account balance (not associated with a financial institution account).
   */
  balance?: string;
  /**
   * Organization number for business accounts
   */
  organizationNumber?: string;
  /**
   * It should describe the customer''s rank to the merchant (e.g. Gold, Diamond, 4 stars, etc.)
   */
  externalTier?: string;
  /**
   * Unique customer identity throughout different banks.
   */
  personId?: string;
  customData?: CustomerCustomData;
  driverLicense?: DriverLicense;
  /**
   * Customer National ID
   */
  nationalId?: string;
}
/**
 * Valid mailing or billing address associated with the customer
 */
export interface Address {
  /**
   * Address line 1 (e.g., street or PO Box)
   */
  address1?: string;
  /**
   * Address line 2 (e.g., apartment, suite or unit number)
   */
  address2?: string;
  /**
   * City, district, town or village
   */
  city?: string;
  /**
   * State, province or region code
   */
  state?: string;
  /**
   * ZIP or Postal Code
   */
  zip?: string;
  /**
   * 2 character [ISO Country code](https://en.wikipedia.org/wiki/ISO_3166-1_alpha-2)
   */
  country: string;
}
/**
 * Object for sending merchant-specific custom data.
 */
export interface CustomerCustomData {
  [k: string]: unknown;
}
export interface DriverLicense {
  /**
   * Driver License number.
   */
  number: string;
  /**
   * 2 character ISO State code.
   */
  state: string;
}
