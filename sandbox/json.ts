/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | JsonObject;

/** A JSON object, its property names unknown. */
export interface JsonObject {
  [name: string]: Json;
}

/** Tells a JSON object from the other JSON values. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// Strings are matched only to be skipped: digits inside them are no numbers.
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi;

/** The first number of a valid JSON text that would not read back as it was written, since a double cannot hold it. */
export function inexactNumber(text: string): string | undefined {
  for (const [token] of text.matchAll(STRING_OR_NUMBER)) {
    if (!token.startsWith('"') && !isExact(token)) return token;
  }
  return undefined;
}

function isExact(number: string): boolean {
  // No double needs more digits than this; it also bounds the work on a number of a million digits.
  return number.length <= 400 && decimal(number) === decimal(String(Number(number)));
}

/** One spelling for each decimal value, its sign left out: `1.50` and `15e-1` are both `15e-1`. */
function decimal(number: string): string | undefined {
  const parts = /^-?(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(number);
  if (!parts) return undefined;
  const [, whole = '', fraction = '', exponent = '0'] = parts;
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  return `${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}
