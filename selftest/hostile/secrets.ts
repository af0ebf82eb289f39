import { CANARY } from './target.ts';

const { accessId, accessKey } = CANARY;
const token = Buffer.from(`${accessId}:${accessKey}`).toString('base64');
const reversed = (text: string) => [...text].reverse().join('');
const unicode = (text: string) => [...text].map((character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');

/** The Base64 of a text wherever it begins in other text: without the characters that its neighbours decide too. */
function base64(text: string): string[] {
  return [0, 1, 2].map((offset) => {
    const bytes = Buffer.from(`${'x'.repeat(offset)}${text}`);
    return bytes.toString('base64').slice(Math.ceil((offset * 8) / 6), Math.floor((bytes.length * 8) / 6));
  });
}

const encodings = (secret: string) => [
  ...base64(secret),
  ...base64(secret).map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
  Buffer.from(secret).toString('hex'),
  Buffer.from(secret).toString('hex').toUpperCase(),
  unicode(secret),
];

// Attachments are JSON in Base64.
const inJson = JSON.stringify(accessKey).slice(1, -1);
const NEEDLES = [
  token,
  reversed(token),
  ...encodings(accessKey),
  ...encodings(inJson),
  ...encodings(token),
  ...encodings(reversed(accessKey)),
];

// The key's letters and digits, however each of its other characters is escaped: for JSON, XML, HTML, URLs, Markdown, shells.
const escapedAnyhow = (text: string) => new RegExp(text.split(/[^A-Za-z0-9]+/).join('[^]{1,24}?'));
const LOOSE = [escapedAnyhow(accessKey), escapedAnyhow(reversed(accessKey))];

/** The first form of the canary key that stands in a text. */
export function secretIn(text: string): string | undefined {
  return (
    NEEDLES.find((needle) => text.includes(needle)) ?? LOOSE.map((pattern) => pattern.exec(text)?.[0]).find((match) => match !== undefined)
  );
}
