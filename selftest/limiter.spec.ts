import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@playwright/test';
import { type Events, type Limits, RateLimiter, Spent, Stopped, serveLimiter } from '../target/limiter.ts';

/** Two workers at one limiter. */
async function withWorkers(
  limits: Limits,
  use: (workers: [RateLimiter, RateLimiter], close: () => Promise<void>) => Promise<void>,
  events: Events = {},
): Promise<void> {
  const { entrance, close } = await serveLimiter(limits, events);
  const workers: [RateLimiter, RateLimiter] = [await RateLimiter.enter(entrance), await RateLimiter.enter(entrance)];
  try {
    await use(workers, close);
  } finally {
    for (const worker of workers) worker.close();
    await close();
  }
}

test.describe('the limiter', () => {
  test('lets no more through at once than it may, all workers together', async () => {
    await withWorkers({ concurrency: 3 }, async (workers) => {
      let inside = 0;
      let most = 0;
      const visit = async (worker: RateLimiter, slots: number) => {
        const release = await worker.take(slots);
        inside += slots;
        most = Math.max(most, inside);
        await sleep(5);
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

  test('takes nothing for a worker that ended while it waited', async () => {
    await withWorkers({ concurrency: 1 }, async ([first, second]) => {
      const release = await first.take(1);
      const waiting = second.take(1).catch((error) => error);
      await sleep(20);
      second.close();
      expect(await waiting).toBeInstanceOf(Stopped);
      release();
      (await first.take(1))();
    });
  });

  test('makes every worker wait, counts waits at the same time once, and reports each', async () => {
    const seen: string[] = [];
    await withWorkers(
      { concurrency: 8 },
      async ([first, second]) => {
        const start = Date.now();
        await Promise.all([first.wait(200, 429), second.wait(200, 429)]);
        const extended: number[] = [];
        await second.pass((milliseconds) => extended.push(milliseconds));
        expect(Date.now() - start).toBeGreaterThanOrEqual(199);
        expect(extended[0]).toBeGreaterThan(100);
      },
      { onPause: ({ count, waited }, status) => seen.push(`${status} ${count} ${Math.round(waited / 100)}`) },
    );
    expect(seen).toEqual(['429 1 2', '429 2 2']);
  });

  test('ends a run that would wait for more than a minute in all', async () => {
    const reasons: string[] = [];
    const events = { onStop: (reason: string) => reasons.push(reason) };
    const use = async ([first, second]: [RateLimiter, RateLimiter]) => {
      await expect(first.wait(61_000, 429)).rejects.toThrow(
        /answers 429 and asks for more than 60 s of waiting in total; set TRUSTLY_MAX_RPS/,
      );
      await sleep(20);
      await expect(second.pass()).rejects.toThrow(Stopped);
      expect(second.stopped).toContain('429');
      expect(reasons).toEqual([second.stopped]);
    };
    await withWorkers({ concurrency: 8 }, use, events);
  });

  test('leaves no worker waiting that it does not serve any more', async () => {
    await withWorkers({ concurrency: 1 }, async ([first, second], close) => {
      await first.take(1);
      const waiting = second.take(1).catch((error) => error);
      await sleep(20);
      await close();
      expect(await waiting).toBeInstanceOf(Stopped);
      await expect(first.take(1)).rejects.toThrow(Stopped);
    });
  });

  test('gives what is shared, and what was noted, to who enters later', async () => {
    const { entrance, share, close } = await serveLimiter({ concurrency: 1 });
    const first = await RateLimiter.enter(entrance);
    expect(first.shared).toBe(null);
    share({ big: 'x'.repeat(1_000_000) });
    first.note('a read lagged');
    const second = await RateLimiter.enter(entrance);
    expect(second.shared).toEqual({ big: 'x'.repeat(1_000_000) });
    expect([second.knows('a read lagged'), second.knows('waiting did not help')]).toEqual([true, false]);
    second.note('waiting did not help');
    await expect.poll(() => first.knows('waiting did not help')).toBe(true);
    for (const each of [first, second]) each.close();
    await close();
  });

  test('lets nobody in who does not show its word', async () => {
    const { entrance, close } = await serveLimiter({ concurrency: 1 });
    for (const text of ['{"token":"x"}', '{"id":1,"take":1}', 'GET / HTTP/1.1']) {
      const socket = connect(entrance.port, '127.0.0.1').resume();
      socket.write(`${text}\n`);
      await new Promise((resolve) => socket.on('close', resolve));
    }
    await close();
  });
});
