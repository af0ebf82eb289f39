import { execFileSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import type { LookupAddress } from 'node:dns';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { parse } from 'dotenv';
import fc from 'fast-check';
import { guardedLookup, isExempt, isLoopback, isNear, type LookupAll, normalizeHost, proxyFor } from '../target/hosts.ts';
import { dotenvExample, settingsTable } from '../target/manual.ts';
import { assertHostAllowed, environment, readSettings, SettingsError, variables } from '../target/settings.ts';

const target = { TRUSTLY_BASE_URL: 'http://127.0.0.1:4010/api/v1', TRUSTLY_ACCESS_ID: 'id', TRUSTLY_ACCESS_KEY: 'key' };
const secure = { ...target, TRUSTLY_BASE_URL: 'https://sandbox.trustly.one/api/v1' };
const folder = mkdtempSync(join(tmpdir(), 'settings-'));

function file(content: string | Buffer): string {
  const path = join(folder, `${Math.random()}.txt`);
  writeFileSync(path, content);
  return path;
}

function fifo(): string {
  const path = join(folder, `${Math.random()}`);
  execFileSync('mkfifo', [path]);
  return path;
}

/** A certificate for a key of P-256, made with `openssl req -x509`, and that key. */
const CERT = `-----BEGIN CERTIFICATE-----
MIIBeTCCAR+gAwIBAgIUdALoAL0ixgGMSOo/RncOOClWvXYwCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGY2xpZW50MCAXDTI2MTEyNTIzNDU1NVoYDzIxMjYxMTAxMjM0
NTU1WjARMQ8wDQYDVQQDDAZjbGllbnQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AAR1h66guk3KWQXyrGxJR7Y5e4DOg/jQXHFeaX5vdz+8GKyKMYOCI2MLahv9wJwT
8uiGTRlnT6E+iOwBeRdCu3jjo1MwUTAdBgNVHQ4EFgQUFm4S9PdjjSc0YHeIKYPr
URsERQwwHwYDVR0jBBgwFoAUFm4S9PdjjSc0YHeIKYPrURsERQwwDwYDVR0TAQH/
BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiB+DMrAVaF7uesV3AtlGvhkcb0iAn2C
AUmaeAhPqJKEyQIhAMhMcx2AdhzA1ynNOglEqA/8uU9Sce/5jOI6OctuZGuj
-----END CERTIFICATE-----
`;
const privateKey = createPrivateKey({
  format: 'jwk',
  key: {
    kty: 'EC',
    crv: 'P-256',
    x: 'dYeuoLpNylkF8qxsSUe2OXuAzoP40FxxXml-b3c_vBg',
    y: 'rIoxg4IjYwtqG_3AnBPy6IZNGWdPoT6I7AF5F0K7eOM',
    d: 'P4ACVtaH3yDJhM_Uh8zSORbyQS9A3V57JeS4ofUHIuc',
  },
});
const KEY = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const encrypted = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const;
const ENCRYPTED = privateKey.export(encrypted).toString();
const STRANGE_KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const pair = (cert: string | Buffer, key: string | Buffer) => ({ TRUSTLY_CLIENT_CERT: file(cert), TRUSTLY_CLIENT_KEY: file(key) });
const nested = (levels: number) => `{"customData":${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}}`;
const customer = (content: string | Buffer) => ({ TRUSTLY_CUSTOMER_FILE: file(content) });
const url = (value: string) => ({ ...target, TRUSTLY_BASE_URL: value });
const header = (name: string, value: string) => ({ ...target, [`TRUSTLY_HEADER_${name}`]: value });

test.describe('settings', () => {
  test('without any the target is the embedded sandbox', () => {
    expect(readSettings({})).toEqual({
      targetName: 'embedded sandbox',
      overrides: {},
      seed: undefined,
      timeout: 10_000,
      depth: 'standard',
      limits: { concurrency: 8 },
      headers: [],
      strict: false,
      out: 'reports/out',
      warnings: [],
    });
  });

  test("the target's path is kept, a last slash makes no difference", () => {
    expect(readSettings(url('https://Example.com/a/b//')).baseUrl).toBe('https://example.com/a/b');
  });

  const wrong: [string, NodeJS.ProcessEnv, RegExp][] = [
    ['a misspelt name', { TRUSTLY_BASEURL: 'x' }, /^TRUSTLY_BASEURL is not a setting; did you mean TRUSTLY_BASE_URL\?$/],
    ['a part of a name', { TRUSTLY_URL: 'x' }, /^TRUSTLY_URL is not a setting; did you mean TRUSTLY_BASE_URL\?$/],
    ['two words of a name', { TRUSTLY_KEY_ACCESS: 'x' }, /^TRUSTLY_KEY_ACCESS is not a setting; did you mean TRUSTLY_ACCESS_KEY\?$/],
    ['a misspelt name in lower case', { trustly_sede: '1' }, /^trustly_sede is not a setting; did you mean TRUSTLY_SEED\?$/],
    ['a name in lower case', { trustly_base_url: 'x' }, /^trustly_base_url is not a setting; write TRUSTLY_BASE_URL$/],
    ['a name in mixed case', { Trustly_Seed: '1' }, /^Trustly_Seed is not a setting; write TRUSTLY_SEED$/],
    ['a name with other separators', { 'TRUSTLY.BASE-URL': 'x' }, /^TRUSTLY\.BASE-URL is not a setting; write TRUSTLY_BASE_URL$/],
    ['a header in lower case', { TRUSTLY_HEADER_x_key: '1' }, /^TRUSTLY_HEADER_x_key is not a setting; write TRUSTLY_HEADER_X_KEY$/],
    ['a header without name', { TRUSTLY_HEADER_: '1' }, /^TRUSTLY_HEADER_ is not a setting; did you mean TRUSTLY_HEADER_<NAME>\?$/],
    ['a header in the plural', { TRUSTLY_HEADERS_X: '1' }, /^TRUSTLY_HEADERS_X is not a setting; did you mean TRUSTLY_HEADER_<NAME>\?$/],
    ['a name of two lines', { 'TRUSTLY_BASE\n_URL': 'x' }, /^TRUSTLY_BASE _URL is not a setting; did you mean TRUSTLY_BASE_URL\?$/],
    ['an empty key', { ...target, TRUSTLY_ACCESS_KEY: '' }, /^TRUSTLY_ACCESS_KEY is empty; give it a value or remove it$/],
    ['a blank seed', { TRUSTLY_SEED: ' ' }, /^TRUSTLY_SEED is empty/],
    ['an empty header', header('X', ''), /^TRUSTLY_HEADER_X is empty/],

    ['an unknown depth', { TRUSTLY_DEPTH: 'full' }, /^TRUSTLY_DEPTH is “full”; write quick, standard or deep$/],
    ['a depth in capitals', { TRUSTLY_DEPTH: 'QUICK' }, /^TRUSTLY_DEPTH is “QUICK”; write/],
    ['no request in flight', { TRUSTLY_CONCURRENCY: '0' }, /^TRUSTLY_CONCURRENCY is “0”; write an integer from 1 to 64, in digits$/],
    ['too few requests', { TRUSTLY_MAX_REQUESTS: '5' }, /^TRUSTLY_MAX_REQUESTS is “5”; write an integer from 100/],
    ['a fraction of a request a second', { TRUSTLY_MAX_RPS: '0.5' }, /^TRUSTLY_MAX_RPS is “0.5”; write an integer from 1/],
    ['a run that is too short', { TRUSTLY_MAX_SECONDS: '9' }, /^TRUSTLY_MAX_SECONDS is “9”; write an integer from 10 to 86400, in digits$/],
    ['a run of more than a day', { TRUSTLY_MAX_SECONDS: '86401' }, /^TRUSTLY_MAX_SECONDS is “86401”; write/],
    ...[
      'abc',
      '１０',
      '٤٢',
      '1e3',
      '+5',
      '-5',
      '-0',
      ' 42 ',
      '0x10',
      '0b1',
      '1_000',
      '1,000',
      '4.0',
      '9'.repeat(20),
      'Infinity',
      '42\n',
      '5n',
    ].map((seed): [string, NodeJS.ProcessEnv, RegExp] => [
      `the seed ${JSON.stringify(seed)}`,
      { TRUSTLY_SEED: seed },
      /^TRUSTLY_SEED is “[^\n]+”; write an integer from 0 to 4294967295, in digits$/,
    ]),
    ...['yes', 'TRUE', 'True', '1', '0', 'on', ' true', 'ｔｒｕｅ'].map((strict): [string, NodeJS.ProcessEnv, RegExp] => [
      `strict as “${strict}”`,
      { TRUSTLY_STRICT: strict },
      /^TRUSTLY_STRICT is “.+”; write true or false$/,
    ]),
    ['a time-out of nothing', { TRUSTLY_TIMEOUT_MS: '0' }, /^TRUSTLY_TIMEOUT_MS is “0”; write an integer from 1/],
    ['a replay that is none', { TRUSTLY_REPLAY: '12' }, /^TRUSTLY_REPLAY is not a valid replay value; copy it from a failure report/],
    ['a replay of two lines', { TRUSTLY_REPLAY: '1;2:0;;a\nb' }, /^TRUSTLY_REPLAY is not a valid replay value/],
    ['a target name of two lines', { TRUSTLY_TARGET_NAME: 'a\nb' }, /^TRUSTLY_TARGET_NAME contains a control character/],
    ['a target name with an escape', { TRUSTLY_TARGET_NAME: 'a\u001b[2J' }, /^TRUSTLY_TARGET_NAME contains a control character/],
    ['a target name from right to left', { TRUSTLY_TARGET_NAME: 'a\u202eb' }, /^TRUSTLY_TARGET_NAME contains a control character/],
    ['a target name with a line separator', { TRUSTLY_TARGET_NAME: 'a\u2028b' }, /^TRUSTLY_TARGET_NAME contains a control character/],
    ['a long target name', { TRUSTLY_TARGET_NAME: 'a'.repeat(101) }, /^TRUSTLY_TARGET_NAME is longer than 100 characters/],
    ['a folder with NUL', { TRUSTLY_OUT: 'a\0b' }, /^TRUSTLY_OUT contains a control character/],
    ['a folder with a line feed', { TRUSTLY_OUT: 'a\nb' }, /^TRUSTLY_OUT contains a control character/],
    ['a folder that a shell did not expand', { TRUSTLY_OUT: '~/out' }, /^TRUSTLY_OUT begins with ~/],

    [
      'a target without credentials',
      { TRUSTLY_BASE_URL: 'http://localhost' },
      /^TRUSTLY_BASE_URL requires TRUSTLY_ACCESS_ID and TRUSTLY_ACCESS_KEY/,
    ],
    [
      'credentials without a target',
      { TRUSTLY_ACCESS_ID: 'a', TRUSTLY_ACCESS_KEY: 'b' },
      /^TRUSTLY_BASE_URL is not set, but credentials are/,
    ],
    ['half a pair', { ...target, TRUSTLY_OTHER_ACCESS_ID: 'a' }, /^TRUSTLY_OTHER_ACCESS_KEY is not set, but TRUSTLY_OTHER_ACCESS_ID is/],
    [
      'one merchant twice',
      { ...target, TRUSTLY_OTHER_ACCESS_ID: 'id', TRUSTLY_OTHER_ACCESS_KEY: 'x' },
      /^TRUSTLY_OTHER_ACCESS_ID names the same merchant/,
    ],
    ['a colon in an id', { ...target, TRUSTLY_ACCESS_ID: 'a:b' }, /^TRUSTLY_ACCESS_ID contains a colon/],
    ['a line feed in a key', { ...target, TRUSTLY_ACCESS_KEY: 'a\nsecret' }, /^TRUSTLY_ACCESS_KEY contains a control character/],
    ['a long key', { ...target, TRUSTLY_ACCESS_KEY: 'secret'.repeat(167) }, /^TRUSTLY_ACCESS_KEY is longer than 1,000 characters/],
    ['a long id', { ...target, TRUSTLY_ACCESS_ID: 'a'.repeat(1001) }, /^TRUSTLY_ACCESS_ID is longer than 1,000 characters/],

    ...(
      [
        ['sandbox', 'is not an http or https URL'],
        ['ftp://localhost/secret', 'is not an http or https URL'],
        ['"http://localhost"', 'is not an http or https URL'],
        ['http:/localhost', 'is not an http or https URL'],
        ['http:localhost', 'is not an http or https URL'],
        ['http:///localhost', 'is not an http or https URL'],
        ['http://', 'is not an http or https URL'],
        ['http://?secret', 'is not an http or https URL'],
        ['http://localhost:99999', 'is not an http or https URL'],
        ['http://localhost:8o', 'is not an http or https URL'],
        ['http://<host>/api', 'is not an http or https URL'],
        ['http://[fe80::1%25eth0]/', 'is not an http or https URL'],
        ['http://a:secret@localhost', 'contains user-info'],
        ['http://@localhost', 'contains user-info'],
        ['http://:@localhost', 'contains user-info'],
        ['http://localhost/?a=secret', 'contains a query or a fragment'],
        ['http://localhost/?', 'contains a query or a fragment'],
        ['http://localhost/#', 'contains a query or a fragment'],
        [' http://localhost', 'contains white space'],
        ['http://localhost ', 'contains white space'],
        ['http://local host', 'contains white space'],
        ['http://localhost/a b', 'contains white space'],
        ['http://local\thost/', 'contains white space'],
        ['http://localhost/\nsecret', 'contains white space'],
        ['http://local\u200bhost', 'contains white space'],
        ['http://local\u00adhost', 'contains white space'],
        ['http://localhost/\u007f', 'contains white space'],
        ['http:\\\\localhost', 'contains a backslash'],
        ['http://localhost\\api', 'contains a backslash'],
        ['http://localhost/api/customers', 'ends in /customers, which the suite adds itself: leave it out'],
        ['http://localhost/customers//', 'ends in /customers'],
        ['http://localhost/api/./v1', 'contains a path segment'],
        ['http://localhost/api/../v1', 'contains a path segment'],
        ['http://localhost/api/%2E%2e', 'contains a path segment'],
        ['http://localhost/.%2e/', 'contains a path segment'],
        [`http://localhost/${'secret'.repeat(400)}`, 'is longer than 2,000 characters'],
      ] as const
    ).map(([value, fault]): [string, NodeJS.ProcessEnv, RegExp] => [
      `the URL ${JSON.stringify(value).slice(0, 60)}`,
      url(value),
      new RegExp(`^TRUSTLY_BASE_URL ${fault}.*; write it like https://sandbox\\.trustly\\.one/api/v1$`),
    ]),

    ...[
      'https://gateway.example.com',
      'gateway.example.com/api',
      'gateway.example.com:http',
      'gateway.example.com:',
      'gateway.example.com:99999',
      'a.example.com,b.example.com',
      '*.example.com',
      'gateway example.com',
      'user@gateway.example.com',
      'gateway.example.com?a',
      'gateway..example.com',
      '.example.com',
      '[::1',
      '::1]:80',
      '-a.example.com',
      'a\nb',
    ].map((host): [string, NodeJS.ProcessEnv, RegExp] => [
      `the allowed host ${JSON.stringify(host)}`,
      { TRUSTLY_ALLOW_HOST: host },
      /^TRUSTLY_ALLOW_HOST is not a host; write one host name, like gateway\.example\.com$/,
    ]),

    ['a customer file that is not there', { TRUSTLY_CUSTOMER_FILE: 'no.json' }, /^TRUSTLY_CUSTOMER_FILE no.json cannot be read \(ENOENT\)/],
    ['a customer file that is a folder', { TRUSTLY_CUSTOMER_FILE: folder }, /^TRUSTLY_CUSTOMER_FILE \S+ is a directory; name a file$/],
    ['a customer file that is a FIFO', { TRUSTLY_CUSTOMER_FILE: fifo() }, /^TRUSTLY_CUSTOMER_FILE \S+ is not a regular file; name one$/],
    ['a customer file that is a device', { TRUSTLY_CUSTOMER_FILE: '/dev/zero' }, /^TRUSTLY_CUSTOMER_FILE \S+ is not a regular file/],
    ['a customer file with NUL in its name', { TRUSTLY_CUSTOMER_FILE: 'a\0\nb' }, /^TRUSTLY_CUSTOMER_FILE a\\u0000 b cannot be read/],
    ['a customer file that is too large', customer(' '.repeat(2 ** 20 + 1)), /is larger than 1024 KiB; name a smaller file$/],
    ['a customer file in UTF-16', customer(Buffer.from('\ufeff{}', 'utf16le')), /is UTF-16 text; save it as UTF-8$/],
    ['a customer file in UTF-16 without mark', customer(Buffer.from('{}', 'utf16le')), /contains NUL bytes; save it as UTF-8 text$/],
    ['a customer file in ISO 8859-1', customer(Buffer.from('{"name":"é"}', 'latin1')), /is not valid UTF-8; save it as UTF-8 text$/],
    ['a customer file that is no JSON', customer('{'), /is not JSON; write an object such as \{"currency":"USD"\}$/],
    ['an empty customer file', customer(''), /is not JSON/],
    ['a customer file without object', customer('[]'), /does not hold an object/],
    ['a misspelt property', customer('{"curency":"USD"}'), /has curency; did you mean currency\?$/],
    [
      'an unknown property',
      customer('{"favouriteColour":"red"}'),
      /has favouriteColour, which is not a property of a customer; remove it$/,
    ],
    ['a property of two lines', customer('{"favourite\\ncolour":"red"}'), /has favourite colour, which is not a property/],
    ['a property of the wrong type', customer('{"currency":1}'), /is not part of a customer: \/currency must be string; correct it$/],
    [
      'a nested property of the wrong type',
      customer('{"address":{"country":"US","city":[]}}'),
      /is not part of a customer: \/address\/city must be string/,
    ],
    ['an e-mail for everybody', customer('{"email":"a@b.c"}'), /sets email, which differs for each customer/],
    ['null for everybody', customer('{"vip":null}'), /sets vip to null/],
    ['__proto__ as a property', customer('{"__proto__":{"currency":"USD"}}'), /has a property __proto__, which is reserved/],
    ['__proto__ within a property', customer('{"customData":{"a":[{"__proto__":1}]}}'), /has a property __proto__, which is reserved/],
    ['constructor as a property', customer('{"constructor":{}}'), /has a property constructor, which is reserved/],
    ['a customer nested too deeply', customer(nested(20)), /is nested deeper than 20 levels/],
    ['a customer nested very deeply', customer(nested(100_000)), /is nested deeper than 20 levels/],
    [
      'lists nested very deeply',
      customer(`{"customData":${'['.repeat(200_000)}${']'.repeat(200_000)}}`),
      /is nested deeper than 20 levels/,
    ],

    ...[
      ['AUTHORIZATION', 'HOST', 'CONTENT_TYPE', 'CONTENT_LENGTH', 'CONTENT_ENCODING', 'ACCEPT', 'ACCEPT_ENCODING', 'CONNECTION'],
      ['TRANSFER_ENCODING', 'EXPECT', 'USER_AGENT', 'UPGRADE', 'TE', 'TRAILER', 'KEEP_ALIVE', 'PROXY_AUTHORIZATION', 'PROXY_X'],
    ]
      .flat()
      .map((name): [string, NodeJS.ProcessEnv, RegExp] => [
        `the header ${name}`,
        header(name, 'secret'),
        new RegExp(`^TRUSTLY_HEADER_${name} sets [A-Za-z-]+, a header that the suite sets itself; remove it$`),
      ]),
    ['a header of two lines', header('X', 'a\r\nHost: secret'), /^TRUSTLY_HEADER_X contains a character that a header cannot carry/],
    ['a header with a tab', header('X', 'a\tsecret'), /^TRUSTLY_HEADER_X contains a character that a header cannot carry/],
    ['a header with C1', header('X', 'a\u0085b'), /^TRUSTLY_HEADER_X contains a character that a header cannot carry/],
    ['a header beyond ISO 8859-1', header('X', 'secret€'), /^TRUSTLY_HEADER_X contains a character that a header cannot carry/],
    ['a long header', header('X', 'secret'.repeat(667)), /^TRUSTLY_HEADER_X is longer than 4,000 characters/],
    [
      'a header without a target',
      { TRUSTLY_HEADER_X: 'secret' },
      /^TRUSTLY_BASE_URL is not set, but TRUSTLY_HEADER_X is; set TRUSTLY_BASE_URL/,
    ],

    [
      'a certificate without key',
      { ...secure, TRUSTLY_CLIENT_CERT: file(CERT) },
      /^TRUSTLY_CLIENT_KEY is not set, but TRUSTLY_CLIENT_CERT is/,
    ],
    [
      'a key without certificate',
      { ...secure, TRUSTLY_CLIENT_KEY: file(KEY) },
      /^TRUSTLY_CLIENT_CERT is not set, but TRUSTLY_CLIENT_KEY is/,
    ],
    [
      'a certificate for http',
      { ...target, ...pair(CERT, KEY) },
      /^TRUSTLY_CLIENT_CERT requires a TRUSTLY_BASE_URL that begins with https/,
    ],
    ['a certificate for nobody', pair(CERT, KEY), /^TRUSTLY_CLIENT_CERT requires a TRUSTLY_BASE_URL that begins with https/],
    [
      'a certificate that is none',
      { ...secure, ...pair('secret', KEY) },
      /^TRUSTLY_CLIENT_CERT \S+ is not a certificate in PEM; name one$/,
    ],
    [
      'a certificate in DER',
      { ...secure, ...pair(Buffer.from(CERT.slice(28, -27), 'base64'), KEY) },
      /^TRUSTLY_CLIENT_CERT \S+ (contains NUL|is not)/,
    ],
    ['a key that is none', { ...secure, ...pair(CERT, 'secret') }, /^TRUSTLY_CLIENT_KEY \S+ is not a private key in PEM; name one$/],
    ['a certificate as key', { ...secure, ...pair(CERT, CERT) }, /^TRUSTLY_CLIENT_KEY \S+ is not a private key in PEM; name one$/],
    ['a key that is encrypted', { ...secure, ...pair(CERT, ENCRYPTED) }, /^TRUSTLY_CLIENT_KEY \S+ is encrypted; decrypt it with openssl/],
    [
      'a key in the base URL',
      { ...target, TRUSTLY_BASE_URL: 'http://127.0.0.1/the-%73ecret/v1', TRUSTLY_ACCESS_KEY: 'the-secret' },
      /^TRUSTLY_BASE_URL contains TRUSTLY_ACCESS_KEY, and every result shows TRUSTLY_BASE_URL; remove the key from it$/,
    ],
    [
      'the key of the other merchant in the name of the target',
      { ...target, TRUSTLY_TARGET_NAME: 'the secret-key', TRUSTLY_OTHER_ACCESS_ID: 'other', TRUSTLY_OTHER_ACCESS_KEY: 'secret-key' },
      /^TRUSTLY_TARGET_NAME contains TRUSTLY_OTHER_ACCESS_KEY, and every result shows TRUSTLY_TARGET_NAME; remove the key from it$/,
    ],
    [
      'the key of another certificate',
      { ...secure, ...pair(CERT, STRANGE_KEY) },
      /^TRUSTLY_CLIENT_KEY \S+ is not the key of the certificate/,
    ],
    [
      'a key that is a FIFO',
      { ...secure, ...pair(CERT, KEY), TRUSTLY_CLIENT_KEY: fifo() },
      /^TRUSTLY_CLIENT_KEY \S+ is not a regular file/,
    ],
  ];
  for (const [what, env, message] of wrong) {
    test(`refuses ${what} in one line`, () => {
      expect(() => readSettings(env)).toThrow(SettingsError);
      expect(() => readSettings(env)).toThrow(message);
      expect(() => readSettings(env)).not.toThrow(/\n|secret/);
    });
  }

  test('takes what is unusual but clear', () => {
    expect(readSettings({ TRUSTLY_SEED: '007' }).seed).toBe(7);
    expect(readSettings({ TRUSTLY_MAX_SECONDS: '10' }).maxSeconds).toBe(10);
    expect(readSettings({ TRUSTLY_TARGET_NAME: 'Bücher 👩‍👩‍👧 اختبار' }).targetName).toBe('Bücher 👩‍👩‍👧 اختبار');
    expect(readSettings(url('HTTP://LOCALHOST:80/API/customersX')).baseUrl).toBe('http://localhost/API/customersX');
    expect(readSettings({ TRUSTLY_OUT: './~' }).out).toBe('./~');
    expect(readSettings({ TRUSTLY_SEED: undefined })).toEqual(readSettings({}));
    for (const host of ['Gateway.example.com.', 'gateway:8443', '[::1]:80', '2001:db8::1', '172.32.0.1', 'bücher.example', 'a_b']) {
      expect(readSettings({ TRUSTLY_ALLOW_HOST: host }).allowHost).toBe(host.toLowerCase());
    }
  });

  test('a customer file overrides, with a byte order mark and nested to the limit', () => {
    expect(readSettings(customer('{"currency":"USD"}')).overrides).toEqual({ currency: 'USD' });
    expect(readSettings(customer('\ufeff{"currency":"USD"}')).overrides).toEqual({ currency: 'USD' });
    expect(readSettings(customer(nested(19))).overrides).toHaveProperty('customData');
  });

  test('headers are named after their variables', () => {
    const headers = readSettings({ ...header('X_API_KEY', 'café'), TRUSTLY_HEADER_COOKIE: 'a=b' }).headers;

    expect(headers).toEqual([
      { variable: 'TRUSTLY_HEADER_X_API_KEY', name: 'X-Api-Key', value: 'café' },
      { variable: 'TRUSTLY_HEADER_COOKIE', name: 'Cookie', value: 'a=b' },
    ]);
  });

  test('a client certificate is read, with those that follow it', () => {
    const files = pair(`${CERT}${CERT}`, `\ufeff${KEY}`);

    expect(readSettings({ ...secure, ...files }).clientCertificate).toEqual({
      certFile: files.TRUSTLY_CLIENT_CERT,
      keyFile: files.TRUSTLY_CLIENT_KEY,
      cert: `${CERT}${CERT}`,
      key: KEY,
    });
  });

  test('names that resemble no setting are ignored with a warning', () => {
    const others = { TRUSTLY_MERCHANT_ID: '1', trustly_env: '', 'TRUSTLY_\u001bLOG': 'x', TRUSTLYX: '1', NOT_TRUSTLY_SEED: '1' };

    const ignored = [
      'TRUSTLY_MERCHANT_ID is not a setting of this suite; it is ignored',
      'trustly_env is not a setting of this suite; it is ignored',
      'TRUSTLY_\\u001bLOG is not a setting of this suite; it is ignored',
    ];
    expect(readSettings({ ...target, ...others }).warnings).toEqual(ignored);
    expect(readSettings(others).warnings).toEqual([...ignored, 'TRUSTLY_BASE_URL is not set, so the embedded sandbox is tested']);
  });
});

test.describe('the file .env', () => {
  const read = (content: string | Buffer, env: NodeJS.ProcessEnv = {}) => {
    const { DOTENV_CONFIG_PATH, ...rest } = environment({ ...env, DOTENV_CONFIG_PATH: file(content) });
    return rest;
  };

  test('completes the environment, which wins', () => {
    expect(read('A=file\nB=file', { B: 'environment' })).toEqual({ A: 'file', B: 'environment' });
    expect(environment({ DOTENV_CONFIG_PATH: join(folder, 'none'), A: '1' })).toEqual({ DOTENV_CONFIG_PATH: join(folder, 'none'), A: '1' });
  });

  const valid: [string, string][] = [
    ['a byte order mark and CRLF', '\ufeffA=1\r\n\r\n# comment\r\nB=2\r\n'],
    ['CR alone', 'A=1\rB=2'],
    ['export, colons and spaces', 'export A=1\n  export  B = 2 \nC: 3\n\tD\t=\t4'],
    ['comments after a space', 'A=1 # one\nB="2" # "two"\nC="3"# three\nD= # four\nE=\n#F=5'],
    ['a number sign in quotes', 'A="a#b"\nB=\'a # b\'\nC=`#`'],
    ['quotes over several lines', 'A="x\n\ny=1\n# no comment\nz"\nB=\'1\n2\'\nC=`\n`\nD=4'],
    ['quotes in other quotes', 'A=\'a"b\'\nB="a\\"b"\nC=`"\'`\nD=it\'s'],
    ['no line feed at the end', 'A=1'],
    ['nothing', ''],
    ['names of other tools', 'a.b-c=1\n__proto__=2\nconstructor=3'],
    ['a large value', `A="${'\\"x '.repeat(200_000)}"\nB=${'y'.repeat(100_000)}`],
  ];
  for (const [what, content] of valid) {
    test(`may have ${what}`, () => {
      expect(read(content)).toEqual(parse(content));
    });
  }

  const wrong: [string, string | Buffer, RegExp][] = [
    ['UTF-16', Buffer.from('\ufeffA=secret', 'utf16le'), /^\S+ is UTF-16 text; save it as UTF-8$/],
    ['UTF-16, big end first', Buffer.from('\ufeffA=secret', 'utf16le').swap16(), /^\S+ is UTF-16 text; save it as UTF-8$/],
    ['UTF-16 without mark', Buffer.from('A=secret', 'utf16le'), /^\S+ contains NUL bytes; save it as UTF-8 text$/],
    ['ISO 8859-1', Buffer.from('A=é', 'latin1'), /^\S+ is not valid UTF-8; save it as UTF-8 text$/],
    ['more than 1 MiB', '\n'.repeat(2 ** 20 + 1), /^\S+ is larger than 1024 KiB/],
    ['a missing sign', 'A=1\n\nTRUSTLY_ACCESS_KEY secret', /, line 3: not an assignment; write NAME=value, or # before a comment$/],
    ['a missing sign after CRLF and quotes', 'A="1\r\n2"\r\nsecret', /, line 3: not an assignment/],
    ['a colon without space', 'A:secret', /, line 1: not an assignment/],
    ['a colon without value', 'A:\nB=secret', /, line 1: not an assignment/],
    ['a name with a space', 'A B=secret', /, line 1: not an assignment/],
    ['a name with an accent', 'É=secret', /, line 1: not an assignment/],
    ['no name', '=secret', /, line 1: not an assignment/],
    ['export without name', 'export\nA=1', /, line 1: not an assignment/],
    ['a value on the next line', "A=\n'secret'", /, line 2: not an assignment/],
    ['a line separator in a comment', '# a\u2028A=1\nsecret', /, line 2: not an assignment/],
    ['a value that would be cut', 'A=1\nB=secret#more', /, line 2: the value would be cut at “#”; put the value in quotes/],
    ['a value that would be cut to nothing', 'A=#secret', /, line 1: the value would be cut at “#”/],
    ['a value that would be cut in quotes', 'A=x"secret#more"', /, line 1: the value would be cut at “#”/],
    ['a quote that is not closed', 'B=2\nA="secret\nC=3', /, line 2: the quote is not closed, or text follows the closing quote/],
    ['a quote that is closed on another line', 'A="secret\nB="1"', /, line 1: the quote is not closed, or text follows/],
    ['a quote that is closed by another', 'A="secret\'', /, line 1: the quote is not closed/],
    ['a word after a quote', 'A="secret" more', /, line 1: the quote is not closed, or text follows/],
    ['a quote within such quotes', "A='secret's'", /, line 1: the quote is not closed, or text follows/],
  ];
  for (const [what, content, message] of wrong) {
    test(`is refused with ${what}, in one line`, () => {
      expect(() => read(content)).toThrow(SettingsError);
      expect(() => read(content)).toThrow(message);
      expect(() => read(content)).not.toThrow(/\n|secret/);
    });
  }

  test('is read quickly, and its comments set nothing', () => {
    // dotenv's own expression takes minutes for this.
    expect(read(`${'\n'.repeat(2 ** 19)}# comment\u2028A=1`)).toEqual({});
  });

  test('is refused if it is no regular file', () => {
    expect(() => environment({ DOTENV_CONFIG_PATH: folder })).toThrow(/^\S+ is a directory; name a file$/);
    expect(() => environment({ DOTENV_CONFIG_PATH: fifo() })).toThrow(/^\S+ is not a regular file; name one$/);
  });

  test('is read as dotenv reads it, or not at all', () => {
    const part = fc.constantFrom('A', 'B', 'export ', '=', ': ', ' ', '\t', '\n', '\r\n', '#', '"', "'", '`', '\\', 'x', '\\n');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 25 }), (parts) => {
        const content = parts.join('');
        let found: NodeJS.ProcessEnv;
        try {
          found = read(content);
        } catch (error) {
          expect(error).toBeInstanceOf(SettingsError);
          return;
        }
        expect(found).toEqual(parse(content));
      }),
      { numRuns: 1_000 },
    );
  });
});

test.describe('hosts', () => {
  /** Asserts the host of a URL, with a resolver that knows these names alone. */
  const check = (value: string, allowHost?: string, names: Record<string, string[]> = {}) =>
    assertHostAllowed(readSettings({ ...url(value), ...(allowHost && { TRUSTLY_ALLOW_HOST: allowHost }) }), (name) =>
      names[name] ? Promise.resolve(names[name]) : Promise.reject(new Error('ENOTFOUND')),
    );

  // The proxies of this machine reach no test, and those of a test no other.
  const PROXIES = ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'].flatMap((name) => [name, name.toUpperCase()]);
  test.beforeEach(() => {
    for (const name of PROXIES) delete process.env[name];
  });
  test.afterAll(() => {
    for (const name of PROXIES) delete process.env[name];
  });

  const spellings: [string, string][] = [
    ['Example.COM.', 'example.com'],
    ['example.com..', 'example.com'],
    ['ｔｒｕｓｔｌｙ。ｏｎｅ', 'trustly.one'],
    ['trustly.one。', 'trustly.one'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['0x7f.1', '127.0.0.1'],
    ['2130706433', '127.0.0.1'],
    ['0177.0.0.1', '127.0.0.1'],
    ['127.1..', '127.0.0.1'],
    ['127.1。。', '127.0.0.1'],
    ['[::1]', '::1'],
    ['[0:0:0:0:0:0:0:1]', '::1'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['[::FFFF:7f00:1]', '127.0.0.1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%25eth0]', 'fe80::1'],
    ['trustly%2Eone', 'trustly.one'],
    ['', ''],
    ['.', ''],
    ['a b', 'a b'],
  ];
  for (const [spelling, host] of spellings) {
    test(`“${spelling}” is ${host || 'empty'}`, () => {
      expect(normalizeHost(spelling)).toBe(host);
    });
  }

  test('near addresses are loopback, private, link-local, shared and unspecified', () => {
    const near = ['127.0.0.1', '127.255.255.255', '10.0.0.0', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '0.0.0.0'];
    const nearToo = [
      '100.64.0.0',
      '100.127.255.255',
      '::',
      '::1',
      '[::1]',
      'fc00::1',
      'fdff::1',
      'fe80::1%eth0',
      'febf::1',
      '::ffff:10.0.0.1',
    ];
    const far = [
      '8.8.8.8',
      '172.32.0.1',
      '172.15.0.1',
      '192.169.0.1',
      '100.128.0.0',
      '100.63.0.1',
      '0.0.0.1',
      '11.0.0.1',
      '255.255.255.255',
    ];
    const farToo = ['2001:db8::1', 'fec0::1', 'fe00::1', '::ffff:8.8.8.8', '::2', '::7f00:1', '64:ff9b::7f00:1', 'localhost', '', 'x'];
    expect([...near, ...nearToo].filter((address) => !isNear(address))).toEqual([]);
    expect([...far, ...farToo].filter(isNear)).toEqual([]);
  });

  test('loopback is known by name and address', () => {
    const loopback = [
      'localhost',
      'LOCALHOST.',
      'a.localhost',
      '127.0.0.1',
      '127.9.9.9',
      '0x7f.1',
      '::1',
      '[::1]',
      '0.0.0.0',
      '::',
      '::ffff:127.0.0.1',
    ];
    expect(loopback.filter((host) => !isLoopback(host))).toEqual([]);
    expect(
      ['localhost.example.com', 'notlocalhost', '10.0.0.1', '128.0.0.1', '127.0.0.1.example.com', 'fe80::1', ''].filter(isLoopback),
    ).toEqual([]);
  });

  for (const value of [
    ...[
      'http://127.0.0.1:1',
      'http://localhost',
      'http://a.localhost.',
      'http://[::1]:80/x',
      'http://[::ffff:127.0.0.1]',
      'http://0x7f.1',
      'http://0.0.0.0:8080',
    ],
    ...['http://10.1.2.3', 'http://192.168.0.1', 'http://172.31.0.1', 'https://100.64.1.1', 'http://[fd00::1]', 'http://[::]'],
    ...['https://sandbox.trustly.one/api/v1', 'https://SANDBOX.Trustly.one.:8443', 'https://ｓandbox.trustly.one'],
  ]) {
    test(`${value} is allowed`, async () => {
      await check(value);
    });
  }

  for (const value of [
    ...[
      'https://trustly.one/api/v1',
      'https://api.trustly.one',
      'https://x.paywithmybank.com',
      'https://trustly.com',
      'https://API.TRUSTLY.ONE.',
    ],
    ...[
      'https://ｔｒｕｓｔｌｙ.one',
      'https://trustly。one',
      'https://trustly%2eone',
      'https://x.sandbox.trustly.one',
      'https://trustly.one..',
    ],
  ]) {
    test(`${value} is production`, async () => {
      await expect(check(value, undefined, {})).rejects.toThrow(
        /^TRUSTLY_BASE_URL names a production host, [a-z.]+; set TRUSTLY_ALLOW_HOST=[a-z.]+[a-z] if/,
      );
    });
  }

  const addresses = {
    'near.example': ['10.0.0.1', 'fd00::1'],
    'far.example': ['8.8.8.8'],
    'mixed.example': ['10.0.0.1', '8.8.8.8'],
    'none.example': [],
  };
  const clearText = /^TRUSTLY_BASE_URL would send the key to \S+ in clear text; write https$/;
  const publicHost = /^TRUSTLY_BASE_URL names a public host, \S+; set TRUSTLY_ALLOW_HOST=\S+ if you really mean it/;
  const production = /production/;

  const judged: [string, string | undefined, RegExp | undefined][] = [
    ['https://172.32.0.1', undefined, publicHost],
    ['https://172.32.0.1', '172.32.0.1', undefined],
    ['https://[2001:db8::1]', undefined, publicHost],
    ['https://[2001:db8::1]', '2001:DB8:0::1', undefined],
    ['https://[2001:db8::1]:8443', '[2001:db8::1]:8443', undefined],
    ['https://near.example', undefined, undefined],
    ['http://near.example', undefined, undefined],
    ['https://unknown.example', undefined, undefined],
    ['http://unknown.example', undefined, undefined],
    ['https://none.example', undefined, undefined],
    ['https://far.example', undefined, publicHost],
    ['https://mixed.example', undefined, publicHost],
    ['https://far.example', 'far.example', undefined],
    ['https://far.example', 'FAR.example.', undefined],
    ['https://far.example', 'far.example:443', undefined],
    ['https://far.example:8443', 'far.example:8443', undefined],
    ['https://far.example:8443', 'far.example', undefined],
    ['https://far.example:8443', 'far.example:443', publicHost],
    ['https://far.example', 'far.example:8443', publicHost],
    ['https://far.example', 'near.example', publicHost],
    ['http://far.example', undefined, clearText],
    ['http://far.example', 'far.example', clearText],
    ['http://mixed.example', 'mixed.example', clearText],
    ['http://near.example', 'near.example', undefined],
    ['http://172.32.0.1', undefined, clearText],
    ['http://172.32.0.1', '172.32.0.1', clearText],
    ['http://sandbox.trustly.one', undefined, clearText],
    ['http://sandbox.trustly.one.', 'sandbox.trustly.one', clearText],
    ['http://api.trustly.one', 'api.trustly.one', clearText],
    ['https://trustly.one', 'trustly.one', undefined],
    ['https://trustly.one', 'api.trustly.one', production],
  ];
  for (const [value, allowHost, message] of judged) {
    test(`${value} ${allowHost ? `beside ${allowHost} ` : ''}is ${message ? 'refused' : 'allowed'}`, async () => {
      const checked = check(value, allowHost, addresses);

      await (message ? expect(checked).rejects.toThrow(message) : checked);
    });
  }

  test('behind a proxy a name is not judged by the local resolver', async () => {
    process.env.HTTPS_PROXY = 'http://user:secret@proxy.example:8080';
    process.env.HTTP_PROXY = 'http://proxy.example:8080';
    process.env.NO_PROXY = 'direct.example';
    const names = { ...addresses, 'direct.example': ['10.0.0.1'] };

    await expect(check('https://near.example', undefined, names)).rejects.toThrow(
      /^TRUSTLY_BASE_URL names near.example, whose address only the proxy knows; add near.example to NO_PROXY .*, or set TRUSTLY_ALLOW_HOST=near.example if/,
    );
    await expect(check('https://unknown.example')).rejects.toThrow(/whose address only the proxy knows/);
    await expect(check('http://near.example', 'near.example', names)).rejects.toThrow(
      /in clear text; write https, or add near.example to NO_PROXY/,
    );
    await expect(check('https://8.8.8.8')).rejects.toThrow(publicHost);
    await expect(check('http://8.8.8.8', '8.8.8.8')).rejects.toThrow(clearText);
    await check('https://10.0.0.1');
    await check('https://far.example', 'far.example', names);
    await check('https://sandbox.trustly.one');
    await check('https://localhost');
    await check('http://direct.example', undefined, names);
  });

  test('a proxy is one for http or https, and its password is not shown', async () => {
    process.env.ALL_PROXY = 'socks5://user:secret@proxy.example';

    await expect(check('https://sandbox.trustly.one')).rejects.toThrow(
      /^HTTPS_PROXY, HTTP_PROXY or ALL_PROXY is not an http or https URL; [^\n]*$/,
    );
    await expect(check('https://sandbox.trustly.one')).rejects.not.toThrow(/secret/);
    await check('http://localhost');
  });

  test('there is no proxy for loopback', () => {
    process.env.HTTP_PROXY = 'http://proxy.example:8080';

    expect(proxyFor('http://a.example')).toBe('http://proxy.example:8080');
    expect(proxyFor('https://a.example')).toBeUndefined();
    expect(['http://localhost', 'http://127.0.0.1:1', 'http://[::1]', 'http://x.localhost.'].filter((value) => proxyFor(value))).toEqual(
      [],
    );
  });

  test('only the sandbox and the allowed host may have any address, over https', () => {
    const exempt = (baseUrl: string, allowHost?: string) => isExempt({ baseUrl, ...(allowHost && { allowHost }) });

    expect(isExempt({})).toBe(false);
    expect(exempt('https://sandbox.trustly.one/api')).toBe(true);
    expect(exempt('http://sandbox.trustly.one/api')).toBe(false);
    expect(exempt('https://a.example', 'A.example.')).toBe(true);
    expect(exempt('http://a.example', 'a.example')).toBe(false);
    expect(exempt('https://b.example', 'a.example')).toBe(false);
  });
});

test.describe('the lookup of a connection', () => {
  const near = { address: '127.0.0.1', family: 4 };
  const far = { address: '2001:db8::1', family: 6 };
  const resolver =
    (found: LookupAddress[]): LookupAll =>
    (_name, options, callback) => {
      expect(options.all).toBe(true);
      setImmediate(callback, null, found);
    };
  /** The arguments of the callback of a lookup. */
  const ask = (lookup: LookupFunction, all: boolean) =>
    new Promise<unknown[]>((resolve) => lookup('a.example', { all, family: 0 }, (...given) => resolve(given)));

  test('gives one address or all of them', async () => {
    const other = { address: '::1', family: 6 };

    expect(await ask(guardedLookup(false, resolver([near, other])), true)).toEqual([null, [near, other]]);
    expect(await ask(guardedLookup(false, resolver([near, other])), false)).toEqual([null, '127.0.0.1', 4]);
    expect(await ask(guardedLookup(true, resolver([far])), false)).toEqual([null, '2001:db8::1', 6]);
    expect(await ask(guardedLookup(true, resolver([far, near])), true)).toEqual([null, [far, near]]);
  });

  test('fails for a public address, whichever comes first', async () => {
    for (const [found, all] of [
      [[near, far], true],
      [[far, near], false],
      [[], true],
    ] as [LookupAddress[], boolean][]) {
      const [error] = await ask(guardedLookup(false, resolver(found)), all);

      expect(error).toMatchObject({ code: 'EHOSTNOTALLOWED' });
    }
  });

  test('passes the failure of the resolver on', async () => {
    const failure = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });

    const [error] = await ask(
      guardedLookup(false, (_name, _options, callback) => callback(failure, [])),
      true,
    );

    expect(error).toBe(failure);
  });

  test('judges again what resolves differently the second time', async () => {
    const server = createServer((_incoming, response) => response.end('ok'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const answers = [[near], [far]];
    const lookup = guardedLookup(false, (name, options, callback) => resolver(answers.shift() ?? [])(name, options, callback));
    const request = () =>
      new Promise<unknown>((resolve) => {
        get({ host: 'a.example', port, lookup, agent: false }, (response) => resolve(response.resume().statusCode)).on('error', resolve);
      });

    expect(await request()).toBe(200);
    expect(await request()).toMatchObject({ code: 'EHOSTNOTALLOWED' });
    server.closeAllConnections();
    server.close();
  });
});

test.describe('the manual', () => {
  test('the README has the table of settings', () => {
    expect(readFileSync(new URL('../README.md', import.meta.url), 'utf8')).toContain(settingsTable());
  });

  test('.env.example names every setting', () => {
    expect(readFileSync(new URL('../.env.example', import.meta.url), 'utf8')).toBe(dotenvExample());
    for (const name of Object.keys(variables)) expect(dotenvExample()).toContain(`# ${name.replace('<NAME>', 'X_API_KEY')}=`);
  });

  test('.env.example can be used as it is once its settings are', () => {
    const { DOTENV_CONFIG_PATH, ...env } = environment({
      DOTENV_CONFIG_PATH: file(dotenvExample().replaceAll(/^# (?=TRUSTLY_\w+=)/gm, '')),
    });
    const files = { TRUSTLY_CUSTOMER_FILE: file('{}'), ...pair(CERT, KEY) };

    expect(Object.keys(env)).toHaveLength(Object.keys(variables).length);
    expect(readSettings({ ...env, ...files }).warnings).toEqual([]);
  });
});
