import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { type Limits, Spent, serveTurnstile, Turnstile } from '../target/turnstile.ts';

/** Two workers at one turnstile. */
async function withWorkers(limits: Limits, use: (workers: [Turnstile, Turnstile]) => Promise<void>): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'turnstile-'));
  const close = await serveTurnstile(scratch, limits);
  const workers: [Turnstile, Turnstile] = [new Turnstile(scratch, limits), new Turnstile(scratch, limits)];
  try {
    await use(workers);
  } finally {
    for (const worker of workers) worker.close();
    await close();
  }
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

test.describe('the turnstile', () => {
  test('lets no more through at once than it may, all workers together', async () => {
    await withWorkers({ concurrency: 3 }, async (workers) => {
      let inside = 0;
      let most = 0;
      const visit = async (worker: Turnstile, slots: number) => {
        const release = await worker.take(slots);
        inside += slots;
        most = Math.max(most, inside);
        await pause(5);
        inside -= slots;
        release();
      };
      await Promise.all(Array.from({ length: 20 }, (_, index) => visit(workers[index % 2 ? 0 : 1], (index % 3) + 1)));
      expect(most).toBe(3);
    });
  });

  test('lets a race in that is wider than it, as wide as it is', async () => {
    await withWorkers({ concurrency: 2 }, async ([worker]) => {
      const release = await worker.take(5);
      release();
      const again = await worker.take(2);
      again();
    });
  });

  test('takes back what a worker held that ended', async () => {
    await withWorkers({ concurrency: 1 }, async ([first, second]) => {
      await first.take(1);
      first.close();
      const release = await second.take(1);
      release();
    });
  });

  test('spaces requests by their rate, all workers together', async () => {
    await withWorkers({ concurrency: 8, rps: 50 }, async (workers) => {
      const start = Date.now();
      await Promise.all(Array.from({ length: 11 }, (_, index) => workers[index % 2 ? 0 : 1].pass()));
      expect(Date.now() - start).toBeGreaterThanOrEqual(190);
    });
  });

  test('ends a run that has made all its requests', async () => {
    await withWorkers({ concurrency: 8, requests: 3 }, async ([first, second]) => {
      for (const worker of [first, second, first]) await worker.pass();
      await expect(second.pass()).rejects.toThrow(Spent);
    });
  });
});
