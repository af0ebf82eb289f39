import { SettingsError } from './settings-error.ts';

/** A case of a generated check, as a failure report gives it. */
export type Replay = {
  /** The title of the check. */
  title: string;
  /** fast-check's seed of the check. */
  seed: number;
  /** fast-check's path to the case. */
  path: string;
  /** fast-check's replayPath, of a history. */
  commands?: string;
};

/** Writes a replay as the value of TRUSTLY_REPLAY. */
export const writeReplay = ({ seed, path, commands = '', title }: Replay) => [seed, path, commands, title].join(';');

/** Reads what `writeReplay` wrote. Throws SettingsError for anything else. */
export function readReplay(value: string): Replay {
  const [, seed, path = '', commands, title = ''] = /^(-?\d{1,10});([\d:]+);([\w:+/=-]*);(\P{Cc}+)$/u.exec(value) ?? [];
  if (seed === undefined) {
    throw new SettingsError('TRUSTLY_REPLAY is not a valid replay value; copy it from a failure report, like 1234;7:0:1;;a title');
  }
  return { seed: Number(seed), path, title, ...(commands && { commands }) };
}
