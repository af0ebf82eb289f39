/**
 * What a terminal acts on or nobody sees: control characters, format characters such as marks of direction, line and paragraph separators,
 * halves of pairs, noncharacters. The first alternative, which has no group, is a joiner inside an emoji.
 */
const HIDDEN =
  /\u200d(?<=\p{Extended_Pictographic}[\ufe0f\p{Emoji_Modifier}]?\u200d)(?=\p{Extended_Pictographic})|(?![\t\n\u00ad\p{Variation_Selector}])([\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}\p{Default_Ignorable_Code_Point}])/gu;

/**
 * Returns a text that a terminal and a CI log show as it is. Line feeds and tabs stay; whatever else acts on a terminal or cannot be seen
 * becomes an escape: `\u001b`. A space breaks up what a CI would take for a command: `::` at the beginning of a line becomes `: :` (GitHub
 * Actions), `##[`, `##vso[` and `##teamcity[` become `## [` and so on (GitHub Actions, Azure Pipelines, TeamCity).
 */
export function printable(text: string): string {
  return text
    .replace(HIDDEN, (character, hidden?: string) => (hidden === undefined ? character : escaped(character)))
    .replace(/^([^\S\n]*:)(?=:)/gm, '$1 ')
    .replace(/##(?=(?:vso|teamcity)?\[)/gi, '## ');
}

/** Returns a text with an escape, `\u0000`, for each character that XML 1.0 does not allow. Markup is left as it is. */
export function xmlText(text: string): string {
  return text.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, escaped);
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

/**
 * Returns a text of at most `limit` UTF-16 units. A longer text keeps its head and its tail; between them is the number of characters that
 * are left out. If the limit leaves no room for head and tail, only the number remains.
 */
export function shorten(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const [head, tail] = middleOf(text, limit);
  return text.slice(0, head) + leftOut(text.slice(head, tail)) + text.slice(tail);
}

/** Returns where the part of a text begins and ends that a limit leaves out. */
export function middleOf(text: string, limit: number): [number, number] {
  const room = Math.max(0, limit - mark(text.length).length);
  return [whole(text, Math.ceil(room / 2), -1), whole(text, text.length - Math.floor(room / 2), 1)];
}

/** Returns the text that replaces a part that is left out. */
export function leftOut(part: string): string {
  return mark(part.replace(/[\ud800-\udbff][\udc00-\udfff]/g, ' ').length);
}

const mark = (count: number) => `… ${count.toLocaleString('en-US')} characters …`;

/** The place itself, or the next one in this direction if it would cut a surrogate pair. */
function whole(text: string, place: number, step: -1 | 1): number {
  return /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(Math.max(0, place - 1), place + 1)) ? place + step : place;
}

/** Returns a text for a cell of a Markdown table: each line as code, so that nothing in it is rendered, linked or mentions anybody. */
export function markdownCell(text: string): string {
  return printable(text)
    .split('\n')
    .map((line) => {
      if (line.trim() === '') return '';
      const fence = '`'.repeat(longestRun(line) + 1);
      // Markdown removes one space if both sides have one; backticks need one beside the fence.
      const side = /^[ `]|[ `]$/.test(line) && line.trim() ? ' ' : '';
      return `${fence}${side}${line.replaceAll('|', '\\|')}${side}${fence}`;
    })
    .join('<br>');
}

/** Returns a text as a fenced block of Markdown, without a line feed at its end. */
export function markdownFence(text: string): string {
  const shown = printable(text);
  const fence = '`'.repeat(Math.max(3, longestRun(shown) + 1));
  return `${fence}text\n${shown}\n${fence}`;
}

/** The length of the longest run of backticks. */
const longestRun = (text: string) => (text.match(/`+/g) ?? []).reduce((longest, { length }) => Math.max(longest, length), 0);
