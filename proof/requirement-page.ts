import { catalogue, facts, questions, type Requirement } from '../schemas/catalogue.ts';
import { resolvePointer } from '../schemas/contract.ts';
import type { Check } from './check-collector.ts';
import { lawful } from './lawful/index.ts';
import { placeOf } from './places.ts';
import { brokenServers, generatedOnlyServers } from './servers.ts';
import type { BrokenServer, Variant } from './variant.ts';

/** Characters of the page's text around the words that a requirement rests on. */
const AROUND = 300;

const broken = [...brokenServers, ...generatedOnlyServers];

/** Returns the page of a requirement as Markdown: its source, its checks, the broken servers that prove them and the lawful ones that limit them. Links start at `root`. */
export function requirementPage(requirement: Requirement, checks: readonly Check[], root: string): string {
  const { id, level, area, statement, unchecked } = requirement;
  const link = (file: string, line: number) => `[${file}:${line}](${root}${file}#L${line})`;
  const own = checks.filter(({ requirements }) => requirements.includes(id));
  const servers = broken
    .filter(({ breaks }) => breaks.includes(id))
    .sort((a, b) => Number(b.breaks[0] === id) - Number(a.breaks[0] === id));
  const lenient = lawful.filter(({ limits }) => limits.includes(id));
  const open = questions.filter(({ bounds }) => bounds.includes(id));
  return [
    `# ${id}`,
    '',
    `**${level}**, area \`${area}\`. ${statement}`,
    '',
    '## Source',
    '',
    ...sourceOf(requirement),
    '',
    '## Checks',
    '',
    ...(unchecked ? [`Not checked: ${unchecked}.`] : checkLines(own, link)),
    '',
    `Run them: \`npm run conformance -- --grep '@${id}( |$)'\``,
    '',
    '## Broken servers',
    '',
    ...(servers.length
      ? ['The proof runs these checks on servers that break the requirement. In bold: the requirement is what the server breaks first.', '']
      : ['None.']),
    ...servers.map((server) => serverLine(server, id, link)),
    ...(lenient.length
      ? ['', '## Lawful servers that limit it', '', roomLine(level), '', ...lenient.map((server) => variantLine(server, link))]
      : []),
    ...(open.length ? ['', '## Open questions beside it', '', ...open.map((row) => `- ${row.id}: ${row.question}`)] : []),
    '',
  ].join('\n');
}

/** Returns the page that lists every requirement. */
export function indexPage(checks: readonly Check[]): string {
  const rows = catalogue.map(({ id, level, statement }) => {
    const own = checks.filter(({ requirements }) => requirements.includes(id)).length;
    const servers = broken.filter(({ breaks }) => breaks.includes(id)).length;
    const limiting = lawful.filter(({ limits }) => limits.includes(id)).length;
    return `| [${id}](${id}.md) | ${level} | ${statement} | ${own} | ${servers} | ${limiting} |`;
  });
  return [
    '# Requirements',
    '',
    'One page for each requirement: its source, its checks, the broken servers that prove them and the lawful servers that limit them. `npm run docs` writes these pages.',
    '',
    '| id | level | requirement | checks | broken servers | lawful servers |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

/** The words that a requirement rests on, in bold, with what stands around them. */
function sourceOf({ source }: Requirement): string[] {
  if ('rfc' in source)
    return [
      `${source.rfc}, section ${source.section}: <https://www.rfc-editor.org/rfc/${source.rfc.toLowerCase().replace(' ', '')}#section-${source.section}>`,
    ];
  if ('fact' in source) {
    const fact = facts.find(({ id }) => id === source.fact);
    return [`> ${fact?.statement}`, '', `${fact?.published} (\`schemas/facts.yaml\`, ${source.fact})`];
  }
  const value = resolvePointer(source.pointer);
  const text = (typeof value === 'string' ? value : JSON.stringify(value)).replaceAll(/\s+/g, ' ').trim();
  const start = text.indexOf(source.words);
  const [from, to] = [Math.max(0, start - AROUND), Math.min(text.length, start + source.words.length + AROUND)];
  const before = `${from > 0 ? '… ' : ''}${text.slice(from, start)}`;
  const after = `${text.slice(start + source.words.length, to)}${to < text.length ? ' …' : ''}`;
  const quoted = start < 0 ? text : `${before}**${source.words}**${after}`;
  return [`> ${quoted}`, '', `OpenAPI, \`${source.pointer}\``];
}

type Link = (file: string, line: number) => string;

/** The checks, those that one line declares together. */
function checkLines(checks: readonly Check[], link: Link): string[] {
  const places = new Map<string, string[]>();
  for (const { place, title } of checks) places.set(place, [...(places.get(place) ?? []), title]);
  return [...places].map(([place, titles]) => {
    const [file = '', line] = place.split(':');
    const more = titles.length > 1 ? ` and ${titles.length - 1} more` : '';
    return `- ${titles[0]}${more} (${link(`tests/${file}`, Number(line))})`;
  });
}

const roomLine = (level: Requirement['level']) =>
  level === 'MUST'
    ? 'The contract allows each of these, so no check of this requirement may fail on them.'
    : 'The contract allows each of these: a run on them has at most a warning.';

function serverLine(server: BrokenServer, id: string, link: Link): string {
  const { breaks, shownBy, origin } = server;
  const notes = [...(shownBy ? ['only generated checks show it'] : []), ...(origin ? ['written without knowledge of the checks'] : [])];
  const line = variantLine(server, link, breaks[0] === id ? '**' : '');
  return `${line}${notes.length ? ` (${notes.join('; ')})` : ''}`;
}

function variantLine({ name, why }: Variant, link: Link, emphasis = ''): string {
  const place = placeOf(name);
  return `- ${emphasis}\`${name}\`${emphasis}: ${why}${place ? ` ${link(place.file, place.line)}` : ''}`;
}
