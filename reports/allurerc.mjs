/** Allure's configuration; reports/allure.ts gives the folders, the name, the history's file and the categories. */
export default {
  historyPath: process.env.ALLURE_HISTORY,
  historyLimit: 20,
  categories: JSON.parse(process.env.ALLURE_CATEGORIES),
  plugins: {
    awesome: { options: { singleFile: true, groupBy: ['feature', 'story'], reportLanguage: 'en' } },
  },
};
