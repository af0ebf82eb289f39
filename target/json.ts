/** Parses a JSON text. Returns undefined if it is not JSON, such as the last line of a process that was ended while it wrote. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
