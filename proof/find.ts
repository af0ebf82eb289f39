import { misspelt } from '../target/suggestion.ts';
import { brokenServers, conformingServer, generatedOnlyServers, lawfulServers } from './servers.ts';
import type { BrokenServer, LawfulServer } from './variant.ts';

const servers: readonly (BrokenServer | LawfulServer)[] = [conformingServer, ...brokenServers, ...generatedOnlyServers, ...lawfulServers];

/** Returns the server of this name, or a line that says that there is none. */
export function findServer(name: string): BrokenServer | LawfulServer | string {
  if (name === '') return 'Write the name of a server: npm run serve -- removal-kept-as-null';
  const names = servers.map((server) => server.name);
  return servers.find((server) => server.name === name) ?? `There is no server ${name}; ${suggest(name, names)}`;
}

/** Returns what to write instead of a name that does not exist. */
export function suggest(name: string, names: readonly string[]): string {
  const near = misspelt(name, names) ?? names.find((each) => each.includes(name) || name.includes(each));
  return near === undefined ? 'docs/requirements/ has the names' : `did you mean ${near}?`;
}
