// `npm run conformance`, in plain JavaScript: it also has something to say if nothing else can be loaded.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Exit code of a run that cannot be judged: misconfigured, or the suite itself failed. */
const UNJUDGED = 3;

function fail(line) {
  console.error(line);
  process.exit(UNJUDGED);
}

// Whoever reads the output may stop reading; the run goes on and writes its results.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) fail(`Node ${process.versions.node} is too old; install Node 20.19 or newer`);
if (!existsSync(new URL('../node_modules/tsx/package.json', import.meta.url))) fail('The dependencies are not installed; run npm ci');

// As npm does: relative paths of settings begin at the project's root.
process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const probe = join(tmpdir(), `conformance-probe-${process.pid}`);
try {
  mkdirSync(probe);
  writeFileSync(join(probe, 'probe'), 'probe');
} catch (error) {
  fail(`${tmpdir()} is not writable (${error.message.split(', ')[0]}); set TMPDIR to a writable folder`);
} finally {
  rmSync(probe, { recursive: true, force: true });
}

try {
  const { register } = await import('tsx/esm/api');
  register();
  const { main } = await import('./cli.ts');
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  fail(`The suite failed: ${String(error?.message ?? error).split('\n')[0]}; if files are missing, run npm ci`);
}
