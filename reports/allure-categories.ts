import { words } from '../schemas/outcomes.ts';

/** The groups of Allure's report: what a check's message says, the first that matches. Messages are regular expressions. */
export const categories = [
  { name: 'Fault of the suite', matchers: { message: '^(Error: )?SuiteFault' } },
  { name: 'Server error', matchers: { message: '\\[REF-3\\]|\\b5\\d\\d (Internal|Bad|Service|Gateway)' } },
  { name: 'No answer', matchers: { message: 'NoResponse|no answer|ECONN' } },
  { name: 'Too slow', matchers: { message: 'Test timeout' } },
  { name: 'Outage', matchers: { statuses: ['skipped'], message: `${words.inconclusive}: ` } },
  { name: 'Not testable: a precondition failed', matchers: { statuses: ['skipped'], message: `${words['not-testable']}: ` } },
  { name: 'Not applicable', matchers: { statuses: ['skipped'], message: `${words['not-applicable']}: ` } },
  { name: 'Deviation from the contract', matchers: { statuses: ['failed', 'broken'] } },
];
