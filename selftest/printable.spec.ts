import { createRequire } from 'node:module';
import { expect, test } from '@playwright/test';
import fc from 'fast-check';
import { markdownCell, markdownFence, printable, shorten, xmlText } from '../target/printable.ts';

const RUNS = { seed: 1795, numRuns: 500 };

/** Texts that somebody would send to do harm, beside ordinary ones. */
const hostile = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }) },
      fc.string({ maxLength: 8 }),
      fc.constantFrom('::error::x', '##[', '##vso[', '##teamcity[', '\n', '\r\n', ' ', '\t', '\x1b[2J', '\u2028', '\u202e', '\0', '\ufffe'),
      fc.constantFrom('\ud83d', '\ude00', '😀', '👩‍🚀', '\u{1fffe}', '\u{e0041}', '_*~', '&amp;', '$a$', '#1', '`', '``', '|', '\\', '\\|'),
      fc.constantFrom(
        '<b>',
        '</td>',
        '<!--',
        '![a](http://a.example)',
        '[a](b)',
        'https://a.example',
        'www.a.example',
        '@octocat',
        'a@b.example',
      ),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

test.describe('a printable text', () => {
  const texts: [string, string, string][] = [
    ['a colour', '\x1b[31mred\x1b[0m', '\\u001b[31mred\\u001b[0m'],
    ['a carriage return, which hides a line', 'failed\rpassed', 'failed\\u000dpassed'],
    ['a backspace, a bell, NUL', 'a\bb\x07c\0', 'a\\u0008b\\u0007c\\u0000'],
    ['DEL and C1', '\x7f\x80\x9b31m\x9f', '\\u007f\\u0080\\u009b31m\\u009f'],
    ['marks of direction', '\u202eabc\u2066d\u2069\u200f\u061c', '\\u202eabc\\u2066d\\u2069\\u200f\\u061c'],
    ['line and paragraph separators', 'a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
    ['zero-width characters', 'a\u200bb\u200cc\u200dd\u2060e\ufefff', 'a\\u200bb\\u200cc\\u200dd\\u2060e\\ufefff'],
    ['letters that nobody sees', 'a\u115fb\u3164c\uffa0d\u034fe', 'a\\u115fb\\u3164c\\uffa0d\\u034fe'],
    ['tags', '\u{e0041}\u{e007f}', '\\u{e0041}\\u{e007f}'],
    ['halves of pairs', 'a\ud83db\ude00', 'a\\ud83db\\ude00'],
    ['noncharacters', '\ufdd0\uffff\u{1fffe}', '\\ufdd0\\uffff\\u{1fffe}'],
    ["GitHub's commands", '::error::a\n  ::set-env name=a::b\n\t:::c', ': :error::a\n  : :set-env name=a::b\n\t: ::c'],
    ["GitHub's commands behind a space of another kind", '\u3000\u00a0::error::a', '\u3000\u00a0: :error::a'],
    ["GitHub's commands behind a mark of byte order", '\ufeff::error::a', '\\ufeff::error::a'],
    ["GitHub's older commands", 'a ##[error]b ###[c]', 'a ## [error]b ### [c]'],
    ["Azure's commands", '##vso[task.complete]a ##VSO[b]', '## vso[task.complete]a ## VSO[b]'],
    ["TeamCity's messages", "##teamcity[buildStop comment='a']", "## teamcity[buildStop comment='a']"],
  ];
  for (const [what, text, shown] of texts) test(`shows ${what}`, () => expect(printable(text)).toBe(shown));

  for (const text of [
    '',
    'a\n\tb',
    'Äß’ — ‹…›',
    '日本語',
    '😀 👩‍🚀 👩🏽‍🚀 ❤️‍🔥 🇨🇦',
    'soft\u00adhyphen',
    'std::vector a::b',
    '# [a] #1 ## b',
    String.raw`\u001b`,
  ]) {
    test(`leaves ${JSON.stringify(text)}`, () => expect(printable(text)).toBe(text));
  }

  test('is printable as it is', () => {
    const shows = fc.property(hostile, (text) => {
      const shown = printable(text);
      expect(printable(shown)).toBe(shown);
      expect(shown).not.toMatch(/[^\n\t\P{Cc}]|[\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069\u200b\u200e\u200f\ufeff]/u);
      for (const line of shown.split('\n')) expect(line).not.toMatch(/^\s*::|##(vso|teamcity)?\[/i);
    });
    fc.assert(shows, RUNS);
  });

  test('of a megabyte takes no more than seconds', () => {
    for (const unit of ['\u200d', ' ', ':', '#', '😀\u200d', '\n::', '\0']) {
      const start = performance.now();
      printable(unit.repeat(1_000_000 / unit.length));
      expect(performance.now() - start, JSON.stringify(unit)).toBeLessThan(5_000);
    }
  });
});

test.describe('a shortened text', () => {
  test('has a head, a tail and the number of what is left out', () => {
    expect(shorten('a'.repeat(200) + 'b'.repeat(356_000) + 'c'.repeat(200), 422)).toBe(
      `${'a'.repeat(200)}… 356,000 characters …${'c'.repeat(200)}`,
    );
  });

  test('is the text itself within the limit', () => {
    expect(shorten('a'.repeat(50), 50)).toBe('a'.repeat(50));
    expect(shorten('', 0)).toBe('');
  });

  test('is the number alone without room', () => {
    expect(shorten('a'.repeat(50), 5)).toBe('… 50 characters …');
  });

  test('cuts no pair, and counts it once', () => {
    for (let limit = 30; limit < 40; limit += 1) {
      const shown = shorten('😀'.repeat(100), limit);
      expect(shown.isWellFormed()).toBe(true);
      expect(shown.match(/😀/gu)?.length).toBe(100 - Number(/\d+/.exec(shown)?.[0]));
    }
  });

  test('is within the limit, begins and ends as the text does, and counts what is missing', () => {
    const counts = fc.property(
      fc.string({ unit: 'grapheme', minLength: 201, maxLength: 300 }),
      fc.integer({ min: 30, max: 200 }),
      (text, limit) => {
        const shown = shorten(text, limit);
        expect(shown.length).toBeLessThanOrEqual(limit);
        const { head = '', count, tail = '' } = /^(?<head>.*)… (?<count>\d+) characters …(?<tail>.*)$/su.exec(shown)?.groups ?? {};
        expect(text.startsWith(head) && text.endsWith(tail)).toBe(true);
        expect([...head, ...tail].length + Number(count)).toBe([...text].length);
      },
    );
    fc.assert(counts, RUNS);
  });
});

test.describe('a text for XML', () => {
  test('has escapes for what XML does not allow', () => {
    expect(xmlText('a\0b\x1b[1m\ud83d \ufffe\uffff')).toBe('a\\u0000b\\u001b[1m\\ud83d \\ufffe\\uffff');
  });

  test('leaves the rest, markup too', () => {
    for (const text of ['a\t\n\rb', '<a>&amp;]]>', 'Ä\x7f\x80😀\ue000\ufffd\u{10ffff}']) expect(xmlText(text)).toBe(text);
  });

  test('has only characters of XML 1.0', () => {
    const allows = fc.property(hostile, (text) => {
      const codes = [...xmlText(text)].map((character) => character.codePointAt(0) ?? 0);
      const isAllowed = (code: number) =>
        [9, 10, 13].includes(code) || (code >= 0x20 && code < 0xd800) || (code >= 0xe000 && code < 0xfffe) || code > 0xffff;
      expect(codes.filter((code) => !isAllowed(code))).toEqual([]);
    });
    fc.assert(allows, RUNS);
  });
});

/** What this spec uses of the parser, which has no types. */
type Token = { type: string; content: string; children: Token[] | null };
const markdownIt: new (options: object) => { parse(text: string, env: object): Token[] } = createRequire(import.meta.url)('markdown-it');
/** As permissive as a page that shows Markdown can be. */
const parser = new markdownIt({ html: true, linkify: true, typographer: true });

/** The parts of the middle cell of three. */
function cellOf(text: string): Token[] {
  const tokens = parser.parse(`| a | b | c |\n|---|---|---|\n| 1 | ${text} | 3 |\n| 4 | 5 | 6 |`, {});
  const cells = tokens.filter(({ type }) => type === 'inline');
  expect(cells.map(({ content }) => content).toSpliced(4, 1)).toEqual(['a', 'b', 'c', '1', '3', '4', '5', '6']);
  return cells[4]?.children ?? [];
}

test.describe('a text in a cell of a table', () => {
  const texts: Record<string, string> = {
    'a pipe': 'a|b\\|c\\\\|d',
    'line feeds': 'a\n\nb\n',
    backticks: '`a` ``b`` `',
    'spaces around': '  a ',
    'one space on a side': ' `a',
    'an HTML tag': '<img src=x onerror=alert(1)><!-- </table>',
    'a link and an image': '[a](http://a.example) ![b](http://b.example/c.png) <http://c.example> http://d.example www.e.example',
    'a mention and an address': '@octocat a@b.example',
    'emphasis, an entity, an escape': '**a** _b_ ~c~ &amp; \\*',
    'a control character': 'a\x1b[2Jb',
    'nothing for a blank line': 'a\n   \nb',
  };
  for (const [what, text] of Object.entries(texts)) test(`shows ${what}`, () => expectShown(text));
  test('is nothing if it is empty', () => expect(markdownCell('')).toBe(''));
  test('shows any text', () => fc.assert(fc.property(hostile, expectShown), RUNS));

  /** Each line is one piece of code, which no parser looks into; tags of the cell's own part them. */
  function expectShown(text: string): void {
    const parts = cellOf(markdownCell(text)).filter(({ type, content }) => type !== 'text' || content !== '');
    expect(
      parts.filter(({ type }) => type !== 'code_inline').every(({ type, content }) => type === 'html_inline' && content === '<br>'),
    ).toBe(true);
    const shown = parts.map(({ type, content }) => (type === 'code_inline' ? content : '\n')).join('');
    expect(shown).toBe(printable(text).replace(/^[^\S\n]+$/gm, ''));
  }
});

test.describe('a text in a fenced block', () => {
  const texts = ['', 'a', 'a\n', '```\nb\n```', '`````', '~~~', '</pre><script>', '@octocat', '    indented', '\n\n# a', 'a\x1b[2Jb'];
  for (const text of texts) {
    test(`shows ${JSON.stringify(text)}`, () => expectShown(text));
  }
  test('shows any text', () => fc.assert(fc.property(hostile, expectShown), RUNS));
  test('shows a megabyte of backticks in turn', () => expectShown('`a'.repeat(500_000)));

  function expectShown(text: string): void {
    const tokens = parser.parse(`before\n\n${markdownFence(text)}\n\nafter`, {});
    const [before, block, after] = tokens.filter(({ type }) => type === 'inline' || type === 'fence' || type.startsWith('html'));
    expect([before?.type, block?.type, after?.type]).toEqual(['inline', 'fence', 'inline']);
    expect(block?.content).toBe(`${printable(text)}\n`);
  }
});
