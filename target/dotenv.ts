import { parse } from 'dotenv';
import { SettingsError, shown } from './settings-error.ts';
import { readTextFile, TEXT_LIMIT, TextFileError } from './text-file.ts';

const IGNORED = /[^\S\n]*(?:#[^\n]*)?(?:\n|$)/y;
const NAME = /[^\S\n]*(?:export[^\S\n]+)?[\w.-]+(?:[^\S\n]*=|:[^\S\n])[^\S\n]*/y;
const QUOTED = /(?:"(?:\\"|[^"])*"|'(?:\\'|[^'])*'|`(?:\\`|[^`])*`)[^\S\n]*(?:#[^\n]*)?(?:\n|$)/y;
const UNQUOTED = /[^\n]*(?:\n|$)/y;

/**
 * Returns the environment (`process.env` by default), completed by the file `.env` or the one that `DOTENV_CONFIG_PATH`, dotenv's own
 * variable, names; the environment wins. A missing file is an empty one. Throws SettingsError if dotenv would skip a line of the file or
 * cut a value.
 */
export function environment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const path = env.DOTENV_CONFIG_PATH ?? '.env';
  try {
    return { ...parseStrictly(readTextFile(path, TEXT_LIMIT), path), ...env };
  } catch (error) {
    if (!(error instanceof TextFileError)) throw error;
    if (error.code === 'ENOENT') return { ...env };
    throw new SettingsError(`${shown(path)} ${error.message}`);
  }
}

/** Parses assignment by assignment, so that what dotenv makes of one cannot depend on the lines around it. */
function parseStrictly(content: string, path: string): Record<string, string> {
  const text = content.replaceAll(/\r\n?/g, '\n');
  const entries: [string, string][] = [];
  let line = 1;
  for (let start = 0; start < text.length; ) {
    const ignored = endOf(IGNORED, text, start);
    const end = ignored ?? endOfAssignment(text, start, `${shown(path)}, line ${line}:`);
    const statement = text.slice(start, end);
    if (ignored === undefined) entries.push(...Object.entries(parse(statement)).slice(0, 1));
    line += statement.split('\n').length - 1;
    start = end;
  }
  return Object.fromEntries(entries);
}

/** Returns where an assignment ends. The messages do not repeat the line: it may hold a key. */
function endOfAssignment(text: string, start: number, place: string): number {
  const value = endOf(NAME, text, start);
  if (value === undefined) throw new SettingsError(`${place} not an assignment; write NAME=value, or # before a comment`);
  if (/["'`]/.test(text[value] ?? '')) {
    const end = endOf(QUOTED, text, value);
    if (end !== undefined) return end;
    throw new SettingsError(
      `${place} the quote is not closed, or text follows the closing quote; close it, or put the value in another kind of quotes`,
    );
  }
  const end = endOf(UNQUOTED, text, value) ?? text.length;
  const hash = text.slice(value, end).indexOf('#');
  if (hash >= 0 && !/\s/.test(text[value + hash - 1] ?? '')) {
    throw new SettingsError(`${place} the value would be cut at “#”; put the value in quotes, or a space before a comment`);
  }
  return end;
}

/** Returns where a match that begins at `start` ends; undefined without one. */
function endOf(pattern: RegExp, text: string, start: number): number | undefined {
  pattern.lastIndex = start;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}
