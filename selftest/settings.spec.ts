import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { dotenvExample, settingsTable } from '../target/manual.ts';
import { assertHostAllowed, readSettings, SettingsError, variables } from '../target/settings.ts';

const target = { TRUSTLY_BASE_URL: 'http://127.0.0.1:4010/api/v1', TRUSTLY_ACCESS_ID: 'id', TRUSTLY_ACCESS_KEY: 'key' };
const folder = mkdtempSync(join(tmpdir(), 'settings-'));

function file(content: string): string {
  const path = join(folder, `${Math.random()}.json`);
  writeFileSync(path, content);
  return path;
}

test.describe('settings', () => {
  test('without any the target is the embedded sandbox', () => {
    expect(readSettings({})).toEqual({
      targetName: 'embedded sandbox',
      overrides: {},
      seed: undefined,
      timeout: 10_000,
      depth: 'standard',
      limits: { concurrency: 8 },
      strict: false,
      out: 'reports/out',
    });
  });

  test("the target's path is kept, a last slash makes no difference", () => {
    expect(readSettings({ ...target, TRUSTLY_BASE_URL: 'https://Example.com/a/b//' }).baseUrl).toBe('https://example.com/a/b');
  });

  const wrong: [string, NodeJS.ProcessEnv, RegExp][] = [
    ['a misspelt name', { TRUSTLY_BASEURL: 'x' }, /^TRUSTLY_BASEURL is no setting; did you mean TRUSTLY_BASE_URL\?$/],
    ['an empty key', { ...target, TRUSTLY_ACCESS_KEY: '' }, /^TRUSTLY_ACCESS_KEY is empty/],
    ['a blank seed', { TRUSTLY_SEED: ' ' }, /^TRUSTLY_SEED is empty/],
    ['a setting to come', { TRUSTLY_WAIVERS: 'waivers.yaml' }, /^TRUSTLY_WAIVERS is not available in this version/],
    ['an unknown depth', { TRUSTLY_DEPTH: 'full' }, /^TRUSTLY_DEPTH is “full”; write quick, standard or deep$/],
    ['no request in flight', { TRUSTLY_CONCURRENCY: '0' }, /^TRUSTLY_CONCURRENCY is “0”; write an integer from 1 to 64$/],
    ['too few requests', { TRUSTLY_MAX_REQUESTS: '5' }, /^TRUSTLY_MAX_REQUESTS is “5”; write an integer from 100/],
    ['a fraction of a request a second', { TRUSTLY_MAX_RPS: '0.5' }, /^TRUSTLY_MAX_RPS is “0.5”; write an integer from 1/],
    ['a replay that is none', { TRUSTLY_REPLAY: '12' }, /^TRUSTLY_REPLAY is none that a failure's report gives; copy it from there/],
    [
      'a target without credentials',
      { TRUSTLY_BASE_URL: 'http://localhost' },
      /^TRUSTLY_BASE_URL needs TRUSTLY_ACCESS_ID and TRUSTLY_ACCESS_KEY/,
    ],
    ['credentials without a target', { TRUSTLY_ACCESS_ID: 'a', TRUSTLY_ACCESS_KEY: 'b' }, /^TRUSTLY_BASE_URL is missing/],
    ['half a pair', { ...target, TRUSTLY_OTHER_ACCESS_ID: 'a' }, /^TRUSTLY_OTHER_ACCESS_KEY is missing beside TRUSTLY_OTHER_ACCESS_ID/],
    [
      'one merchant twice',
      { ...target, TRUSTLY_OTHER_ACCESS_ID: 'id', TRUSTLY_OTHER_ACCESS_KEY: 'x' },
      /^TRUSTLY_OTHER_ACCESS_ID names the same merchant/,
    ],
    ['a colon in an id', { ...target, TRUSTLY_ACCESS_ID: 'a:b' }, /^TRUSTLY_ACCESS_ID contains a colon/],
    ['a line feed in a key', { ...target, TRUSTLY_ACCESS_KEY: 'a\nb' }, /^TRUSTLY_ACCESS_KEY contains a control character/],
    ['no URL', { ...target, TRUSTLY_BASE_URL: 'sandbox' }, /^TRUSTLY_BASE_URL is no http or https URL/],
    ['another scheme', { ...target, TRUSTLY_BASE_URL: 'ftp://localhost' }, /^TRUSTLY_BASE_URL is no http or https URL/],
    ['user-info', { ...target, TRUSTLY_BASE_URL: 'http://a:secret@localhost' }, /^TRUSTLY_BASE_URL holds user-info/],
    ['a query', { ...target, TRUSTLY_BASE_URL: 'http://localhost/?a=1' }, /^TRUSTLY_BASE_URL holds a query/],
    ['a seed that is none', { TRUSTLY_SEED: 'abc' }, /^TRUSTLY_SEED is “abc”; write an integer from 0 to 4294967295$/],
    ['a time-out of nothing', { TRUSTLY_TIMEOUT_MS: '0' }, /^TRUSTLY_TIMEOUT_MS is “0”; write an integer from 1/],
    ['strict as yes', { TRUSTLY_STRICT: 'yes' }, /^TRUSTLY_STRICT is “yes”; write true or false$/],
    [
      'a customer file that is not there',
      { TRUSTLY_CUSTOMER_FILE: 'nowhere.json' },
      /^TRUSTLY_CUSTOMER_FILE nowhere.json cannot be read \(ENOENT\)/,
    ],
    ['a customer file that is no JSON', { TRUSTLY_CUSTOMER_FILE: file('{') }, /is not JSON/],
    ['a customer file without object', { TRUSTLY_CUSTOMER_FILE: file('[]') }, /holds no object/],
    ['a misspelt property', { TRUSTLY_CUSTOMER_FILE: file('{"curency":"USD"}') }, /has curency; did you mean currency\?$/],
    [
      'a property of the wrong type',
      { TRUSTLY_CUSTOMER_FILE: file('{"currency":1}') },
      /is no part of a customer: \/currency must be string/,
    ],
    [
      'an e-mail for everybody',
      { TRUSTLY_CUSTOMER_FILE: file('{"email":"a@b.c"}') },
      /sets email, which each customer must have for itself/,
    ],
    ['null for everybody', { TRUSTLY_CUSTOMER_FILE: file('{"vip":null}') }, /sets vip to null/],
  ];
  for (const [what, env, message] of wrong) {
    test(`refuses ${what} in one line`, () => {
      expect(() => readSettings(env)).toThrow(SettingsError);
      expect(() => readSettings(env)).toThrow(message);
      expect(() => readSettings(env)).not.toThrow(/\n|secret/);
    });
  }

  test('a customer file overrides', () => {
    expect(readSettings({ TRUSTLY_CUSTOMER_FILE: file('{"currency":"USD"}') }).overrides).toEqual({ currency: 'USD' });
  });
});

test.describe('hosts', () => {
  const check = (url: string, allowHost?: string) =>
    assertHostAllowed(readSettings({ ...target, TRUSTLY_BASE_URL: url, ...(allowHost && { TRUSTLY_ALLOW_HOST: allowHost }) }));

  for (const url of [
    'http://127.0.0.1:1',
    'http://localhost',
    'http://[::1]:80/x',
    'http://10.1.2.3',
    'http://192.168.0.1',
    'http://172.31.0.1',
    'https://sandbox.trustly.one/api/v1',
  ]) {
    test(`${url} is allowed`, async () => {
      await check(url);
    });
  }

  for (const url of ['https://trustly.one/api/v1', 'https://api.trustly.one', 'https://x.paywithmybank.com']) {
    test(`${url} is production`, async () => {
      await expect(check(url)).rejects.toThrow(/^TRUSTLY_BASE_URL names a host of production.*TRUSTLY_ALLOW_HOST=/);
    });
  }

  test('a public address is refused, and allowed by name', async () => {
    await expect(check('http://172.32.0.1')).rejects.toThrow(/^TRUSTLY_BASE_URL names a public host, 172.32.0.1/);
    await check('http://172.32.0.1', '172.32.0.1');
    await check('https://trustly.one', 'trustly.one');
    await expect(check('https://trustly.one', 'api.trustly.one')).rejects.toThrow(/production/);
  });
});

test.describe('the manual', () => {
  test('the README has the table of settings', () => {
    expect(readFileSync(new URL('../README.md', import.meta.url), 'utf8')).toContain(settingsTable());
  });

  test('.env.example names every setting', () => {
    expect(readFileSync(new URL('../.env.example', import.meta.url), 'utf8')).toBe(dotenvExample());
    for (const { name, planned } of variables) expect(dotenvExample().includes(`${name}=`), name).toBe(!planned);
  });
});
