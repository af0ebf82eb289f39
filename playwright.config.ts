import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from '@playwright/test';
import { environmentInfo } from './reports/environment-info.ts';
import type { Metadata } from './reports/reporter.ts';
import { type Area, type GeneratedArea, isGeneratedArea } from './schemas/catalogue.ts';
import type { Budget } from './target/budget.ts';
import { publishSettings } from './target/settings.ts';
import { budgetOf, budgets } from './tests/budgets.ts';
import { factors } from './tests/support/depth.ts';

const settings = publishSettings();
const { out, seed, depth, replay, targetName, timeout, baseUrl } = settings;
process.env.CONFORMANCE_ARTIFACTS ??= join(tmpdir(), `conformance-artifacts-${randomUUID()}`);

export default defineConfig<{ budget: Budget }>({
  testDir: 'tests',
  metadata: { seed, depth, targetName, ...(baseUrl && { baseUrl }) } satisfies Metadata,
  // The runner empties it: a folder of its own, where nobody else has files.
  outputDir: process.env.CONFORMANCE_ARTIFACTS,
  globalSetup: './tests/support/setup.ts',
  // A file stays in one worker, which costs more to start than most checks to run.
  fullyParallel: false,
  // Over a network the round trips cost most.
  workers: baseUrl === undefined ? 2 : 4,
  forbidOnly: !!process.env.CI,
  // A failed check runs once more with fresh data: what does not come back is flaky, and never green.
  retries: 1,
  failOnFlakyTests: true,
  timeout: Math.max(60_000, 6 * timeout),
  // A replay runs the one check that it names.
  ...(replay && { grep: new RegExp(`${replay.title.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')}( @|$)`) }),
  projects: (Object.keys(budgets) as (Area | GeneratedArea)[]).map((area) => ({
    name: area,
    testMatch: `${area}{,-*}.spec.ts`,
    use: { budget: budgetOf(area, depth) },
    ...(isGeneratedArea(area) && { timeout: 600_000 * Math.max(1, factors[depth]) }),
    // A state that no order of concurrent requests explains is a failure at first sight.
    ...(area === 'races' && { retries: 0 }),
  })),
  reporter: [
    ['./reports/reporter.ts'],
    ['./reports/allure-results.ts', { resultsDir: join(out, 'allure-results'), environmentInfo: environmentInfo(settings) }],
  ],
});
