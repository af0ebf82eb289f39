/** The shortest exchanges, written by hand, that show what some broken servers do; the customer is created with what the first says. */
export const shortest: Readonly<Record<string, readonly string[]>> = {
  'rename-leaves-rows-behind': ['create with a balance', 'rename', 'remove the balance', 'read'],
  'removals-compacted': ['create with a balance and a currency', 'remove the balance', 'remove the currency', 'change nothing', 'read'],
  'value-of-an-agent-protected': ['create', 'set the name by customerId', 'set it by the query', 'read'],
  'tombstone-in-the-index': ['create with a balance', 'remove it by the query', 'set it by externalId in the body', 'read'],
  'third-update-coalesced': ['create with a balance', 'change nothing', 'change nothing', 'remove the balance', 'read'],
  'written-where-the-key-is-null': ['create', 'rename', 'create another with a balance', 'read the first'],
  'transaction-left-open': ['create', 'send what cannot be read, by the query', 'set the name by customerId', 'read'],
  'query-updates-an-old-copy': ['create', 'change nothing by the query', 'set the name', 'change nothing by the query', 'read'],
  'third-update-from-the-first': ['create', 'change nothing', 'set the name', 'change nothing', 'read'],
  'removal-revived-by-update': ['create with a balance', 'remove it', 'change nothing', 'read'],
  'set-again-brings-old-value': ['create with a balance', 'remove it', 'set another', 'read'],
  'fourth-update-refused': ['create', 'change nothing', 'change nothing', 'change nothing', 'change nothing'],
  'removal-of-currency-takes-balance': ['create with a balance and a currency', 'remove the currency', 'read'],
  'rename-onto-another': ['create', 'create another', "give it the first one's externalId"],
  'create-writes-the-one-before': ['create', 'create another', 'read the first'],
};
