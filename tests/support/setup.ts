import { randomInt } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { People } from '../../generators/customers.ts';
import { compare } from '../../generators/model.ts';
import { startSandbox } from '../../sandbox/server.ts';
import type { Answer } from '../../target/answer.ts';
import { merchant } from '../../target/authorization.ts';
import type { Outgoing } from '../../target/client.ts';
import { claim, connect, enter, LAG, Outage, publishRun, type ReadBack, type Run } from '../../target/run.ts';
import { assertHostAllowed, readSettings, SettingsError } from '../../target/settings.ts';
import { serveTurnstile } from '../../target/turnstile.ts';

/** An unreachable target is told within ten seconds, the start of the runner included. */
const FIRST_REQUEST = 7_000;

/** Before the first check: starts the sandbox where no target is set, sees whether the target answers, finds out how state is read. */
export default async function setup(): Promise<() => Promise<void>> {
  const settings = readSettings();
  await assertHostAllowed(settings).catch(exitOnSettingsError);
  const { baseUrl, merchant, other, targetName, seed = 0, timeout, overrides, depth, limits, replay, out } = settings;
  const common = { targetName, seed, timeout, overrides, depth, limits, out, ...(replay && { replay }) };
  if (baseUrl && merchant) {
    const { run, close } = await openRun({ ...common, baseUrl, merchant, ...(other && { other }) });
    publishRun(run);
    return close;
  }
  const sandbox = await startSandbox();
  const [first, second] = sandbox.merchants;
  if (!first || !second) throw new Error('the sandbox was to have two merchants');
  const { run, close } = await openRun({ ...common, baseUrl: sandbox.baseUrl, merchant: first, other: second });
  publishRun(run);
  return async () => {
    await close();
    await sandbox.close();
  };
}

/** What is settled of a run before it is opened. */
export type Plan = Omit<Run, 'prefix' | 'readBack' | 'scratch' | 'preflight' | 'merchantId'>;

/** Opens a run on a target. Throws Outage where it does not answer plain requests. */
export async function openRun(plan: Plan): Promise<{ run: Run; close: () => Promise<void> }> {
  const scratch = mkdtempSync(join(tmpdir(), 'conformance-'));
  const readBack = { byId: false, list: false, lags: false };
  const run: Run = { ...plan, prefix: prefix(), readBack, scratch, preflight: { requests: 0, created: [] } };
  const closeTurnstile = await serveTurnstile(scratch, plan.limits);
  const close = async () => {
    await closeTurnstile();
    await rm(scratch, { recursive: true, force: true });
  };
  try {
    await preflight(run);
  } catch (error) {
    await close();
    throw error;
  }
  return { run, close };
}

/** Digits, as in the page's sample of an externalId; the time first, so that a run's customers are easily found again. */
function prefix(): string {
  return `${Math.floor(Date.now() / 1000)}${String(randomInt(1e4)).padStart(4, '0')}`;
}

function exitOnSettingsError(error: unknown): void {
  if (!(error instanceof SettingsError)) throw error;
  console.error(error.message);
  process.exit(3);
}

/** Sees whether the target answers plain requests at all and how state is read back. Throws Outage. */
async function preflight(run: Run): Promise<void> {
  const turnstile = enter(run);
  const client = connect({ ...run, timeout: Math.min(run.timeout, FIRST_REQUEST) }, turnstile);
  const authorization = merchant(run.merchant);
  const send = async (outgoing: Omit<Outgoing, 'authorization'>): Promise<Answer> => {
    run.preflight.requests += 1;
    return await client.send({ ...outgoing, authorization });
  };
  const people = new People({
    seed: run.seed,
    name: 'preflight',
    prefix: run.prefix,
    claim: (value) => claim(run, 'people', value, 'preflight'),
    overrides: run.overrides,
  });
  try {
    let body = people.plain();
    let answer = await send({ body });
    if (answer.unanswered) throw new Outage(`${run.baseUrl} does not answer: ${answer}`);
    if (answer.status === 401 || answer.status === 403) throw new Outage(`${run.baseUrl} refuses the credentials: ${answer}`);
    if (answer.status >= 300 && answer.status < 400) {
      throw new Outage(
        `${run.baseUrl} redirects to ${answer.header('location') ?? 'nowhere'}: ${answer}; set TRUSTLY_BASE_URL to where it really is`,
      );
    }
    if (answer.refused) {
      // A customer of an earlier run with the same seed may have its phone or taxId.
      body = people.unrepeated().plain();
      answer = await send({ body });
    }
    const { customer } = answer;
    if (!customer) return;
    run.preflight.created.push({ customerId: customer.customerId, externalId: body.externalId });
    if (customer.merchantId) run.merchantId = customer.merchantId;
    run.readBack = await findReadBack(send, customer.customerId, body);
  } finally {
    await client.dispose();
    turnstile.close();
  }
}

type Send = (outgoing: Omit<Outgoing, 'authorization'>) => Promise<Answer>;

/** Whether a customer just created can be read by GET within the lag that a target has, and whether reads were seen to lag. */
async function findReadBack(send: Send, customerId: string, body: ReturnType<People['plain']>): Promise<ReadBack> {
  const byId = () => send({ method: 'GET', path: `/customers/${encodeURIComponent(customerId)}` });
  const lists = async () => {
    const { status, json } = await send({ method: 'GET', query: { externalId: body.externalId } });
    const customers = status === 200 ? (json as { customers?: unknown } | undefined)?.customers : undefined;
    return Array.isArray(customers) && customers.length > 0;
  };
  const found = await until(async () => (await byId()).customer?.customerId === customerId);
  const list = await until(lists);
  if (!found.ever) return { byId: false, list: list.ever, lags: !list.atOnce };
  const name = `${body.name} Smith`;
  await send({ body: { ...body, name } });
  const updated = await until(async () => compare({ name }, { name: (await byId()).customer?.name ?? '' }).length === 0);
  return { byId: true, list: list.ever, lags: [found, list, updated].some(({ ever, atOnce }) => ever && !atOnce) };
}

/** Asks until the answer is yes or a read can no longer be behind. */
async function until(ask: () => Promise<boolean>): Promise<{ ever: boolean; atOnce: boolean }> {
  const start = Date.now();
  for (let atOnce = true; ; atOnce = false) {
    const late = Date.now() - start > LAG;
    if (await ask()) return { ever: true, atOnce };
    if (late) return { ever: false, atOnce: false };
    await new Promise((resolve) => setTimeout(resolve, LAG / 10));
  }
}
