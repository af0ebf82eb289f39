import { execSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { catalogueSha256 } from '../schemas/catalogue.ts';
import type { Settings } from '../target/settings.ts';

/** Returns what the Allure report says of a run's environment. */
export function environmentInfo({ targetName, baseUrl, seed }: Settings): Record<string, string> {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return {
    Target: targetName,
    'Base URL': baseUrl ?? 'embedded sandbox',
    Contract: `POST /customers, requirement catalogue ${catalogueSha256.slice(0, 12)}`,
    Seed: String(seed),
    Suite: version,
    Commit: commit(),
  };
}

function commit(): string {
  // A worker has no use for it.
  if (process.env.TEST_WORKER_INDEX !== undefined) return '';
  try {
    const head = () => execSync('git rev-parse HEAD', { stdio: ['ignore', 'pipe', 'ignore'] });
    return process.env.GITHUB_SHA ?? head().toString().trim();
  } catch {
    return 'unknown';
  }
}
