import type { Spoil } from './proxy.ts';
import { type Answer, withBody } from './wire.ts';

type JsonObject = Record<string, unknown>;

/** Spoils only what is answered with 200 and has a body, as an answer to `HEAD` has not. */
export const accepted =
  (spoil: Spoil): Spoil =>
  (answer, exchange) =>
    answer.status === 200 && answer.body.length > 0 ? spoil(answer, exchange) : answer;

/** Spoils only what is answered with 4xx. */
export const refused =
  (spoil: Spoil): Spoil =>
  (answer, exchange) =>
    answer.status >= 400 ? spoil(answer, exchange) : answer;

/** Spoils only answers to `GET`. */
export const reads =
  (spoil: Spoil): Spoil =>
  (answer, exchange) =>
    exchange.asked.method === 'GET' ? spoil(answer, exchange) : answer;

/** Spoils only accepted updates: a `POST` that answers with a customer of an earlier answer. */
export const updates =
  (spoil: Spoil): Spoil =>
  (answer, exchange) => {
    const id = exchange.asked.method === 'POST' && answer.status === 200 ? customerId(answer) : undefined;
    if (id === undefined) return answer;
    const known = exchange.memory.has(id);
    exchange.memory.add(id);
    return known ? spoil(answer, exchange) : answer;
  };

/** Spoils one answer in `count`. */
export const oneIn =
  (count: number, spoil: Spoil): Spoil =>
  (answer, exchange) =>
    exchange.asked.count % count === 0 ? spoil(answer, exchange) : answer;

/** Spoils every answer from the one with this number on. */
export const from =
  (first: number, spoil: Spoil): Spoil =>
  (answer, exchange) =>
    exchange.asked.count >= first ? spoil(answer, exchange) : answer;

function customerId({ body }: Answer): string | undefined {
  return JSON.parse(body.toString()).customer?.customerId;
}

/** Changes every customer of an answer. */
export function edited(answer: Answer, change: (customer: JsonObject) => void): Answer {
  const content = JSON.parse(answer.body.toString());
  for (const customer of [content.customer, ...(content.customers ?? [])]) if (customer) change(customer);
  return withBody(answer, JSON.stringify(content));
}

/** Inserts JSON text, as `"vip":NaN`, in front of the properties of the answer's first customer. */
export function inserted(answer: Answer, member: string | Buffer): Answer {
  const text = answer.body.toString();
  const match = /"customer(":|s":\[)\{/.exec(text);
  if (!match) return answer;
  const start = match.index + match[0].length;
  return withBody(
    answer,
    Buffer.concat([Buffer.from(text.slice(0, start)), Buffer.from(member as string), Buffer.from(`,${text.slice(start)}`)]),
  );
}

/** Gives every error of a refusal this message. */
export function reworded(answer: Answer, message: string): Answer {
  const content = JSON.parse(answer.body.toString());
  for (const error of content.errors ?? []) error.message = message;
  return withBody(answer, JSON.stringify(content));
}
