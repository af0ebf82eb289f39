import { execSync } from 'node:child_process';
import { randomInt, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from '@playwright/test';
import type { Metadata } from './reports/reporter.ts';
import { type Area, catalogueSha256, type GeneratedArea, generatedAreas } from './schemas/catalogue.ts';
import { environment, readSettings, SettingsError } from './target/settings.ts';
import type { Budget } from './tests/support/customers.ts';
import { factors } from './tests/support/depth.ts';

/**
 * What one check of an area makes at most, reads that are repeated because they may be behind a write included. In the order of a run: so
 * that no worker is left alone with a long one, that generated areas follow one another and each has all slots, and that wrong credentials
 * come last.
 */
const budgets: Record<Area | GeneratedArea, Budget> = {
  properties: { requests: 2_700, customers: 650 },
  identity: { requests: 30, customers: 20 },
  removal: { requests: 15, customers: 3 },
  update: { requests: 35, customers: 4 },
  refusal: { requests: 25, customers: 8 },
  histories: { requests: 3_500, customers: 800 },
  answer: { requests: 15, customers: 4 },
  races: { requests: 400, customers: 150 },
  values: { requests: 15, customers: 5 },
  create: { requests: 15, customers: 6 },
  access: { requests: 15, customers: 4 },
};

/** What a check of an area makes at most at this depth; of a generated one that includes making a failing case shorter. */
function budgetOf(area: Area | GeneratedArea): Budget {
  const factor = isGenerated(area) ? Math.max(1, factors[depth]) : 1;
  return { requests: budgets[area].requests * factor, customers: budgets[area].customers * factor };
}

const isGenerated = (area: string): area is GeneratedArea => (generatedAreas as readonly string[]).includes(area);

function settings() {
  try {
    // Workers and the sandbox's start read the same environment, `.env` included.
    Object.assign(process.env, environment());
    const read = readSettings(process.env);
    const seed = read.seed ?? randomInt(2 ** 32);
    process.env.TRUSTLY_SEED = String(seed);
    return { ...read, seed };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    console.error(error.message);
    process.exit(3);
  }
}

function commit(): string {
  // A worker has no use for it.
  if (process.env.TEST_WORKER_INDEX !== undefined) return '';
  try {
    return (
      process.env.GITHUB_SHA ??
      execSync('git rev-parse HEAD', { stdio: ['ignore', 'pipe', 'ignore'] })
        .toString()
        .trim()
    );
  } catch {
    return 'unknown';
  }
}

const { out, seed, depth, replay, targetName, timeout, baseUrl } = settings();
process.env.CONFORMANCE_ARTIFACTS ??= join(tmpdir(), `conformance-artifacts-${randomUUID()}`);
const { CONFORMANCE_ARTIFACTS: artifacts } = process.env;
const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

export default defineConfig<{ budget: Budget }>({
  testDir: 'tests',
  metadata: { seed, depth, targetName, ...(baseUrl && { baseUrl }) } satisfies Metadata,
  // The runner empties it: a folder of its own, where nobody else has files.
  outputDir: artifacts,
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
  projects: (Object.keys(budgets) as (Area | GeneratedArea)[]).map((name) => ({
    name,
    testMatch: `${name}.spec.ts`,
    use: { budget: budgetOf(name) },
    ...(isGenerated(name) && { timeout: 600_000 * Math.max(1, factors[depth]) }),
    // A state that no order of concurrent requests explains is a failure at first sight.
    ...(name === 'races' && { retries: 0 }),
  })),
  reporter: [
    ['./reports/reporter.ts'],
    [
      './reports/allure-results.ts',
      {
        resultsDir: join(out, 'allure-results'),
        environmentInfo: {
          Target: targetName,
          'Base URL': baseUrl ?? 'embedded sandbox',
          Contract: `POST /customers, requirement catalogue ${catalogueSha256.slice(0, 12)}`,
          Seed: String(seed),
          Suite: version,
          Commit: commit(),
        },
      },
    ],
  ],
});
