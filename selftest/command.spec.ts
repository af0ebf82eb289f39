import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { type Behaviour, conforming } from '../sandbox/behaviour.ts';
import { type Sandbox, startSandbox } from '../sandbox/server.ts';
import { catalogue } from '../schemas/catalogue.ts';
import { against, conformance, leaks, merchants, run, spoiling, target } from './command.ts';

type AllureResult = { status: string; steps: { name: string; status: string }[]; labels: { name: string; value: string }[] };

const musts = catalogue.filter(({ level, unchecked }) => level === 'MUST' && unchecked === undefined);

/** Loses the externalTier of a customer of whom anything else is removed. */
const forgetful: Behaviour = {
  ...conforming,
  apply: (before, changes, context) => {
    const properties = conforming.apply(before, changes, context);
    if (before && Object.values(changes).includes(null) && !('externalTier' in changes)) delete properties.externalTier;
    return properties;
  },
};

test.describe.configure({ mode: 'parallel' });

test.describe('a run against the sandbox started separately', () => {
  let sandbox: Sandbox;
  test.beforeAll(async () => {
    sandbox = await startSandbox({
      merchants,
      mounts: [
        { basePath: '/api/v1', behaviour: conforming },
        { basePath: '/forgetful', behaviour: forgetful },
        { basePath: '/broken', behaviour: { ...conforming, apply: (before, changes) => ({ ...before, ...changes }) } },
      ],
    });
  });
  test.afterAll(() => sandbox.close());

  test('conforms, exit 0', async () => {
    // A complete run, beside other tests.
    test.setTimeout(300_000);
    const { code, output, result, out } = await conformance({ ...target(sandbox.baseUrl), TRUSTLY_DEPTH: 'quick' });

    expect(code, output).toBe(0);
    expect(output).toContain('Verdict: conforms');
    expect(result()).toMatchObject({ verdict: 'conforms', exitCode: 0, counts: { MUST: { passed: musts.length } } });
    expect(readdirSync(out)).toEqual(
      expect.arrayContaining(['allure-results', 'conformance.json', 'conformance.md', 'junit.xml', 'ledger.json']),
    );
    const ledger = JSON.parse(readFileSync(join(out, 'ledger.json'), 'utf8'));
    expect(ledger).toHaveLength(result().customers);
  });

  test('is partial where an area alone is run', async () => {
    const { code, output } = await conformance(target(sandbox.baseUrl), '--project=create');

    expect(code, output).toBe(0);
    expect(output).toMatch(/Verdict: partial \(nothing failed; \d+ MUST left out of this run\)/);
  });

  test('repeats the customers of a seed under a fresh prefix', { tag: '@daily' }, async () => {
    const seeded = { ...target(sandbox.baseUrl), TRUSTLY_SEED: '7' };
    const grep = ['--project=create', '--grep', 'in Canada'];
    const [once, twice] = [await conformance(seeded, ...grep), await conformance(seeded, ...grep)];
    const [first, second] = [once, twice].map(
      ({ out }) => JSON.parse(readFileSync(join(out, 'ledger.json'), 'utf8')) as { externalId: string }[],
    );

    expect(first?.map(({ externalId }) => externalId.slice(14))).toEqual(second?.map(({ externalId }) => externalId.slice(14)));
    expect(first?.map(({ externalId }) => externalId)).not.toEqual(second?.map(({ externalId }) => externalId));
  });

  test('shows a history that goes wrong at its shortest, and replays it', { tag: '@daily' }, async () => {
    const { code, output, out, result } = await conformance(
      { ...target(`${sandbox.origin}/forgetful`), TRUSTLY_SEED: '1' },
      '--project=histories',
    );

    expect(code, output).toBe(1);
    expect(result().requirements.find(({ id }) => id === 'UPD-4')).toMatchObject({ outcome: 'failed' });
    expect(output).toMatch(/\n {4,}1\. create a customer: 200 /);
    const [, replay = ''] = /TRUSTLY_REPLAY='([^']+)'/.exec(output) ?? [];
    expect(readdirSync(join(out, 'counterexamples'))).toHaveLength(1);
    expect(leaks(out)).toEqual([]);
    const again = await conformance({ ...target(`${sandbox.origin}/forgetful`), TRUSTLY_REPLAY: replay });
    expect(again.code, again.output).toBe(1);
    expect(again.output).toContain('1 of 1 checks');
    expect(again.output).toContain('UPD-4 (MUST, failed)');
    const mended = await conformance({ ...target(sandbox.baseUrl), TRUSTLY_REPLAY: replay });
    expect(mended.code, mended.output).toBe(0);
  });

  test('leaves out what is over its requests, and says so', async () => {
    const { code, output, result } = await conformance({ ...target(sandbox.baseUrl), TRUSTLY_MAX_REQUESTS: '100' }, '--project=create');

    expect(code, output).toBe(0);
    expect(output).toMatch(/Verdict: partial \(nothing failed; \d+ checks were left out: TRUSTLY_MAX_REQUESTS is 100\)/);
    expect(result().requests).toBeLessThanOrEqual(100);
  });

  test('does not conform, exit 1, and shows no credential anywhere', async () => {
    const { code, output, result, out } = await conformance(target(`${sandbox.origin}/broken`), '--grep', 'vip is absent');

    expect(code, output).toBe(1);
    expect(output).toMatch(/✗ NULL-1 \(MUST, failed\) An optional property set to null is removed/);
    expect(output).toContain('“To remove properties of an existing customer, set the property to `null`”');
    expect(output).toMatch(/expected: \w+ absent\n\s+actual: +\w+ null\n\s+curl: +curl -sS -X GET/);
    expect(result().requirements.find(({ id }) => id === 'NULL-1')?.outcome).toBe('failed');
    expect(readFileSync(join(out, 'junit.xml'), 'utf8')).toContain('<failure');

    const report = await run('reports/allure.ts', {}, [], out);
    expect(report.code, report.output).toBe(0);
    expect(readFileSync(join(out, 'allure-report', 'index.html'), 'utf8')).not.toMatch(/googletagmanager|google-analytics/);
    writeFileSync(join(out, 'output.txt'), output);
    expect(leaks(out)).toEqual([]);
  });

  test('confirms each failure once, in the worker that saw it, and every report tells it as a failure', async () => {
    const { code, output, result, out } = await conformance(
      target(`${sandbox.origin}/broken`),
      '--grep',
      'is removed|is absent',
      '--workers=1',
    );

    expect(code, output).toBe(1);
    const failed = result().requirements.flatMap(({ checks }) => checks.filter(({ outcome }) => outcome === 'failed'));
    const titles = new Set(failed.map(({ title }) => title));
    expect(titles.size).toBeGreaterThan(10);
    const folder = join(out, 'allure-results');
    const allure = readdirSync(folder).filter((name) => name.endsWith('-result.json'));
    const results = allure.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as AllureResult);
    expect(results.filter(({ status }) => status === 'failed')).toHaveLength(titles.size);
    for (const { steps } of results.filter(({ status }) => status === 'failed')) {
      expect(steps.filter(({ name, status }) => name === 'confirm with fresh data' && status === 'failed')).toHaveLength(1);
    }
    const workers = results.flatMap(({ labels }) => labels.filter(({ name }) => name === 'thread'));
    expect(new Set(workers.map(({ value }) => value)).size).toBe(1);
    expect(readFileSync(join(out, 'junit.xml'), 'utf8').match(/<testcase(?=[^>]*[^/]>\s*<failure)/g)).toHaveLength(failed.length);
  });

  test('leaves a failure as Playwright has it where another reporter is in use', async () => {
    const settings = target(`${sandbox.origin}/broken`);
    const cli = 'node_modules/@playwright/test/cli.js';
    const { code, output } = await run(cli, settings, ['test', '--grep', 'vip is absent', '--reporter=line', '--max-failures=1']);

    expect(code, output).toBe(1);
    expect(output).toMatch(/Retry #1[\s\S]* [1-9]\d* failed/);
  });

  test('with a wrong key is inconclusive, exit 2', async () => {
    const { code, output, seconds } = await conformance({ ...target(sandbox.baseUrl), TRUSTLY_ACCESS_KEY: 'wrong-key-wrong-key' });

    expect(code, output).toBe(2);
    expect(output.trim()).toMatch(/^Verdict: inconclusive \(http:\S+ refuses the credentials: 401 Unauthorized\)$/);
    expect(seconds).toBeLessThan(20);
  });
});

test.describe('a target that is out of order', () => {
  test('at a closed port: exit 2, one line, no credential', async () => {
    const server = createTcpServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));

    const { code, output, out, result } = await conformance(target(`http://127.0.0.1:${port}`));

    expect(code, output).toBe(2);
    expect(output.trim()).toMatch(/^Verdict: inconclusive \(http:\S+ does not answer: connect ECONNREFUSED \S+\)$/);
    expect(result()).toMatchObject({ verdict: 'inconclusive', exitCode: 2, requirements: [] });
    writeFileSync(join(out, 'output.txt'), output);
    expect(leaks(out)).toEqual([]);
  });

  test('that hangs: exit 2, soon after the time of a request is over', async () => {
    await against(
      () => undefined,
      async (baseUrl) => {
        const { code, output, seconds } = await conformance({ ...target(baseUrl), TRUSTLY_TIMEOUT_MS: '4000' });
        expect(code, output).toBe(2);
        expect(output.trim()).toMatch(/^Verdict: inconclusive \(http:\S+ does not answer: no answer within 4000 ms\)$/);
        expect(seconds).toBeLessThan(20);
      },
    );
  });

  test('none of whose answers can be read: exit 1, at once', async () => {
    await against(
      (_request, response) => response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }).end('{}'),
      async (baseUrl) => {
        const { code, output, seconds } = await conformance(target(baseUrl), '--project=answer');
        expect(code, output).toBe(1);
        expect(output).toMatch(/Verdict: does not conform \(REF-3 failed\)/);
        expect(seconds).toBeLessThan(30);
      },
    );
  });

  test('that redirects: exit 2, and told where to', async () => {
    await against(
      (_request, response) => response.writeHead(308, { Location: 'https://elsewhere.example/api' }).end(),
      async (baseUrl) => {
        const { code, output } = await conformance(target(baseUrl));
        expect(code, output).toBe(2);
        expect(output.trim()).toMatch(/^Verdict: inconclusive \(http:\S+ redirects to https:\/\/elsewhere.example\/api: 308/);
      },
    );
  });

  for (const [what, goAway] of [
    ['goes away', (response: Parameters<RequestListener>[1]) => response.destroy()],
    ['answers 503', (response: Parameters<RequestListener>[1]) => response.writeHead(503).end()],
    ['refuses the key', (response: Parameters<RequestListener>[1]) => response.writeHead(401).end()],
  ] as const) {
    test(`that ${what} in the middle: exit 2, and the run ends early`, { tag: what === 'goes away' ? [] : '@daily' }, async () => {
      const sandbox = await startSandbox({ merchants });
      const counts = { requests: 0 };
      const pass = spoiling(sandbox.origin, (answer) => answer);
      const forward: RequestListener = (request, response) => {
        counts.requests += 1;
        if (counts.requests > 110) goAway(response);
        else pass(request, response);
      };
      await against(forward, async (origin) => {
        const { code, output, seconds, result } = await conformance(
          target(`${origin}/api/v1`),
          '--project=answer',
          '--project=create',
          '--workers=1',
        );
        expect(code, output).toBe(2);
        expect(output).toMatch(/Verdict: inconclusive/);
        expect(result().requirements.some(({ outcome }) => outcome === 'passed')).toBe(true);
        expect(result().requests).toBeLessThan(200);
        expect(seconds).toBeLessThan(40);
      });
      await sandbox.close();
    });
  }
});

test.describe('what is set up wrongly ends with exit 3 and one line', () => {
  const cases: [string, NodeJS.ProcessEnv, string[], RegExp][] = [
    [
      'a misspelt setting',
      { TRUSTLY_BASEURL: 'http://127.0.0.1' },
      [],
      /^TRUSTLY_BASEURL is not a setting; did you mean TRUSTLY_BASE_URL\?$/,
    ],
    [
      'an empty key',
      { ...target('http://127.0.0.1'), TRUSTLY_ACCESS_KEY: '' },
      [],
      /^TRUSTLY_ACCESS_KEY is empty; give it a value or remove it$/,
    ],
    ['a production host', target('https://api.trustly.one/api/v1'), [], /^TRUSTLY_BASE_URL names a production host, api.trustly.one; .*$/],
    ['a reporter', {}, ['--reporter=line'], /^--reporter would replace the suite's own reporter; .*$/],
    ['an unknown project', {}, ['--project=nowhere'], /Project\(s\) "nowhere" not found/],
    ['a pattern that finds no check', {}, ['--grep=nothing-like-this'], /No verdict: .*No tests found/],
  ];
  for (const [what, env, args, message] of cases) {
    test(what, async () => {
      const { code, output } = await conformance(env, ...args);

      expect(code, output).toBe(3);
      expect(output.trim()).toMatch(message);
      expect(output).not.toMatch(/^\s+at /m);
    });
  }

  test('a report without results', async () => {
    const { code, output } = await run('reports/allure.ts', {});

    expect(code).toBe(3);
    expect(output.trim()).toMatch(/^there is no result under \S+; run npm run conformance first$/);
  });

  test('a port in use', async () => {
    const sandbox = await startSandbox();
    const { code, output } = await run('sandbox/cli.ts', { TRUSTLY_OUT: undefined }, ['--port', new URL(sandbox.origin).port]);
    await sandbox.close();

    expect(code).toBe(3);
    expect(output.trim()).toMatch(/^Port \d+ is in use/);
  });
});

test('the checks are listed, nothing is run', async () => {
  const { code, output, out } = await conformance({}, '--list');

  expect(code).toBe(0);
  expect(output).toContain('Total: ');
  expect(readdirSync(out)).toEqual([]);
});

test('Playwright lists the checks itself, and writes nothing', async () => {
  const { code, output, out } = await run('node_modules/@playwright/test/cli.js', {}, ['test', '--list']);

  expect(code, output).toBe(0);
  expect(readdirSync(out)).toEqual([]);
});
