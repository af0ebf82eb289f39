import { defineConfig } from '@playwright/test';

// The suite's own tests are the same everywhere: no setting and no .env of this machine reaches them or what they start.
for (const name of Object.keys(process.env)) if (name.startsWith('TRUSTLY_')) delete process.env[name];
process.env.DOTENV_CONFIG_PATH = 'none';

export default defineConfig({
  testDir: '.',
  outputDir: '../reports/out/selftest',
  workers: 2,
  timeout: 120_000,
  forbidOnly: !!process.env.CI,
  reporter: [['list'], ['./tally.ts']],
});
