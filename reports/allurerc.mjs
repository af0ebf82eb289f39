/** Allure's configuration; reports/allure.ts gives the folders, the name and the history's file. */
export default {
  historyPath: process.env.ALLURE_HISTORY,
  historyLimit: 20,
  // What a failure is by its message: the first that matches.
  categories: [
    { name: 'Fault of the suite', matchers: { message: /^(Error: )?SuiteFault/ } },
    { name: 'Server error', matchers: { message: /\[REF-3\]|\b5\d\d (Internal|Bad|Service|Gateway)/ } },
    { name: 'No answer', matchers: { message: /NoResponse|no answer|ECONN/ } },
    { name: 'Too slow', matchers: { message: /Test timeout/ } },
    { name: 'Outage', matchers: { statuses: ['skipped'], message: /inconclusive: / } },
    { name: 'Not testable: something it needs has failed', matchers: { statuses: ['skipped'], message: /not testable: / } },
    { name: 'Not applicable', matchers: { statuses: ['skipped'], message: /not applicable: / } },
    { name: 'Deviation from the contract', matchers: { statuses: ['failed', 'broken'] } },
  ],
  plugins: {
    awesome: { options: { singleFile: true, groupBy: ['feature', 'story'], reportLanguage: 'en' } },
  },
};
