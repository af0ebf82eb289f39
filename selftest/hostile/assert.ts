import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { validateXML } from 'xmllint-wasm';
import { filesIn, type Ran } from '../command.ts';
import { secretIn } from './secrets.ts';
import { CANARY, type HostileTarget, type Served, SIDE_EFFECT } from './target.ts';

const OUTPUT_LIMIT = 60_000;
const RESULTS_LIMIT = 30 * 1024 * 1024;
const MEMORY_LIMIT = 900;
const SCRIPTS = 5;

/** What a run left behind. */
export type Ended = Pick<Ran, 'code' | 'output' | 'out'>;

type Token = { type: string; content: string; attrs: [string, string][] | null; children: Token[] | null };
const markdown = createRequire(import.meta.url)('markdown-it')({ html: true }) as { parse: (text: string, env: object) => Token[] };

/** Asserts, softly, that a run ended as its target demands, in time, and with little memory. */
export function assertEnd(target: HostileTarget, { code, seconds, output }: Ran, megabytes: number): void {
  expect.soft(target.exits, `exit code, of a run that printed:\n${output.slice(-2000)}`).toContain(code);
  if (code !== 0 && target.says) expect.soft(output, 'the output states what was observed').toMatch(target.says);
  if (target.never) expect.soft(output).not.toMatch(target.never);
  expect.soft(seconds, 'seconds').toBeLessThan(target.seconds);
  expect.soft(megabytes, 'megabytes').toBeLessThan(target.megabytes ?? MEMORY_LIMIT);
}

/** Asserts, softly, that the target saw no more requests than it allows, and none that a careful client never sends. */
export function assertRequests({ requests: limit = Number.POSITIVE_INFINITY }: HostileTarget, { requests, offences }: Served): void {
  expect.soft(requests(), 'requests').toBeLessThanOrEqual(limit);
  expect.soft(offences?.() ?? [], 'requests that no careful client sends').toEqual([]);
}

/** Asserts, softly, that the output is short, and that neither a terminal nor a CI system obeys any of it. */
export function assertOutput({ output }: Ended): void {
  expect.soft(output.length, 'characters of output').toBeLessThan(OUTPUT_LIMIT);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  expect.soft(found(output, /[\x00-\x08\x0b-\x1f\x7f-\x9f]/), 'control characters').toEqual([]);
  expect
    .soft(found(output, /[\u2028\u2029\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/), 'line separators and bidirectional controls')
    .toEqual([]);
  expect.soft(found(output, /^\s+at .+:\d+:\d+/m), 'stack traces').toEqual([]);
  expect.soft(found(output, /^\s*::\w/m), 'workflow commands of GitHub').toEqual([]);
  expect.soft(found(output, /##\[|##vso\[|##teamcity\[/), 'workflow commands of Azure and TeamCity').toEqual([]);
}

/** Where a pattern stands, with what is around it. */
function found(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(new RegExp(pattern, `${pattern.flags}g`))]
    .slice(0, 3)
    .map(({ index }) => JSON.stringify(text.slice(Math.max(0, index - 40), index + 40)));
}

/** Asserts, softly, that the results are there, agree with the exit code, are small, and can be read by what reads them. */
export async function assertResults({ code, out }: Ended): Promise<void> {
  expect
    .soft(
      read(out, 'conformance.json', (text) => JSON.parse(text).exitCode),
      'exit code in conformance.json',
    )
    .toBe(code);
  const size = filesIn(out).reduce((sum, file) => sum + statSync(file).size, 0);
  expect.soft(size, 'bytes of all results').toBeLessThan(RESULTS_LIMIT);
  if (existsSync(join(out, 'junit.xml'))) {
    const xml = { fileName: 'junit.xml', contents: readFileSync(join(out, 'junit.xml')) };
    const { errors } = await validateXML({ xml, normalization: 'c14n', maxMemoryPages: 16_384 });
    expect.soft(errors.slice(0, 3), 'junit.xml is well-formed').toEqual([]);
  }
  const tokens = read(out, 'conformance.md', (text) => markdown.parse(text, {})) ?? [];
  expect.soft(flat(tokens).filter(isActive).slice(0, 3), 'links, images and HTML of the target in conformance.md').toEqual([]);
}

function read<T>(out: string, name: string, parse: (text: string) => T): T | undefined {
  return existsSync(join(out, name)) ? parse(readFileSync(join(out, name), 'utf8')) : undefined;
}

const flat = (tokens: readonly Token[]): Token[] => tokens.flatMap((token) => [token, ...flat(token.children ?? [])]);

/** Whether a reader of Markdown does something with it that the target decided. */
function isActive({ type, content, attrs }: Token): boolean {
  if (type.startsWith('html_')) return /hostile|alert|<script|<img|testcase/i.test(content);
  return ['link_open', 'image'].includes(type) && (attrs ?? []).some(([, value]) => value.includes('hostile.invalid'));
}

/** Asserts, softly, that the canary key stands nowhere in the output and the results, in no encoding. */
export function assertSecrecy({ output, out }: Ended): void {
  const texts = [['the output', output] as const, ...filesIn(out).map((file) => [file, readFileSync(file, 'utf8')] as const)];
  const leaks = texts.map(([name, text]) => [name, secretIn(name) ?? secretIn(text)]).filter(([, secret]) => secret !== undefined);
  expect.soft(leaks.slice(0, 5), 'places where the key stands').toEqual([]);
}

/** Asserts, softly, that counterexamples are scripts, and that none of them, nor the run, did what a text of the target says. */
export function assertScripts({ out }: Ended, closed: string): void {
  expect.soft(existsSync(SIDE_EFFECT), 'the run did what a text says').toBe(false);
  const folder = join(out, 'counterexamples');
  const scripts = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.mjs')) : [];
  for (const name of scripts.slice(0, SCRIPTS)) {
    const script = join(folder, name);
    expect.soft(() => execFileSync(process.execPath, ['--check', script], { stdio: 'pipe' }), `node --check ${name}`).not.toThrow();
    const env = { ...process.env, TRUSTLY_BASE_URL: closed, TRUSTLY_ACCESS_ID: CANARY.accessId, TRUSTLY_ACCESS_KEY: CANARY.accessKey };
    const { stdout, stderr, error } = spawnSync(process.execPath, [script], { cwd: out, env, encoding: 'utf8', timeout: 20_000 });
    expect.soft(error, `${name} ends`).toBeUndefined();
    expect.soft(secretIn(`${stdout}${stderr}`), `the key in what ${name} prints`).toBeUndefined();
    expect.soft(existsSync(SIDE_EFFECT), `${name} did what a text says`).toBe(false);
  }
}
