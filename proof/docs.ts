import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { startSandbox } from '../sandbox/server.ts';
import { areas, catalogue, generatedAreas } from '../schemas/catalogue.ts';
import { collectChecks } from './check-collector.ts';
import { indexPage, requirementPage } from './requirement-page.ts';
import { basePathOf, brokenServers, generatedOnlyServers, lawfulServers, mountsOf } from './servers.ts';
import type { BrokenServer } from './variant.ts';

const ROOT = new URL('../', import.meta.url);
const PAGES = 'docs/requirements/';

/** Everything that `npm run docs` generates: the path of a file, and its text. */
export async function generateDocs(): Promise<Map<string, string>> {
  const checks = await collectChecks([...areas, ...generatedAreas]);
  const pages = new Map(catalogue.map((row) => [`${PAGES}${row.id}.md`, requirementPage(row, checks, '../../')]));
  pages.set(`${PAGES}README.md`, indexPage(checks));
  const numbers = [
    `${catalogue.filter(({ unchecked }) => !unchecked).length} requirements, ${checks.length} checks.`,
    `${brokenServers.length + generatedOnlyServers.length} broken servers: each fails a check of a requirement that it breaks, ${generatedOnlyServers.length} of them only generated checks.`,
    `${lawfulServers.length} lawful servers: none fails a MUST.`,
  ].map((line) => `- ${line}`);
  const sample = `\n\`\`\`text\n${await sampleOutput()}\n\`\`\`\n`;
  pages.set('README.md', replaceBlock(replaceBlock(read('README.md'), 'numbers', numbers.join('\n')), 'sample', sample));
  pages.set('CONTRIBUTING.md', withSnippets(read('CONTRIBUTING.md')));
  return pages;
}

/** What the command prints for a server that breaks one promise; ports, prefixes and ids are always the same. */
async function sampleOutput(): Promise<string> {
  const server = brokenServers.find(({ name }) => name === 'removal-to-default') as BrokenServer;
  const sandbox = await startSandbox({ mounts: mountsOf([server]) });
  const { accessId = '', accessKey = '' } = sandbox.merchants[0] ?? {};
  const out = mkdtempSync(join(tmpdir(), 'sample-'));
  const env = {
    ...process.env,
    CI: 'true',
    DOTENV_CONFIG_PATH: 'none',
    TRUSTLY_BASE_URL: `${sandbox.origin}${basePathOf(server)}`,
    TRUSTLY_ACCESS_ID: accessId,
    TRUSTLY_ACCESS_KEY: accessKey,
    TRUSTLY_TARGET_NAME: 'my-mock',
    TRUSTLY_SEED: '1',
    TRUSTLY_OUT: out,
  };
  const child = spawn(process.execPath, ['reports/start.mjs', '--project=removal', '--workers=1'], { env, cwd: fileURLToPath(ROOT) });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  await once(child, 'close');
  await sandbox.close();
  rmSync(out, { recursive: true });
  return output
    .replaceAll(env.TRUSTLY_BASE_URL, 'http://127.0.0.1:8080/api/v1')
    .replaceAll(out, 'reports/out')
    .replaceAll(/begins with \d+/g, 'begins with 17956819199552')
    .replaceAll(/customers\/\d+/g, 'customers/1002580968')
    .trim();
}

const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');

/** Replaces what stands between `<!-- name -->` and `<!-- /name -->`. Throws if the text has no such place. */
function replaceBlock(text: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`there is no place for ${start} … ${end}`);
  return `${text.slice(0, from + start.length)}\n${content}\n${text.slice(to)}`;
}

/** Replaces each code block below `<!-- snippet FILE: FIRST LINE -->` by what the file has from that line to the end of its statement. */
function withSnippets(text: string): string {
  return text.replaceAll(/(<!-- snippet (\S+): (.+?) -->\n\n```ts\n)[\s\S]*?(^```$)/gm, (_block, head, file, first, tail) => {
    const lines = read(file).split('\n');
    const found = lines.findIndex((line) => line.includes(first));
    if (found < 0) throw new Error(`${file} has no line with ${first}`);
    // The name of a server stands below the brace that opens it.
    const start = lines[found - 1]?.trim() === '{' ? found - 1 : found;
    const indent = /^\s*/.exec(lines[start] as string)?.[0] ?? '';
    const end = lines.findIndex((line, index) => index > start && line.startsWith(indent) && /^[})\]]/.test(line.slice(indent.length)));
    return `${head}${lines
      .slice(start, end + 1)
      .map((line) => line.slice(indent.length))
      .join('\n')}\n${tail}`;
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const docs = await generateDocs();
  rmSync(new URL(PAGES, ROOT), { recursive: true, force: true });
  mkdirSync(new URL(PAGES, ROOT), { recursive: true });
  for (const [path, text] of docs) writeFileSync(new URL(path, ROOT), text);
  console.log(`${docs.size} files were written; ${PAGES}README.md lists the pages`);
}
