import { answering, type Spoil, spoiling, tcp } from './proxy.ts';
import { accepted, from, refused, updates } from './spoils.ts';
import { EVERY_KIND_OF_REQUEST, type Serve, targets } from './target.ts';
import { type Answer, end, head, json, withBody, withField, withoutField } from './wire.ts';

const REDIRECT = /redirect|3\d\d|Location/i;

const spoil = (change: Spoil) => spoiling(accepted(change));

/** Answers what was accepted with another status line, and with its body if the status has one. */
const withStatus = (line: string, { body = true, fields = [] as string[] } = {}) =>
  spoil((answer, { socket }) => {
    const bare = { ...answer, headers: withoutField(withoutField(answer.headers, 'Content-Length'), 'Content-Type') };
    const lines = [...head(body ? answer : bare, `HTTP/1.1 ${line}`), ...fields];
    return end(socket, lines, body ? answer.body : '');
  });

const redirect = (status: number, location?: string): Answer =>
  json(
    status,
    { errors: [{ code: 100, message: 'Moved' }] },
    ...(location === undefined ? [] : ([['Location', location]] as [string, string][])),
  );

const refusal = (message: string) => ({ errors: [{ domain: 'com.example.Exception', code: 200, message }] });

/** Redirects every request to a server of another port, which nothing may contact. */
const toAnotherHost: Serve = async (upstream) => {
  const other = await tcp((socket) => socket.destroy())(upstream);
  const served = await answering(({ asked }) => redirect(307, `${new URL(other.baseUrl).origin}${asked.path}`))(upstream);
  return {
    ...served,
    offences: () => (other.requests() > 0 ? ['the host of the redirect was contacted'] : []),
    close: async () => {
      await served.close();
      await other.close();
    },
  };
};

/** Redirects every request to the same path with a slash, which nothing may ask for. */
const toSlash = answering(({ asked, accuse }) => {
  if (/\/(\?|$)/.test(asked.path)) accuse(`${asked.path}: a redirect was followed`);
  return redirect(308, asked.path.replace(/\?|$/, '/$&'));
});

/** Status codes that the page does not know, and codes that do not fit the answer. */
export const statuses = targets([
  ...['099 Early', '600 Beyond', '999 Denied'].map((line) => ({
    name: `status-${line.slice(0, 3)}`,
    why: 'HTTP has classes 1 to 5 only, so code that looks a class up finds nothing.',
    exits: [1, 2] as const,
    says: new RegExp(`${line.slice(0, 3)}|HTTP|parse|invalid|status`, 'i'),
    serve: withStatus(line),
  })),
  {
    name: 'status-of-two-digits',
    why: 'The status line is malformed.',
    exits: [1, 2],
    says: /20|HTTP|parse|invalid|status/i,
    serve: withStatus('20 OK'),
  },
  { name: 'status-201', why: 'Only 200 is documented.', exits: [1], says: /201/, serve: withStatus('201 Created') },
  {
    name: 'status-204',
    why: 'Only 200 is documented, and no body comes.',
    exits: [1],
    says: /204/,
    serve: withStatus('204 No Content', { body: false }),
  },
  {
    name: 'status-205',
    why: 'Only 200 is documented, and no body comes.',
    exits: [1],
    says: /205/,
    serve: withStatus('205 Reset Content', { body: false, fields: ['Content-Length: 0'] }),
  },
  {
    name: 'status-206',
    why: 'Only 200 is documented, and no range was asked for.',
    exits: [1],
    says: /206/,
    serve: withStatus('206 Partial Content', { fields: ['Content-Range: bytes 0-9/*'] }),
  },
  { name: 'status-304', why: 'No condition was sent.', exits: [1, 2], says: /304/, serve: withStatus('304 Not Modified', { body: false }) },
  { name: 'status-300', why: 'A choice of none.', exits: [1, 2], says: /300/, serve: withStatus('300 Multiple Choices') },
  {
    name: 'status-101',
    why: 'No upgrade was asked for; what follows is no HTTP.',
    exits: [1, 2],
    says: /101|upgrade|switch|HTTP|protocol|closed|socket|answer/i,
    serve: withStatus('101 Switching Protocols', { body: false, fields: ['Upgrade: websocket'] }),
  },
  {
    name: 'status-418',
    why: 'A plain customer is refused with a code that HTTP has reserved.',
    exits: [1],
    says: /418/,
    projects: ['answer', 'create'],
    serve: answering(() => json(418, refusal('Short and stout'))),
  },
  {
    name: 'lawful-reason-phrase-that-lies',
    why: 'The reason phrase means nothing (RFC 9112, 4), so this target is lawful.',
    exits: [0],
    serve: spoil((answer, { socket }) => end(socket, head(answer, 'HTTP/1.1 200 500 Internal Server Error ::error::x'), answer.body)),
  },
  {
    name: 'lawful-without-reason-phrase',
    why: 'The reason phrase may be empty (RFC 9112, 4), so this target is lawful.',
    exits: [0],
    serve: spoil((answer, { socket }) => end(socket, head(answer, 'HTTP/1.1 200 '), answer.body)),
  },
  {
    name: 'redirect-without-location',
    why: 'A redirect is not an answer, wherever it leads.',
    exits: [1, 2],
    says: REDIRECT,
    requests: 60,
    serve: answering(() => redirect(302)),
  },
  {
    name: 'redirect-to-itself',
    why: 'Whoever follows it never ends.',
    exits: [2],
    says: REDIRECT,
    requests: 60,
    serve: answering(({ asked }) => redirect(307, asked.path)),
  },
  {
    name: 'redirect-to-the-path-with-a-slash',
    why: 'A framework that likes slashes; the suite reports the redirect instead of following it.',
    exits: [2],
    says: REDIRECT,
    requests: 60,
    serve: toSlash,
  },
  {
    name: 'redirect-to-a-file',
    why: 'A URL that a careless client reads from its own disk.',
    exits: [2],
    says: REDIRECT,
    never: /root:x:0/,
    requests: 60,
    serve: answering(() => redirect(301, 'file:///etc/passwd')),
  },
  {
    name: 'redirect-to-another-host',
    why: 'The credentials would go to a outsider.',
    exits: [2],
    says: REDIRECT,
    requests: 60,
    serve: toAnotherHost,
  },
  {
    name: 'redirect-to-javascript',
    why: 'A URL that is a script where a report makes it a link, with line feeds once it is decoded.',
    exits: [2],
    says: REDIRECT,
    never: /^::error/m,
    requests: 60,
    serve: answering(() => redirect(303, 'javascript:alert(1)%0a::error::x%0d%0a##vso[task.setvariable]y')),
  },
  {
    name: 'redirect-on-updates',
    why: 'Creates are answered before the first redirect comes.',
    projects: EVERY_KIND_OF_REQUEST,
    exits: [1, 2],
    says: REDIRECT,
    serve: spoiling(updates((_answer, { asked }) => redirect(302, `http://hostile.invalid${asked.path}`))),
  },
  {
    name: '200-for-everything',
    why: 'What is refused is refused in the body alone.',
    exits: [1],
    says: /200|customer|refus|accept|credential/i,
    projects: ['create', 'refusal'],
    seconds: 60,
    serve: spoiling(refused((answer) => ({ ...answer, status: 200 }))),
  },
  {
    name: '503-one-in-five',
    why: 'A gateway at its limit: the run says how often and does not call it an outage alone.',
    projects: ['answer', 'create'],
    exits: [0, 1, 2],
    says: /503/,
    seconds: 60,
    serve: answering(({ forward }) => (Math.random() < 0.2 ? withBody(json(503, {}), 'upstream connect error') : forward())),
  },
  {
    name: '500-always',
    why: 'A 500 is the target’s own error and no outage.',
    exits: [1],
    says: /500/,
    serve: answering(() => json(500, refusal('Internal error'))),
  },
  {
    name: '503-always',
    why: 'A 503 says that the target is out of order.',
    exits: [2],
    says: /503/,
    serve: answering(() => json(503, refusal('Closed'))),
  },
  {
    name: '502-as-html-from-the-50th',
    why: 'A gateway lost the target in the middle of a run.',
    projects: EVERY_KIND_OF_REQUEST,
    exits: [2],
    says: /502/,
    serve: spoiling(
      from(50, () => {
        const page = withBody(json(502, {}), '<html><h1>502 Bad Gateway</h1></html>');
        return { ...page, headers: withField(page.headers, 'Content-Type', 'text/html') };
      }),
    ),
  },
]);
