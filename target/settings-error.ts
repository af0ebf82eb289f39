import { printable, shorten } from './printable.ts';

/** Thrown when the user can correct the cause. The message is one line that says what to write instead; the exit code is 3. */
export class SettingsError extends Error {
  override name = 'SettingsError';
  /** Playwright prints it, if it loads the configuration by itself. */
  override stack = `SettingsError: ${this.message}`;
}

/** Returns a text for an error message: one line, printable, at most 200 characters. */
export function shown(text: string): string {
  return printable(shorten(text, 200).replaceAll(/\s/g, ' '));
}
