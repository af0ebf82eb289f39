import { SettingsError, shown } from './settings-error.ts';
import { misspelt } from './suggestion.ts';
import { HEADER_PREFIX, variables } from './variables.ts';

const PREFIX = 'TRUSTLY_';
const HEADER = `${HEADER_PREFIX}<NAME>`;

/**
 * Checks the names of an environment and that no setting is empty. Returns a warning, one line, for each `TRUSTLY_…` name that is not a
 * setting and resembles none. Throws SettingsError for one that does.
 */
export function checkNames(env: NodeJS.ProcessEnv): string[] {
  const unknown = Object.keys(env).filter((name) => env[name] !== undefined && canonical(name).startsWith(PREFIX) && !isSetting(name, env));
  const warnings = unknown.map((name) => `${shown(name)} is not a setting of this suite; it is ignored`);
  if (warnings.length && env.TRUSTLY_BASE_URL === undefined) {
    warnings.push('TRUSTLY_BASE_URL is not set, so the embedded sandbox is tested');
  }
  return warnings;
}

function isSetting(name: string, env: NodeJS.ProcessEnv): boolean {
  if (Object.hasOwn(variables, name) || /^TRUSTLY_HEADER_[A-Z0-9_]+$/.test(name)) {
    if (!env[name]?.trim()) throw new SettingsError(`${name} is empty; give it a value or remove it`);
    return true;
  }
  const meant = nearest(canonical(name));
  if (!meant) return false;
  const how = meant === canonical(name) ? `write ${meant}` : `did you mean ${meant}?`;
  throw new SettingsError(`${shown(name)} is not a setting; ${how}`);
}

/** Returns a name as settings are written: `trustly.base-url` is TRUSTLY_BASE_URL. */
const canonical = (name: string) => name.toUpperCase().replaceAll(/[.-]/g, '_');

function nearest(name: string): string | undefined {
  if (/^TRUSTLY_HEADER_[A-Z0-9_]+$/.test(name)) return name;
  if (/^TRUSTLY_HEADERS?(_|$)/.test(name)) return HEADER;
  const names = Object.keys(variables)
    .filter((known) => known !== HEADER)
    .map((known) => known.slice(PREFIX.length));
  const rest = name.slice(PREFIX.length);
  const words = rest.split('_').filter(Boolean);
  const containing = names.filter((candidate) => words.length > 0 && words.every((word) => candidate.split('_').includes(word)));
  const meant = names.find((candidate) => candidate === rest) ?? containing[0] ?? misspelt(rest, names);
  return meant && `${PREFIX}${meant}`;
}
