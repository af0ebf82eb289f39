import { defineConfig } from '@playwright/test';

// The suite's own tests are the same everywhere: no setting and no .env of this machine reaches them or what they start.
for (const name of Object.keys(process.env)) if (name.startsWith('TRUSTLY_')) delete process.env[name];
process.env.DOTENV_CONFIG_PATH = 'none';

export default defineConfig({
  testDir: '..',
  outputDir: 'out/artifacts',
  workers: 3,
  timeout: 120_000,
  forbidOnly: !!process.env.CI,
  projects: [
    { name: 'proof', testMatch: 'proof/proof.spec.ts', grepInvert: /@nightly/, fullyParallel: true },
    { name: 'nightly', testMatch: 'proof/proof.spec.ts', grep: /@nightly/, fullyParallel: true },
    {
      name: 'suite',
      testMatch: ['selftest/*.spec.ts', 'proof/docs.spec.ts'],
      testIgnore: 'selftest/hostile.spec.ts',
      grepInvert: /@daily/,
    },
    { name: 'daily', testMatch: 'selftest/{command,safety}.spec.ts', grep: /@daily/, fullyParallel: true },
    { name: 'hostile', testMatch: 'selftest/hostile.spec.ts', fullyParallel: true },
    { name: 'table', testMatch: 'proof/table.spec.ts', dependencies: ['proof'] },
  ],
  reporter: [['list'], ['./count-reporter.ts']],
});
