import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { validateXML } from 'xmllint-wasm';
import { junit } from '../reports/render/junit.ts';
import type { CheckResult, RequirementResult, Result } from '../reports/verdict.ts';
import { areas, requirementOf } from '../schemas/catalogue.ts';
import { type Outcome, outcomes } from '../schemas/outcomes.ts';
import type { RequirementId } from '../schemas/requirement-id.ts';

const MUST = 'NULL-1';
const SHOULD = 'ACC-7';

const schemas = ['jenkins', 'ant', 'gitlab'] as const;
type XmlSchema = (typeof schemas)[number];

/** What a schema finds wrong in documents: a line for each error, which begins with the document's number. */
async function errorsOf(schema: XmlSchema, documents: string[]): Promise<string[]> {
  const { errors } = await validateXML({
    xml: documents.map((contents, index) => ({ fileName: `${index}.xml`, contents })),
    schema: readFileSync(join(import.meta.dirname, 'schemas', `junit-${schema}.xsd`), 'utf8'),
    maxMemoryPages: 16_384,
  });
  return errors.map(({ rawMessage }) => rawMessage);
}

function check(outcome: Outcome, more: Partial<CheckResult> = {}): CheckResult {
  const message = outcome === 'passed' ? null : `it is ${outcome}\nand more`;
  return { title: outcome, file: 'tests/a.spec.ts', line: 12, outcome, message, seed: 1, path: null, exchanges: 1, seconds: 1.5, ...more };
}

function requirement(id: RequirementId, ...checks: CheckResult[]): RequirementResult {
  const { level, area } = requirementOf(id);
  return { id, level, area, outcome: checks[0]?.outcome ?? 'passed', checks };
}

function result(requirements: RequirementResult[], more: Partial<Result> = {}): Result {
  return {
    run: '00000000-0000-4000-8000-000000000000',
    suite: { version: '1.0.0' },
    catalogue: { sha256: '0' },
    target: { name: 'x', baseUrl: 'http://x' },
    seed: 1,
    depth: 'standard',
    startedAt: '2026-01-02T03:04:05.678Z',
    finishedAt: '2026-01-02T03:05:05.678Z',
    verdict: 'conforms',
    reason: 'every MUST that was checked holds',
    exitCode: 0,
    counts: { MUST: {}, SHOULD: {} },
    requests: 0,
    customers: 0,
    requirements,
    observations: [],
    omitted: [],
    ...more,
  };
}

/** The XML of one case. */
function caseOf(xml: string, name: string): string {
  return xml.match(new RegExp(`<testcase [^>]*name="${name}"[^>]*?(/>|>.*?</testcase>)`, 's'))?.[0] ?? '';
}

/** What a reader takes from the attribute or content that a pattern captures. */
function read(xml: string, pattern: RegExp): string {
  const entities: Record<string, string> = { lt: '<', gt: '>', quot: '"', amp: '&' };
  const escaped = xml.match(pattern)?.[1] ?? '';
  return escaped.replace(/&(\w+);/g, (_, name: string) => entities[name] ?? '');
}

/** Every code unit of a range. */
const units = (from: number, to: number) => String.fromCharCode(...Array.from({ length: to - from + 1 }, (_, index) => from + index));

const hostile: [string, string][] = [
  ['nothing', ''],
  ['white space', ' \t\r\n '],
  ['the end of a CDATA section', 'a ]]> b ]]>'],
  ['a CDATA section', '<![CDATA[ a'],
  ['end tags', '</failure></testcase></testsuite></testsuites>'],
  ['another case', '</failure></testcase><testcase name="x" classname="y" time="0"/><testcase name="z">'],
  ['entities', '&amp; &#0; &#x1b; &lol; &'],
  ['a document type', '<?xml version="1.1"?><!DOCTYPE a [<!ENTITY lol SYSTEM "file:///etc/passwd">]><a>&lol;</a>'],
  ['a comment', '<!-- -- --->'],
  ['quotes', `"'"' x="`],
  ['control characters', units(0x00, 0x1f) + units(0x7f, 0x9f)],
  ['a control character at the beginning', '\0a'],
  ['line ends', 'a\r\nb\rc\nd\u0085e\u2028f'],
  ['halves of pairs', '<\ude00 &\ude00 a\ud83d b\ude00 \ude00\ud83d \ud83d'],
  ['noncharacters', '\ufffe \uffff \u{1fffe} \ufdd0'],
  ['emoji', '😀 👩‍🚀 🇸🇪'],
  ['directions', '\u202egnp.exe\u202c \u2066a\u2069 \ufeff'],
  ['1 MB', '\0ä<&'.repeat(1000).padEnd(1_000_000, 'ä<&')],
  ['1 MB of emoji', '😀'.repeat(250_000)],
  ['1 MB of lines', '\n'.repeat(1_000_000)],
  ['an attachment', '[[ATTACHMENT|/etc/passwd]]'],
];

test.describe('JUnit XML', () => {
  for (const schema of schemas) {
    test(`with every outcome and any text is valid for ${schema}`, async () => {
      const documents = hostile.flatMap(([what, text]) => {
        const checks = outcomes.map((outcome) => check(outcome, { title: `${outcome} ${what}`, message: text }));
        const rows = [requirement(MUST, ...checks), requirement(SHOULD, ...checks)];
        return [true, false].map((strict) => junit(result(rows, { verdict: null, reason: `broken: ${text}` }), strict));
      });
      expect(await errorsOf(schema, documents)).toEqual([]);
    });

    test(`with any text in the names of checks and files is valid for ${schema}`, async () => {
      const rows = hostile
        .filter(([, { length }]) => length < 1000)
        .map(([what, text], index) => check(outcomes[index % outcomes.length] ?? 'failed', { title: `${what} ${text}`, file: text }));
      expect(await errorsOf(schema, [junit(result([requirement(MUST, ...rows)]), false)])).toEqual([]);
    });

    test(`of every verdict is valid for ${schema}`, async () => {
      const verdicts = ['conforms', 'partial', 'inconclusive', 'flaky', 'does not conform', null] as const;
      const documents = verdicts.flatMap((verdict) => [
        junit(result([], { verdict }), false),
        junit(result([requirement(MUST, check('passed'))], { verdict }), false),
      ]);
      expect(await errorsOf(schema, documents)).toEqual([]);
    });
  }

  test('shows a text of the target as it is, with an escape for what XML does not allow', () => {
    const texts = [
      ['a ]]> b </failure></testcase> & &amp; "c" \'d\' 😀', 'a ]]> b </failure></testcase> & &amp; "c" \'d\' 😀'],
      ['a\0b\x1b[31m \ud83d \ufffe', 'a\\u0000b\\u001b[31m \\ud83d \\ufffe'],
      ['::error::a ##vso[b \u009b \u202e', ': :error::a ## vso[b \\u009b \\u202e'],
    ];
    for (const [sent, shown] of texts) {
      const xml = junit(result([requirement(MUST, check('failed', { message: `${sent}\nmore` }))]), false);
      expect(read(xml, /<failure [^>]*message="([^"]*)"/)).toBe(shown);
      expect(read(xml, /<failure [^>]*>([^<]*)<\/failure>/)).toContain(`${shown}\nmore\n`);
    }
  });

  test('has a suite for each area, in their order, with its numbers and seconds', () => {
    const [first = '', last = ''] = [areas[0], areas.at(-1)];
    const row = (area: string, ...checks: CheckResult[]) => ({ ...requirement(MUST, ...checks), area });
    const checks = outcomes.map((outcome) => check(outcome, { seconds: 0.25 }));
    const rows = [row(last, check('passed', { seconds: 61 })), row(first, ...checks)] as RequirementResult[];
    const suites = [...junit(result(rows), false).matchAll(/<testsuite ([^>]*)>/g)].map(([, attributes]) => attributes);
    expect(suites).toEqual([
      expect.stringMatching(new RegExp(`^name="${first}".* id="0".* tests="6" failures="2" errors="0" skipped="3" time="1.500"$`)),
      expect.stringMatching(new RegExp(`^name="${last}".* id="1".* tests="1" failures="0" errors="0" skipped="0" time="61.000"$`)),
    ]);
  });

  test('gives a case its seconds, and zero where they are unknown', () => {
    const seconds = [0.0004, 1.5, 1234.5678, -0.001, Number.NaN];
    const xml = junit(
      result([requirement(MUST, ...seconds.map((value, index) => check('passed', { title: `${index}`, seconds: value })))]),
      false,
    );
    expect([...xml.matchAll(/<testcase [^>]*time="([^"]*)"/g)].map(([, time]) => time)).toEqual([
      '0.000',
      '1.500',
      '1234.568',
      '0.000',
      '0.000',
    ]);
    expect(xml).toMatch(/<testsuite [^>]*time="1236.068"/);
  });

  test('gives a failure its first line and its whole text, each no longer than a CI shows, and its place at the end', () => {
    const long = `${'a'.repeat(400)}\n${'b'.repeat(20_000)}`;
    for (const message of ['first\nsecond', '\n\n first\r\nsecond', long]) {
      const xml = junit(result([requirement(MUST, check('failed', { message }))]), false);
      const [headline, text] = [read(xml, /<failure [^>]*message="([^"]*)"/), read(xml, /<failure [^>]*>([^<]*)<\/failure>/)];
      expect(xml).toContain('<failure type="failed"');
      expect(headline).toMatch(message === long ? /^a+… .* …a+$/ : /^first$/);
      expect(headline.length).toBeLessThanOrEqual(300);
      expect(text.length).toBeLessThanOrEqual(10_000);
      expect(text.startsWith(message.trim().slice(0, 4))).toBe(true);
      expect(text.endsWith(`${requirementOf(MUST).statement}\n    at tests/a.spec.ts:12`)).toBe(true);
    }
  });

  test('fails the case of a MUST, and that of a SHOULD in a strict run only', () => {
    for (const outcome of ['failed', 'flaky'] as const) {
      const rows = [requirement(MUST, check(outcome)), requirement(SHOULD, check(outcome))];
      const [lax, strict] = [junit(result(rows), false), junit(result(rows), true)];
      expect(caseOf(lax, `${MUST} ${outcome}`)).toContain(`<failure type="${outcome}" message="it is ${outcome}">`);
      expect(caseOf(lax, `${SHOULD} ${outcome}`)).toMatch(/^<testcase [^>]*\/>$/);
      expect(read(lax, /<system-out>([^<]*warning[^<]*)</)).toContain(
        `tests/a.spec.ts:12 ${SHOULD} ${outcome}: ${outcome}\nwarning: it is ${outcome}\nand more\n\n${SHOULD}: `,
      );
      expect(caseOf(strict, `${SHOULD} ${outcome}`)).toContain('<failure');
      expect(strict).not.toContain('warning');
    }
  });

  test('shortens a warning', () => {
    const xml = junit(result([requirement(SHOULD, check('failed', { message: 'a'.repeat(20_000) }))]), false);
    expect(read(xml, /warning: ([^<]*)</).length).toBeLessThan(10_000);
  });

  test('skips a case with its outcome and reason', () => {
    for (const outcome of ['inconclusive', 'not-testable', 'not-applicable'] as const) {
      const skipped = caseOf(junit(result([requirement(MUST, check(outcome))]), true), `${MUST} ${outcome}`);
      expect(skipped).toContain(`<skipped message="${outcome}: it is ${outcome}">${outcome}: it is ${outcome}\nand more\n`);
      expect(skipped).toContain('at tests/a.spec.ts:12</skipped>');
    }
  });

  test('lists each check with its place in the system-out of its suite', () => {
    const xml = junit(result([requirement(MUST, check('passed'), check('failed', { file: 'tests/b.spec.ts', line: 7 }))]), false);
    expect(xml).toContain(`<system-out>tests/a.spec.ts:12 ${MUST} passed: passed\ntests/b.spec.ts:7 ${MUST} failed: failed</system-out>`);
  });

  test('has an error where there is no verdict', () => {
    const rows = [requirement(MUST, check('passed'))];
    expect(junit(result(rows), false)).not.toContain('<error');
    const outage = caseOf(junit(result(rows, { verdict: 'inconclusive', reason: 'gone' }), false), 'verdict');
    expect(outage).toContain('<error type="inconclusive" message="gone">gone</error>');
    const broken = caseOf(junit(result(rows, { verdict: null, reason: 'a worker crashed' }), false), 'verdict');
    expect(broken).toContain('<error type="misconfigured or failed" message="a worker crashed">');
  });

  test('lets no target attach a file', () => {
    const checks = outcomes.map((outcome) => check(outcome, { message: 'a [[ATTACHMENT|/etc/passwd]]' }));
    const rows = [requirement(MUST, ...checks), requirement(SHOULD, ...checks)];
    const reason = '[[ATTACHMENT|/etc/passwd]]';
    expect(junit(result(rows, { verdict: null, reason }), false)).not.toContain('[[ATTACHMENT|');
  });
});

const ROOT = 'id="0" package="" hostname="h" timestamp="2026-01-02T03:04:05" tests="1" failures="0" errors="0" time="0"';
const CASE = 'classname="c" name="n" time="0.5"';

/** A document of one suite. */
function suite(
  cases: string,
  { attributes = `name="s" ${ROOT}`, root = '', before = '<properties/>', after = '<system-out/><system-err/>' } = {},
) {
  return `<testsuites${root}><testsuite ${attributes}>${before}${cases}${after}</testsuite></testsuites>`;
}

/** A document of one case. */
const one = (content: string, attributes = CASE) => suite(`<testcase ${attributes}>${content}</testcase>`);

// Whether each schema accepts a document, in the order of `schemas`. The originals of the first two were seen to say the same.
const samples: [string, string, string][] = [
  ['no suite', '<testsuites/>', 'yes yes yes'],
  ['a passed case', one(''), 'yes yes yes'],
  ['a failure', one('<failure type="t" message="m">text</failure>'), 'yes yes yes'],
  ['a failure without type', one('<failure message="m">text</failure>'), 'yes no yes'],
  ['a failure without text', one('<failure type="t" message="m"/>'), 'yes yes no'],
  ['a failure with an element', one('<failure type="t"><b/></failure>'), 'no no no'],
  ['an error', one('<error type="t" message="m">text</error>'), 'yes yes yes'],
  ['a skipped case', one('<skipped message="m">text</skipped>'), 'yes yes yes'],
  ['a skipped case with a type', one('<skipped type="t" message="m">text</skipped>'), 'yes no yes'],
  ['a skipped case with another attribute', one('<skipped reason="m">text</skipped>'), 'no no yes'],
  ['two failures', one('<failure type="t">a</failure><failure type="t">b</failure>'), 'yes no yes'],
  ['a system-out of a case', one('<system-out>a</system-out>'), 'yes no yes'],
  ['a failure and a system-out', one('<failure type="t">a</failure><system-out>a</system-out>'), 'yes no yes'],
  ['properties of a case', one('<properties/>'), 'no no yes'],
  ['a file of a case', one('', `${CASE} file="f"`), 'no no yes'],
  ['a line of a case', one('', `${CASE} line="1"`), 'no no yes'],
  ['a case without a class', one('', 'name="n" time="0"'), 'yes no no'],
  ['a case without a name', one('', 'classname="c" time="0"'), 'no no no'],
  ['a case without a time', one('', 'classname="c" name="n"'), 'yes no no'],
  ['a time that is no number', one('', 'classname="c" name="n" time="1s"'), 'yes no no'],
  ['two cases of one name', suite(`<testcase ${CASE}/><testcase ${CASE}/>`), 'yes yes no'],
  ['skipped cases of all suites', suite('', { root: ' skipped="0"' }), 'no no yes'],
  ['tests of all suites', suite('', { root: ' tests="0" failures="0" errors="0" time="0" name="a"' }), 'yes no yes'],
  ['skipped cases of a suite', suite('', { attributes: `name="s" skipped="0" ${ROOT}` }), 'yes yes yes'],
  ['a suite without a name', suite('', { attributes: ROOT }), 'no no yes'],
  ['a suite without errors', suite('', { attributes: `name="s" ${ROOT.replace('errors="0"', '')}` }), 'no no yes'],
  ['a suite without a host', suite('', { attributes: `name="s" ${ROOT.replace('hostname="h"', '')}` }), 'yes no yes'],
  ['a suite without a number', suite('', { attributes: `name="s" ${ROOT.replace('id="0"', '')}` }), 'yes no yes'],
  ['a timestamp with a zone', suite('', { attributes: `name="s" ${ROOT.replace(':05"', ':05Z"')}` }), 'yes no yes'],
  ['a timestamp with a fraction', suite('', { attributes: `name="s" ${ROOT.replace(':05"', ':05.678"')}` }), 'yes no yes'],
  ['a negative time of a suite', suite('', { attributes: `name="s" ${ROOT.replace('time="0"', 'time="-0.001"')}` }), 'no yes yes'],
  ['a time of a suite with commas', suite('', { attributes: `name="s" ${ROOT.replace('time="0"', 'time="1,234.5"')}` }), 'yes no yes'],
  ['a time of a suite with an exponent', suite('', { attributes: `name="s" ${ROOT.replace('time="0"', 'time="1e3"')}` }), 'no no yes'],
  ['a suite without properties', suite('', { before: '' }), 'yes no yes'],
  ['a property', suite('', { before: '<properties><property name="a" value="b"/></properties>' }), 'yes yes yes'],
  ['a property without a value', suite('', { before: '<properties><property name="a"/></properties>' }), 'no no yes'],
  ['a suite without a system-err', suite('', { after: '<system-out/>' }), 'yes no yes'],
  [
    'a system-out before the cases',
    suite(`<testcase ${CASE}/>`, { before: '<properties/><system-out/>', after: '<system-err/>' }),
    'yes no yes',
  ],
  ['a suite in a suite', suite('', { before: `<properties/><testsuite name="s" ${ROOT}/>` }), 'yes no yes'],
];

test.describe('a schema', () => {
  for (const [index, schema] of schemas.entries()) {
    test(`of ${schema} accepts and refuses what its source does`, async () => {
      const errors = await errorsOf(
        schema,
        samples.map(([, xml]) => xml),
      );
      const verdicts = samples.map(([what], number) => [what, errors.some((error) => error.startsWith(`${number}.xml:`)) ? 'no' : 'yes']);
      expect(verdicts).toEqual(samples.map(([what, , expected]) => [what, expected.split(' ')[index]]));
    });
  }
});
