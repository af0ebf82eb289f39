import { execFile, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { expect, test } from '@playwright/test';
import MarkdownIt from 'markdown-it';
import { type Behaviour, conforming } from '../sandbox/behaviour.ts';
import { type Sandbox, startSandbox } from '../sandbox/server.ts';
import { against, canary, conformance, filesIn, leaks, merchants, newOut, run, type Spoil, spoiling, start, target } from './command.ts';

const POSIX = process.platform !== 'win32';
/** One check, so that a run takes little time. */
const ONE = ['--project=create', '--grep', 'in Canada'];

let sandbox: Sandbox;
test.beforeAll(async () => {
  sandbox = await startSandbox({
    merchants,
    mounts: [
      { basePath: '/api/v1', behaviour: conforming },
      { basePath: '/script', behaviour: scripted },
    ],
  });
});
test.afterAll(() => sandbox.close());

const MARK = join(tmpdir(), `executed-${process.pid}`);

/** Loses the tier when something is removed, and shows one that ends a comment in JavaScript and goes on as code. */
const scripted: Behaviour = {
  ...conforming,
  apply: (before, changes, context) => {
    const properties = conforming.apply(before, changes, context);
    const code = `\u2028await import('node:fs').then((fs) => fs.writeFileSync(${JSON.stringify(MARK)}, ''));//$(touch ${MARK})\`touch ${MARK}\`'`;
    if (before && Object.values(changes).includes(null) && !('externalTier' in changes)) properties.externalTier = code;
    return properties;
  },
};

/** Runs against a sandbox whose answers are spoilt. */
async function spoilt(spoil: Spoil, env: NodeJS.ProcessEnv = {}, args: string[] = ONE) {
  const counts = { requests: 0 };
  return await against(spoiling(sandbox.origin, spoil, counts), async (origin) => {
    const ran = await conformance({ ...target(`${origin}/api/v1`), ...env }, ...args);
    return { ...ran, requests: counts.requests };
  });
}

/** Whether a process is there. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Every process below one, on Linux. */
function descendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

/** Waits until something holds, for thirty seconds at most. */
async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 600 && !holds(); tries += 1) await sleep(50);
  expect(holds()).toBe(true);
}

test.describe('what a target sends', () => {
  test('is no code in a counterexample or a curl line', { tag: '@daily' }, async () => {
    const { code, output, out } = await conformance({ ...target(`${sandbox.origin}/script`), TRUSTLY_SEED: '1' }, '--project=histories');

    expect(code, output).toBe(1);
    const [script = ''] = readdirSync(join(out, 'counterexamples'));
    const env = { ...process.env, ...target(sandbox.baseUrl) };
    const { stdout } = await promisify(execFile)(process.execPath, [join(out, 'counterexamples', script)], { env });
    expect(stdout).toContain('\\u2028await import');
    for (const line of output.split('\n').filter((text) => text.includes('curl -sS'))) {
      await promisify(execFile)('sh', ['-c', line.slice(line.indexOf('curl -sS')).replace('curl -sS', 'true')], { env });
    }
    expect(existsSync(MARK)).toBe(false);
  });

  const echoes: [string, (text: string) => string][] = [
    ['escaped as JSON', (text) => [...text].map((character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')],
    ['in hexadecimal', (text) => Buffer.from(text).toString('hex')],
    ['reversed', (text) => [...text].reverse().join('')],
    ['in Base64 inside other text', (text) => Buffer.from(`x${text}y`).toString('base64')],
    ['percent-encoded', (text) => [...text].map((character) => `%${character.charCodeAt(0).toString(16)}`).join('')],
    ['as HTML', (text) => [...text].map((character) => `&#${character.charCodeAt(0)};`).join('')],
  ];
  test('gives no key away, in whatever spelling it sends it back', async () => {
    const { output, out, result } = await spoilt(({ status, headers, body }) => {
      const extra = echoes.map(([, spell], index) => `"echo${index}":"${spell(canary.accessKey)}"`).join();
      return { status, headers: { ...headers, 'x-echo': canary.accessKey }, body: body.replace('"customer":{', `"customer":{${extra},`) };
    });

    writeFileSync(join(out, 'output.txt'), output);
    expect(leaks(out)).toEqual([]);
    const written = filesIn(out)
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n');
    for (const [how, spell] of echoes) expect(written.toLowerCase(), how).not.toContain(spell(canary.accessKey).toLowerCase());
    expect(result().requirements.find(({ id }) => id === 'ANS-7')?.outcome).toBe('failed');
  });

  test('is judged as it came, whatever word the key is', { tag: '@daily' }, async () => {
    const named = [{ ...canary, accessKey: 'customer', merchantId: '1' }, merchants[1]];
    const other = await startSandbox({ merchants: named as typeof merchants });
    const { code, output } = await conformance({ ...target(other.baseUrl), TRUSTLY_ACCESS_KEY: 'customer' }, '--project=create');
    await other.close();

    expect(code, output).toBe(0);
    expect(output).toMatch(/Warning: TRUSTLY_ACCESS_KEY .*: it is redacted only together with/);
    expect(output).not.toContain('redacted›s');
  });

  test('with a short key sent back as the pair is not written', { tag: '@daily' }, async () => {
    const short = [{ accessId: 'shop', accessKey: 'k3y', merchantId: '1' }, merchants[1]];
    const other = await startSandbox({ merchants: short as typeof merchants });
    const pair = Buffer.from('shop:k3y').toString('base64');
    const spoil: Spoil = ({ status, headers, body }) => ({
      status,
      headers,
      body: body.replace('"customer":{', `"customer":{"auth":"${pair}",`),
    });
    await against(spoiling(other.origin, spoil), async (origin) => {
      const { out, output } = await conformance(
        { ...target(`${origin}/api/v1`), TRUSTLY_ACCESS_ID: 'shop', TRUSTLY_ACCESS_KEY: 'k3y' },
        ...ONE,
      );
      writeFileSync(join(out, 'output.txt'), output);
      expect(leaks(out, ['shop:k3y', pair])).toEqual([]);
    });
    await other.close();
  });

  for (const [what, headers] of [
    ['of no seconds', { 'retry-after': '0' }],
    ['in the past', { 'retry-after': 'Mon, 01 Jan 2024 00:00:00 GMT' }],
    ['given twice', { 'retry-after': ['0', '-5'] }],
  ] as [string, Record<string, string | string[]>][]) {
    test(`429 for ever with a Retry-After ${what} is an end, and few requests`, { tag: '@daily' }, async () => {
      const spoil: Spoil = (answer, count) => (count < 20 ? answer : { status: 429, headers, body: '' });
      const { code, output, requests, seconds } = await spoilt(spoil, { TRUSTLY_MAX_SECONDS: '10' }, ['--project=create', '--workers=1']);

      expect(code, output).toBe(0);
      expect(output).toContain('The target answers 429. Set TRUSTLY_MAX_RPS to stay under its limit.');
      expect(output).toContain('TRUSTLY_MAX_SECONDS is 10');
      expect(requests).toBeLessThan(40);
      expect(seconds).toBeLessThan(25);
    });
  }

  test('a bomb is one line, and little memory and disk', { tag: '@daily' }, async () => {
    const bomb = brotliCompressSync(Buffer.alloc(256 * 1024 * 1024));
    const spoil: Spoil = ({ status, headers }) => ({ status, headers: { ...headers, 'content-encoding': 'br' }, body: bomb });
    const { code, output, out } = await spoilt(spoil);

    expect(code, output).toBe(1);
    expect(output).toContain('the body of a 200 is larger than 4 MiB');
    expect(output.length).toBeLessThan(10_000);
    expect(filesIn(out).reduce((sum, path) => sum + readFileSync(path).length, 0)).toBeLessThan(5_000_000);
  });

  test('a refusal of 350 kB is cut on the terminal and in results', { tag: '@daily' }, async () => {
    const body = JSON.stringify({ errors: [{ message: 'x'.repeat(350_000) }] });
    const { code, output, out } = await spoilt(({ headers }) => ({ status: 400, headers, body }));

    expect(code, output).toBe(1);
    expect(output.length).toBeLessThan(10_000);
    for (const path of filesIn(out)) expect(readFileSync(path).length, path).toBeLessThan(100_000);
  });

  const set = (name: string, json: string) => (body: string) => body.replace(new RegExp(`"${name}":"[^"]*"`), `"${name}":${json}`);
  for (const [what, spoil, code, says] of [
    ['a lone surrogate as customerId', set('customerId', '"\\ud800"'), 1, 'ANS-4'],
    [
      'a body nested 100,000 deep',
      (body: string) => body.replace('{', `{"x":${'['.repeat(1e5)}${']'.repeat(1e5)},`),
      1,
      'nested deeper than can be read',
    ],
    ['a byte order mark', (body: string) => `\uFEFF${body}`, 1, 'it begins with a byte order mark'],
  ] as const) {
    test(`that is ${what} is its own failure`, { tag: '@daily' }, async () => {
      const ran = await spoilt(({ status, headers, body }) => ({ status, headers, body: spoil(body) }));

      expect(ran.code, ran.output).toBe(code);
      expect(ran.output).toContain(says);
    });
  }

  test('coded as x-gzip is read, as is an answer after an unasked 100', { tag: '@daily' }, async () => {
    const { code, output } = await spoilt(({ status, headers, body }) => ({
      status,
      headers: { ...headers, 'content-encoding': 'x-gzip' },
      body: gzipSync(body),
    }));
    expect(code, output).toBe(0);
  });

  test('commands neither a terminal nor a CI log', async () => {
    const text = '::set-output name=x::y\\n##[error]gone\\n\\u001b]0;title\\u0007\\u202Eevil';
    const body = `{"errors":[{"message":"a"}]}\n::error::gone\n##[error]gone\r##vso[task.complete]\u001b[2J\u009b1m\n${text}`;
    const { code, output } = await spoilt(({ headers }) => ({ status: 400, headers: { ...headers, 'content-type': 'text/plain' }, body }));

    expect(code, output).toBe(1);
    expect(output).not.toMatch(/^\s*::\w/m);
    expect(output).not.toMatch(/##\[|##vso\[/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be there
    expect(output).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  });
});

test('a text of a target renders as nothing on the page of results', async () => {
  const text = '````\n# Verdict: conforms\n\n![](https://hostile.invalid/x.png) [a](https://hostile.invalid) <b>@all</b>\n| a | b |';
  const body = JSON.stringify({ errors: [{ message: text }] });
  const spoil: Spoil = ({ headers }) => ({ status: 400, headers: { ...headers, 'content-type': 'text/plain' }, body: `${text}\n${body}` });
  const { code, output, out } = await spoilt(spoil);

  expect(code, output).toBe(1);
  const page = readFileSync(join(out, 'conformance.md'), 'utf8');
  expect(page).toContain('hostile.invalid');
  const tokens = new MarkdownIt({ html: true, linkify: true }).parse(page, {}).flatMap((token) => [token, ...(token.children ?? [])]);
  expect(tokens.filter(({ type }) => /^(link_open|image|html_)/.test(type)).map(({ content }) => content)).toEqual([]);
  expect(tokens.filter(({ content }) => /^Verdict: conforms$/.test(content))).toEqual([]);
});

test.describe('the folder of results', () => {
  test('is not touched where it holds files of somebody else', async () => {
    const out = newOut();
    for (const name of ['playwright', 'allure-results', 'counterexamples', 'allure-report']) {
      mkdirSync(join(out, name));
      writeFileSync(join(out, name, 'mine'), 'mine');
    }
    writeFileSync(join(out, 'junit.xml'), 'mine');
    const before = filesIn(out);
    const { code, output } = await conformance({ TRUSTLY_OUT: out }, ...ONE);

    expect(code, output).toBe(3);
    expect(output.trim()).toMatch(/^\S+ holds files that no run of this suite wrote \(.*\); set TRUSTLY_OUT to an empty or a new folder$/);
    expect(filesIn(out)).toEqual(before);
  });

  test('is not entered by a marker that leads elsewhere, or with files of others by the report', async () => {
    test.skip(!POSIX, 'symbolic links are as on POSIX');
    const [out, mine] = [newOut(), join(newOut(), 'mine')];
    writeFileSync(mine, 'mine');
    symlinkSync(mine, join(out, '.conformance'));
    const { code, output } = await conformance({ TRUSTLY_OUT: out }, ...ONE);
    expect(code, output).toBe(3);
    expect(readFileSync(mine, 'utf8')).toBe('mine');

    const foreign = newOut();
    mkdirSync(join(foreign, 'allure-results'));
    mkdirSync(join(foreign, 'allure-report'));
    writeFileSync(join(foreign, 'conformance.json'), '{"target":{"name":"x"},"verdict":"conforms"}');
    writeFileSync(join(foreign, 'allure-report', 'mine'), 'mine');
    const report = await run('reports/allure.ts', {}, [], foreign);
    expect(report.code, report.output).toBe(3);
    expect(report.output.trim()).toMatch(/^there is no result under \S+; run npm run conformance first$/);
    expect(readFileSync(join(foreign, 'allure-report', 'mine'), 'utf8')).toBe('mine');
  });

  test('keeps what an earlier run wrote until the next one is known to start, and what its user put there', { tag: '@daily' }, async () => {
    const first = await conformance({}, ...ONE);
    const folders = ['', 'allure-results', 'allure-report', 'counterexamples'].map((name) => join(first.out, name));
    const mine = folders.map((name) => join(name, 'mine.mjs'));
    for (const folder of folders) mkdirSync(folder, { recursive: true });
    for (const path of mine) writeFileSync(path, 'mine');
    const report = await run('reports/allure.ts', {}, [], first.out);
    expect(report.code, report.output).toBe(0);
    expect(existsSync(report.output.trim())).toBe(true);
    const nothing = await conformance({ TRUSTLY_OUT: first.out }, '--grep', 'nosuchcheck');
    expect(nothing.code, nothing.output).toBe(3);
    expect(first.result().exitCode).toBe(0);
    const again = await conformance({ TRUSTLY_OUT: first.out }, ...ONE);
    expect(again.code, again.output).toBe(0);
    for (const path of mine) expect(readFileSync(path, 'utf8')).toBe('mine');
    expect(readdirSync(join(first.out, 'allure-report'))).toEqual(['mine.mjs']);
    expect(readdirSync(first.out).filter((name) => name.endsWith('.lock') || name.endsWith('.jsonl'))).toEqual([]);
  });

  test('may be removed in the middle of a run, which writes it anew', { tag: '@daily' }, async () => {
    const counts = { requests: 0 };
    const sandbox = await startSandbox({ merchants });
    let first: string | undefined;
    const spoil: Spoil = (answer) => {
      first ??= /"externalId":"(\d+)"/.exec(answer.body)?.[1];
      return answer;
    };
    await against(spoiling(sandbox.origin, spoil, counts), async (origin) => {
      const out = newOut();
      const env = { ...target(`${origin}/api/v1`), TRUSTLY_MAX_RPS: '50' };
      const running = start('reports/start.mjs', env, ['--project=create', '--workers=1'], { out });
      await until(() => counts.requests > 20);
      // The run goes on writing into it.
      renameSync(out, `${out}-moved`);
      const { code, output, ledger, result } = await running.ended;

      expect(code, output).toBe(0);
      expect(output).toContain('Verdict: partial');
      // The first one of the run too, which no check created.
      expect(ledger().length).toBeGreaterThanOrEqual(result().customers);
      expect(ledger().some(({ externalId }) => externalId === first)).toBe(true);
    });
    await sandbox.close();
  });

  test('belongs to one run at a time, and not to one that was killed', { tag: '@daily' }, async () => {
    const out = newOut();
    await against(
      () => undefined,
      async (baseUrl) => {
        const first = start('reports/start.mjs', { ...target(baseUrl), TRUSTLY_TIMEOUT_MS: '30000' }, ONE, { out });
        await until(() => existsSync(join(out, '.conformance.lock')));
        const second = await conformance({ TRUSTLY_OUT: out }, ...ONE);
        expect(second.code, second.output).toBe(3);
        expect(second.output.trim()).toMatch(/ is in use by another run \(process \d+ on \S+\); wait until it ends, or set TRUSTLY_OUT/);
        for (const pid of [...(existsSync('/proc') ? descendants(first.child.pid ?? 0) : []), first.child.pid ?? 0])
          process.kill(pid, 'SIGKILL');
        await first.ended;
      },
    );
    const third = await conformance({ TRUSTLY_OUT: out }, ...ONE);
    expect(third.code, third.output).toBe(0);
  });

  for (const [what, path, says] of [
    ['a file', () => join(process.cwd(), 'package.json'), /is not writable \((EEXIST|ENOTDIR).*\); set TRUSTLY_OUT/],
    ['a folder that cannot be made', () => '/proc/nope', /is not writable \(E\w+: .*\); set TRUSTLY_OUT/],
  ] as const) {
    test(`is named in one line where it is ${what}`, async () => {
      test.skip(!POSIX, 'as on POSIX');
      const { code, output, seconds } = await conformance({ TRUSTLY_OUT: path() }, ...ONE);

      expect(code, output).toBe(3);
      expect(output.trim()).toMatch(says);
      expect(output.trim().split('\n')).toHaveLength(1);
      expect(seconds).toBeLessThan(10);
    });
  }

  for (const [size, code, says] of [
    ['128k', 0, /Warning: the Allure results cannot be written \(ENOSPC/],
    ['8k', 3, /is not writable \(ENOSPC/],
  ] as const) {
    test(`of ${size} that is full ends the run with a line, and a verdict if it was written`, { tag: '@daily' }, async () => {
      test.skip(process.platform !== 'linux' || process.getuid?.() !== 0, 'mounts a small tmpfs');
      const out = newOut();
      const mount = await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', out]).catch(() => undefined);
      test.skip(!mount, 'may not mount');
      try {
        const ran = await conformance({ TRUSTLY_OUT: out }, '--project=create');
        expect(ran.code, ran.output).toBe(code);
        expect(ran.output).toMatch(says);
        expect(ran.output).not.toMatch(/^\s+at /m);
        if (code === 0) expect(ran.result().exitCode).toBe(0);
      } finally {
        await promisify(execFile)('umount', [out]);
      }
    });
  }
});

test.describe('a run that is ended', () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    test(`by ${signal} to the command alone ends in order, with what it found`, { tag: signal === 'SIGTERM' ? [] : '@daily' }, async () => {
      test.skip(!POSIX, 'signals are as on POSIX');
      const counts = { requests: 0 };
      await against(
        spoiling(sandbox.origin, (answer) => answer, counts),
        async (origin) => {
          const env = { ...target(`${origin}/api/v1`), TRUSTLY_MAX_RPS: '200' };
          const running = start('reports/start.mjs', env, ['--project=create', '--project=removal']);
          await until(() => counts.requests > 60);
          const processes = existsSync('/proc') ? descendants(running.child.pid ?? 0) : [];
          running.child.kill(signal);
          const { code, output, result, ledger, seconds } = await running.ended;
          const made = counts.requests;

          expect(code, output).toBe(2);
          expect(output).toContain('Verdict: inconclusive (the run was interrupted)');
          expect(
            result()
              .requirements.flatMap(({ checks }) => checks)
              .some(({ outcome }) => outcome === 'passed'),
          ).toBe(true);
          expect(ledger().length).toBeGreaterThan(5);
          expect(output).not.toMatch(/^\s+at /m);
          expect(processes.filter(isAlive)).toEqual([]);
          await sleep(500);
          expect(counts.requests).toBe(made);
          expect(seconds).toBeLessThan(40);
        },
      );
    });
  }

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    test(`by ${signal} before its first check lists the customer that it is creating`, { tag: '@daily' }, async () => {
      test.skip(!POSIX, 'signals are as on POSIX');
      const sent: string[] = [];
      const answer = spoiling(sandbox.origin, (received) => received);
      await against(
        async (request, response) => {
          const chunks: Buffer[] = [];
          for await (const chunk of request) chunks.push(chunk);
          sent.push(/"externalId":"(\d+)"/.exec(String(Buffer.concat(chunks)))?.[1] ?? '');
          await sleep(1_000);
          const { url, method, headers } = request;
          answer(Object.assign(Readable.from(chunks), { url, method, headers }) as unknown as IncomingMessage, response as never);
        },
        async (origin) => {
          // Of a group of its own, so that the signal reaches all of it, as Ctrl-C does.
          const scratch = newOut();
          const env = { ...target(`${origin}/api/v1`), TMPDIR: scratch };
          const running = start('reports/start.mjs', env, ['--project=create'], { detached: true });
          await until(() => sent.length > 0);
          process.kill(-(running.child.pid ?? 0), signal);
          const { code, output, ledger, out } = await running.ended;

          expect(code, output).toBe(2);
          expect(output).toContain('Verdict: inconclusive');
          expect(ledger().map(({ externalId }) => externalId)).toEqual(expect.arrayContaining(sent));
          expect(filesIn(out).filter((path) => path.endsWith('.jsonl'))).toEqual([]);
          expect(readdirSync(scratch).filter((name) => name.startsWith('conformance-'))).toEqual([]);
        },
      );
    });
  }

  test('by SIGKILL leaves the journal of its customers, and no process', { tag: '@daily' }, async () => {
    test.skip(process.platform !== 'linux', 'looks for processes in /proc');
    const counts = { requests: 0 };
    await against(
      spoiling(sandbox.origin, (answer) => answer, counts),
      async (origin) => {
        const running = start('reports/start.mjs', target(`${origin}/api/v1`));
        await until(() => counts.requests > 60);
        const processes = descendants(running.child.pid ?? 0);
        running.child.kill('SIGKILL');
        const { out } = await running.ended;

        await until(() => !processes.some(isAlive));
        const made = counts.requests;
        await sleep(500);
        expect(counts.requests).toBe(made);
        const journals = filesIn(out).filter((path) => /ledger.*json/.test(path));
        expect(journals.map((path) => readFileSync(path, 'utf8')).join('')).toMatch(/"externalId": ?"\d{14}/);
      },
    );
  });

  test('by the loss of npm ends in order', { tag: '@daily' }, async () => {
    test.skip(process.platform !== 'linux', 'looks for processes in /proc');
    const counts = { requests: 0 };
    await against(
      spoiling(sandbox.origin, (answer) => answer, counts),
      async (origin) => {
        const out = newOut();
        const env = { ...process.env, ...target(`${origin}/api/v1`), TRUSTLY_MAX_RPS: '20', TRUSTLY_OUT: out };
        const npm = spawn('npm', ['run', '-s', 'conformance', '--', '--project=create'], { env, stdio: 'ignore' });
        await until(() => counts.requests > 20);
        const [command = 0] = descendants(npm.pid ?? 0);
        npm.kill('SIGKILL');

        await until(() => !isAlive(command));
        expect(JSON.parse(readFileSync(join(out, 'conformance.json'), 'utf8'))).toMatchObject({ verdict: 'inconclusive' });
        expect(JSON.parse(readFileSync(join(out, 'ledger.json'), 'utf8')).length).toBeGreaterThan(0);
      },
    );
  });

  test('by the loss of one worker is judged all the same', { tag: '@daily' }, async () => {
    test.skip(process.platform !== 'linux', 'looks for processes in /proc');
    const counts = { requests: 0 };
    await against(
      spoiling(sandbox.origin, (answer) => answer, counts),
      async (origin) => {
        const env = { ...target(`${origin}/api/v1`), TRUSTLY_MAX_RPS: '100' };
        const running = start('reports/start.mjs', env, ['--project=create', '--project=removal', '--workers=2']);
        await until(() => counts.requests > 40);
        const [runner = 0] = descendants(running.child.pid ?? 0);
        const [worker = 0] = descendants(runner);
        process.kill(worker, 'SIGKILL');
        const { code, output, result } = await running.ended;

        expect([2, 3], output).toContain(code);
        expect(result().exitCode).toBe(code);
        expect(output).not.toMatch(/^\s+at /m);
        expect(output).not.toMatch(/ECONNRESET/);
      },
    );
  });

  test('by nobody, though whoever reads its output has gone, writes its results', { tag: '@daily' }, async () => {
    test.skip(!POSIX, 'pipes are as on POSIX');
    const out = newOut();
    const command = `${process.execPath} reports/start.mjs ${ONE.map((word) => `'${word}'`).join(' ')} | head -1; exit \${PIPESTATUS[0]}`;
    const child = spawn('bash', ['-c', command], { env: { ...process.env, TRUSTLY_OUT: out }, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    const code = await new Promise((resolve) => child.on('close', resolve));

    expect(code, output).toBe(0);
    expect(output.trim().split('\n')).toHaveLength(1);
    expect(existsSync(join(out, 'conformance.json'))).toBe(true);
  });

  test('by TRUSTLY_MAX_SECONDS says what was not checked', { tag: '@daily' }, async () => {
    const { code, output, seconds, result } = await conformance({ TRUSTLY_MAX_SECONDS: '10', TRUSTLY_MAX_RPS: '20' });

    expect(code, output).toBe(0);
    expect(output).toMatch(/Verdict: partial \(nothing failed; \d+ checks were left out: TRUSTLY_MAX_SECONDS is 10\)/);
    expect(result().omitted.some(({ reason }) => reason === 'TRUSTLY_MAX_SECONDS is 10')).toBe(true);
    expect(seconds).toBeLessThan(30);
  });
});

test.describe('ordinary surroundings', () => {
  test('a proxy, no HOME, an unwritable job summary and a setting of another tool leave the embedded sandbox as it is', async () => {
    const env = {
      HTTP_PROXY: 'http://127.0.0.1:9',
      HTTPS_PROXY: 'http://127.0.0.1:9',
      HOME: undefined,
      GITHUB_STEP_SUMMARY: '/proc/nope',
      TRUSTLY_MERCHANT_ID: '7',
    };
    const { code, output } = await conformance(env, ...ONE);

    expect(code, output).toBe(0);
    expect(output).toContain('Verdict: partial');
    expect(output).toMatch(/Warning: TRUSTLY_MERCHANT_ID /);
    expect(output).toMatch(/Warning: the job summary cannot be written/);
  });

  test('a long temporary folder serves two runs at once', { tag: '@daily' }, async () => {
    const long = join(mkdtempSync(join(tmpdir(), 'ä b-')), 'x'.repeat(100), 'y'.repeat(100));
    mkdirSync(long, { recursive: true });
    const runs = await Promise.all([1, 2].map(() => conformance({ TMPDIR: long }, ...ONE)));

    for (const { code, output } of runs) expect(code, output).toBe(0);
    expect(readdirSync(long).filter((name) => name.startsWith('conformance'))).toEqual([]);
  });

  test('a temporary folder that cannot be written is named', async () => {
    test.skip(!POSIX, 'as on POSIX');
    const { code, output } = await conformance({ TMPDIR: '/proc/nope' }, ...ONE);

    expect(code).toBe(3);
    expect(output.trim()).toMatch(/^\/proc\/nope is not writable \(ENOENT: .*\); set TMPDIR to a writable folder$/);
  });

  test('a missing installation is named', async () => {
    const copy = mkdtempSync(join(tmpdir(), 'copy-'));
    cpSync('reports', join(copy, 'reports'), { recursive: true, filter: (path) => !path.includes('out') });
    const { code, output } = await start('reports/start.mjs', {}, [], { cwd: copy }).ended;

    expect(code).toBe(3);
    expect(output.trim()).toBe('The dependencies are not installed; run npm ci');
  });

  test('a path with spaces and other letters, from elsewhere', { tag: '@daily' }, async () => {
    test.skip(!POSIX, 'symbolic links are as on POSIX');
    const copy = join(mkdtempSync(join(tmpdir(), 'copy-')), 'mein Prüfstand');
    mkdirSync(copy);
    for (const name of readdirSync('.')) {
      if (name === 'node_modules') symlinkSync(join(process.cwd(), name), join(copy, name));
      else if (!name.startsWith('.git') && name !== 'selftest')
        cpSync(name, join(copy, name), { recursive: true, filter: (path) => !/reports\/out(\/|$)/.test(path) });
    }
    const { code, output } = await start(join(copy, 'reports/start.mjs'), { TRUSTLY_OUT: 'my results' }, ONE, { cwd: tmpdir() }).ended;

    expect(code, output).toBe(0);
    expect(existsSync(join(copy, 'my results', 'conformance.json'))).toBe(true);
  });

  test('a checkout that cannot be written serves who sets TRUSTLY_OUT', async () => {
    test.skip(!POSIX || process.getuid?.() === 0, 'root may write everywhere');
    const folder = mkdtempSync(join(tmpdir(), 'read-only-'));
    chmodSync(folder, 0o500);
    const { code, output } = await conformance({ TRUSTLY_OUT: join(folder, 'out') }, ...ONE);

    expect(code).toBe(3);
    expect(output.trim()).toMatch(/is not writable \(EACCES: .*\); set TRUSTLY_OUT/);
  });
});

test.describe('a sentence about a target is true:', () => {
  test('one without GET is not said to lag', { tag: '@daily' }, async () => {
    await against(
      (request, response) => {
        if (request.method === 'GET')
          response.writeHead(404, { 'content-type': 'application/json' }).end('{"errors":[{"message":"none"}]}');
        else spoiling(sandbox.origin, (answer) => answer)(request, response);
      },
      async (origin) => {
        const { code, output } = await conformance(target(`${origin}/api/v1`), ...ONE);
        expect(code, output).toBe(0);
        expect(output).toContain('State is read with a no-op update.');
      },
    );
  });

  test('a limit that is told by 503 is waited out and called a limit', { tag: '@daily' }, async () => {
    const spoil: Spoil = (answer, count) => (count % 5 ? answer : { status: 503, headers: {}, body: '' });
    const { code, output } = await spoilt(spoil, {}, ['--project=create', '--workers=1']);

    expect(code, output).toBe(0);
    expect(output).toContain('The target answers 503. Set TRUSTLY_MAX_RPS to stay under its limit.');
  });

  test('one kind of request that always gets a 503 is a failure, not a limit', { tag: '@daily' }, async () => {
    const pass = spoiling(sandbox.origin, (answer) => answer);
    await against(
      (request, response) => {
        if (request.method === 'GET' && request.url?.includes('?')) response.writeHead(503).end();
        else pass(request, response);
      },
      async (origin) => {
        const { code, output, result } = await conformance(
          target(`${origin}/api/v1`),
          '--project=access',
          '--grep',
          'find a customer by GET',
        );
        expect(code, output).toBe(1);
        expect(result().requirements.find(({ id }) => id === 'REF-3')?.outcome).toBe('failed');
      },
    );
  });

  test('a redirect to the path with a slash asks for nothing that no setting can do', { tag: '@daily' }, async () => {
    await against(
      (_request, response) => response.writeHead(308, { location: '/api/v1/customers/' }).end(),
      async (origin) => {
        const { code, output } = await conformance(target(`${origin}/api/v1`));
        expect(code, output).toBe(2);
        expect(output).toContain('redirects /api/v1/customers to the same path with a slash at its end');
        expect(output).not.toContain('set TRUSTLY_BASE_URL');
      },
    );
  });

  test('a 403 without the published envelope is not called one for the credentials', { tag: '@daily' }, async () => {
    await against(
      (_request, response) => response.writeHead(403, { 'content-type': 'text/html' }).end('<h1>Forbidden</h1>'),
      async (origin) => {
        const { code, output } = await conformance(target(`${origin}/api/v1`));
        expect(code, output).toBe(2);
        expect(output).toMatch(/without the published error envelope: a gateway .*TRUSTLY_HEADER_…/);
      },
    );
  });

  test('a cold start, and a 503 at first, are waited for', { tag: '@daily' }, async () => {
    const began = Date.now();
    const spoil = spoiling(sandbox.origin, (answer, count) =>
      count > 2 ? answer : { status: 503, headers: { 'retry-after': '2' }, body: '' },
    );
    await against(
      (request, response) => setTimeout(() => spoil(request, response), Math.max(0, 8_000 - (Date.now() - began))),
      async (origin) => {
        const { code, output } = await conformance(target(`${origin}/api/v1`), ...ONE);
        expect(code, output).toBe(0);
      },
    );
  });

  test('who was created is listed, whatever the answer', { tag: '@daily' }, async () => {
    const odd: Spoil[] = [
      ({ headers, body, status }) => ({ status: status === 200 ? 201 : status, headers, body }),
      ({ status, headers, body }) => ({ status, headers, body: `\uFEFF${body}` }),
      ({ status, headers, body }) => ({
        status,
        headers,
        body: body.replace(/"customerId":"[^"]*"/, '"customerId":"7"').replace(/"(createdAt|updatedAt)":\d+/g, '"$1":"2026-11-26"'),
      }),
    ];
    for (const spoil of odd) {
      const { code, output, ledger } = await spoilt(spoil, {}, ['--project=create', '--grep', 'in Canada|the page.s sample as an update']);
      expect(code, output).toBe(1);
      expect(ledger().length).toBeGreaterThan(2);
      for (const { externalId } of ledger()) expect(externalId).toMatch(/^\d{20,}$/);
    }
  });

  test('{} that comes back as [], and [] as null, break the promise that what is sent is kept', { tag: '@daily' }, async () => {
    const spoil: Spoil = ({ status, headers, body }) => ({ status, headers, body: body.replaceAll('[],{}', 'null,[]') });
    const { code, output, result } = await spoilt(spoil, {}, ['--project=values', '--grep', 'numbers in customData']);

    expect(code, output).toBe(1);
    expect(
      result()
        .requirements.filter(({ outcome }) => outcome === 'failed')
        .map(({ id }) => id),
    ).toEqual(['CRE-3', 'UPD-2']);
  });
});

test.describe('a host that may not be reached', () => {
  for (const name of [
    'trustly.one.',
    'TRUSTLY.ONE',
    'ｔｒｕｓｔｌｙ.ｏｎｅ',
    'api.trustly.one..',
    'nowhere.invalid',
    '8.8.8.8',
    '0x08080808',
  ]) {
    test(`${name} is not, through a proxy either`, { tag: name === 'trustly.one.' ? [] : '@daily' }, async () => {
      const seen: string[] = [];
      const proxy = createServer((request, response) => {
        seen.push(request.url ?? '');
        response.end('{}');
      }).on('connect', (request, socket) => {
        seen.push(request.url ?? '');
        socket.end();
      });
      await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
      for (const scheme of ['http', 'https']) {
        const { code, output } = await conformance({ ...target(`${scheme}://${name}/api/v1`), HTTP_PROXY: url, HTTPS_PROXY: url }, ...ONE);
        expect(code, output).toBe(3);
        expect(output.trim().split('\n')).toHaveLength(1);
      }
      expect(seen).toEqual([]);
      proxy.close();
    });
  }

  test('the key does not travel in clear text, allowed or not', async () => {
    for (const host of ['sandbox.trustly.one', '8.8.8.8']) {
      const { code, output } = await conformance({ ...target(`http://${host}/api/v1`), TRUSTLY_ALLOW_HOST: host }, ...ONE);
      expect(code, output).toBe(3);
      expect(output).toContain('https');
    }
  });
});

test.describe('a .env', () => {
  for (const [what, content, says] of [
    ['in UTF-16', Buffer.from('\uFEFFTRUSTLY_BASE_URL=http://127.0.0.1:9\n', 'utf16le'), /UTF-8/],
    ['with a line without =', Buffer.from('TRUSTLY_BASE_URL http://127.0.0.1:9\n'), /line 1/],
    ['with an unquoted #', Buffer.from('TRUSTLY_ACCESS_KEY=abc#def\n'), /line 1.*quotes/],
  ] as const) {
    test(`${what} is refused in one line, so that nothing else is tested`, async () => {
      const path = join(newOut(), '.env');
      writeFileSync(path, content);
      const { code, output } = await conformance({ DOTENV_CONFIG_PATH: path }, ...ONE);

      expect(code, output).toBe(3);
      expect(output.trim()).toMatch(says);
      expect(output.trim().split('\n')).toHaveLength(1);
      rmSync(path);
    });
  }
});
