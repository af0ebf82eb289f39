import leven from 'leven';

/** Returns the name that this one is a misspelling of: at most three letters differ, and not all of them; undefined if there is none. */
export function misspelt(name: string, names: readonly string[]): string | undefined {
  return names
    .map((candidate) => ({ candidate, distance: leven(name, candidate) }))
    .filter(({ candidate, distance }) => distance <= 3 && distance < Math.min(name.length, candidate.length))
    .sort((one, other) => one.distance - other.distance)[0]?.candidate;
}
