import { sentences, validateAnswer, validateCustomerAnswer, validateCustomerList } from '../../schemas/contract.ts';
import type { RequirementId } from '../../schemas/requirement-id.ts';
import { type Answer, isId, isTooDeep } from '../../target/answer.ts';
import type { Mismatch } from '../../target/mismatch.ts';

/** A promise about every answer that one answer breaks, whatever its check is about. */
export type AnswerViolation = {
  /** The requirement. */
  id: RequirementId;
  /** What is wrong, in one line. */
  message: string;
  /** The differences, if they can be shown by property. */
  lines?: Mismatch[];
  /** Two requests showed it. */
  confirmed?: true;
  /** Identifies a defect: it is reported once per run. */
  shape: string;
};

/** What a 200 answers. */
export type Operation = 'upsert' | 'get' | 'list' | 'other';

/**
 * What the server's insides look like: a stack trace, SQL, a source file. The envelope's `domain`, an exception's name, does not count. Each
 * repetition is bounded, so that no text takes long to search.
 */
const INSIDES = [
  /\bat [\w$.<>]{1,200} ?\([^)]{0,300}:\d+\)/,
  /Traceback \(most recent call last\)/,
  /\bSELECT\b.{1,500}\bFROM\b|\bINSERT INTO\b|\bUPDATE \S{1,100} SET\b|\bDELETE FROM\b|\bSQLSTATE\b|\bORA-\d{5}\b/,
  // The path of a URL, which any property may contain, does not count.
  /(?<![\w:/.-])(?:\/[\w.-]{1,100}){2,20}\.(?:js|mjs|ts|java|kt|py|rb|php|go|cs|jar|class)\b/,
  /\b[A-Z]:\\\\?(?:[\w.-]{1,100}\\){1,20}/,
];

const isJson = (mediaType: string) => mediaType === 'application/json' || mediaType.endsWith('+json');

/** What one answer breaks. An answer that never came is judged where it is known whether the target is out of order. */
export function violationsOf(answer: Answer, operation: Operation): AnswerViolation[] {
  if (answer.status() === 0) return [];
  const found: AnswerViolation[] = [];
  const add = (id: RequirementId, message: string, shape = message) => found.push({ id, message, shape });
  if (answer.status() >= 500) add('REF-3', `the target answered ${answer}`, `${answer.status()}`);
  if (answer.leaks) add('ANS-7', 'the answer contains the key that the request was authorized with');
  if (isJson(answer.mediaType) && answer.text() !== '' && answer.json() === undefined) {
    add('REF-3', `the body of a ${answer.status()} is labelled as JSON but is not JSON${whyNot(answer)}`);
  }
  const insides = insidesOf(answer);
  if (insides) add('ANS-8', `the answer reveals internals of the server: ${JSON.stringify(insides)}`, 'insides');
  if (operation === 'upsert' && answer.status() > 200 && answer.status() < 300) {
    add('ANS-1', `an accepted request is answered ${answer}`, `${answer.status()}`);
  }
  if (answer.status() === 200) found.push(...schemaViolations(answer, operation));
  return found;
}

/** What hides a body that looks like JSON from whoever reads it; empty if that is not known. */
function whyNot(answer: Answer): string {
  const body = answer.text();
  if (!answer.isUtf8) return ': it is not UTF-8';
  if (body.startsWith('\uFEFF')) return ': it begins with a byte order mark';
  return isTooDeep(body) ? ': it is nested too deeply to be read' : '';
}

/** Returns the first internal detail of the server in an answer; what the request itself sent does not count. */
export function insidesOf(answer: Answer): string | undefined {
  const found = INSIDES.map((pattern) => pattern.exec(answer.text())?.[0]).find((text) => text && !answer.sent.includes(text));
  return found?.slice(0, 100);
}

function schemaViolations(answer: Answer, operation: Operation): AnswerViolation[] {
  if (operation === 'other') return [];
  if (operation === 'upsert' && answer.mediaType !== 'application/json') {
    const type = answer.headers()['content-type'] ?? 'no Content-Type';
    return [{ id: 'ANS-2', message: `a 200 has ${type}, not application/json`, shape: 'media type' }];
  }
  if (answer.json() === undefined) {
    return [{ id: operation === 'upsert' ? 'ANS-2' : 'ANS-6', message: 'the body of a 200 is not JSON', shape: 'no JSON' }];
  }
  const { customerId } = (answer.json() as { customer?: { customerId?: unknown } | null } | null)?.customer ?? {};
  const usable: boolean = isId(customerId);
  if (operation === 'upsert' && typeof customerId === 'string' && !usable) {
    const what =
      customerId === '' ? 'is empty' : customerId.isWellFormed() ? `has ${customerId.length} characters` : 'is not valid Unicode';
    return [{ id: 'ANS-4', message: `the customerId ${what}, so no request can name the customer`, shape: 'customerId' }];
  }
  const validate = { upsert: validateAnswer, get: validateCustomerAnswer, list: validateCustomerList }[operation];
  if (validate(answer.json())) return [];
  const errors = validate.errors ?? [];
  return errors.map((error) => {
    const [sentence = ''] = sentences([error]);
    const naming = /required property '(customer|customerId)'/.test(sentence) || /^\/(customer)? must be/.test(sentence);
    const id = operation === 'upsert' ? (naming ? 'ANS-4' : 'ANS-3') : 'ANS-6';
    const isNull = error.keyword === 'type' && valueAt(answer.json(), error.instancePath) === null;
    return {
      id,
      message: `the answer does not validate: ${sentence}${isNull ? ', but is null' : ''}`,
      shape: isNull ? 'null' : sentence,
    };
  });
}

function valueAt(json: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .reduce((value, key) => (value as Record<string, unknown> | undefined)?.[key], json);
}
