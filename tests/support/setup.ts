import { randomInt, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { People } from '../../generators/customers.ts';
import { compare } from '../../generators/model.ts';
import { startSandbox } from '../../sandbox/server.ts';
import { type Answer, isId } from '../../target/answer.ts';
import { merchant } from '../../target/authorization.ts';
import { type Outgoing, USER_AGENT } from '../../target/client.ts';
import { claimFolder, journalOf } from '../../target/folder.ts';
import { assertHostAllowed, isExempt } from '../../target/hosts.ts';
import { type Events, type Pauses, Stopped, serveLimiter } from '../../target/limiter.ts';
import { noteOpening } from '../../target/opening.ts';
import { connect, enter, LAG, openLedger, publishRun, type ReadBack, type Run, reserve } from '../../target/run.ts';
import { readSettings, type Settings, SettingsError } from '../../target/settings.ts';

/** Before the first check: claims the folder, starts the sandbox if no target is set, and finds out how the target answers. */
export default async function setup(): Promise<() => Promise<void>> {
  try {
    const opening = open();
    noteOpening(opening);
    return await opening;
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    console.error(error.message);
    return process.exit(3);
  }
}

async function open(): Promise<() => Promise<void>> {
  const { end, isEnded } = endOnRequest();
  const settings = readSettings();
  await assertHostAllowed(settings);
  process.env.CONFORMANCE_ID ??= randomUUID();
  claimFolder(settings.out, process.env.CONFORMANCE_ID);
  const endFor = (variable: 'CONFORMANCE_LEFT_OUT' | 'CONFORMANCE_STOPPED', reason: string) => {
    process.env[variable] ??= reason;
    end();
  };
  const { maxSeconds } = settings;
  if (maxSeconds) setTimeout(() => endFor('CONFORMANCE_LEFT_OUT', `TRUSTLY_MAX_SECONDS is ${maxSeconds}`), maxSeconds * 1000).unref();
  // Whoever saw the reason has a moment to report it.
  const events = { onPause: reportPause(), onStop: (reason: string) => void setTimeout(() => endFor('CONFORMANCE_STOPPED', reason), 500) };
  const ledger = journalOf(settings.out, process.env.CONFORMANCE_ID);
  const target = await startTarget(settings);
  const { targetName, seed = 0, timeout, overrides, depth, limits, out, replay } = settings;
  const shared = { targetName, seed, timeout, overrides, depth, limits, out, ledger, ...(replay && { replay }) };
  const { run, close } = await openRun({ ...shared, ...target.plan }, events, isEnded);
  publishRun(run);
  let closed: Promise<void> | undefined;
  return () => (closed ??= close().then(target.close));
}

type Target = Pick<RunPlan, 'baseUrl' | 'merchant' | 'other' | 'anyAddress' | 'headers' | 'certificate'>;

/** Returns how the target of the settings is reached; without one it starts the embedded sandbox. */
async function startTarget(settings: Settings): Promise<{ plan: Target; close: () => Promise<void> }> {
  const { baseUrl, merchant, other, headers, clientCertificate } = settings;
  if (baseUrl && merchant) {
    const certificate = clientCertificate && { cert: clientCertificate.cert, key: clientCertificate.key };
    const plan = {
      baseUrl,
      merchant,
      headers,
      anyAddress: isExempt(settings),
      ...(other && { other }),
      ...(certificate && { certificate }),
    };
    return { plan, close: () => Promise.resolve() };
  }
  const sandbox = await startSandbox();
  const [first, second] = sandbox.merchants;
  if (!first || !second) throw new Error('the sandbox should have two merchants');
  const plan = { baseUrl: sandbox.baseUrl, merchant: first, other: second, anyAddress: false, headers: [] };
  return { plan, close: () => sandbox.close() };
}

/**
 * Ends the run in order, as the runner does on an interrupt, when it is asked to by a signal or when the command that started it is gone:
 * the command has the other end of a pipe. `end` does the same.
 */
function endOnRequest(): { end: () => void; isEnded: () => boolean } {
  let asked = false;
  process.once('SIGINT', () => {
    asked = true;
  });
  const end = () => {
    if (asked) return;
    process.emit('SIGINT');
  };
  process.on('SIGTERM', end).on('SIGHUP', end);
  if (process.env.CONFORMANCE_PIPE !== undefined) {
    const pipe = new Socket({ fd: Number(process.env.CONFORMANCE_PIPE) });
    pipe.on('error', end).on('close', end).resume().unref();
  }
  return { end, isEnded: () => asked };
}

/** Reports at the first pause that the target asks for, and then after every ten seconds of waiting. */
function reportPause(): (pauses: Pauses, status: number) => void {
  let next = 0;
  return ({ count, waited }, status) => {
    if (waited < next) return;
    next = waited + 10_000;
    const so = count === 1 ? '' : `, ${count} times so far: the run waits ${Math.round(waited / 1000)} s in total`;
    console.log(`  The target answers ${status}${so}. Set TRUSTLY_MAX_RPS to stay under its limit.`);
  };
}

/** What is settled of a run before it is opened. */
export type RunPlan = Omit<Run, 'prefix' | 'readBack' | 'scratch' | 'entrance' | 'preflight' | 'merchantId'>;

/** Opens a run on a target. Throws Stopped if the target does not answer plain requests, and SettingsError if no folder can be written. */
export async function openRun(
  plan: RunPlan,
  events?: Events,
  isEnded: () => boolean = () => false,
): Promise<{ run: Run; close: () => Promise<void> }> {
  const scratch = join(tmpdir(), `conformance-${randomUUID()}`);
  mkdirSync(scratch, { mode: 0o700 });
  const { entrance, share, close: closeLimiter } = await serveLimiter(plan.limits, events);
  const readBack = { byId: false, list: false, lags: false };
  const run: Run = { ...plan, prefix: prefix(), readBack, scratch, entrance, preflight: { requests: 0, created: [] } };
  const close = async () => {
    await closeLimiter();
    await rm(scratch, { recursive: true, force: true });
  };
  try {
    await preflight(run, isEnded);
    share(run);
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

/** Sees whether the target answers plain requests at all and how state is read back. Throws Stopped. */
async function preflight(run: Run, isEnded: () => boolean): Promise<void> {
  const limiter = await enter(run);
  const ledger = openLedger(run);
  const client = connect(run, limiter, { ledger });
  const authorization = merchant(run.merchant);
  const send = async (outgoing: Omit<Outgoing, 'authorization'>): Promise<Answer> => {
    if (isEnded()) throw new Stopped('the run was ended before its first check');
    run.preflight.requests += 1;
    const answer = await client.send({ ...outgoing, authorization });
    if (answer.created) run.preflight.created.push(answer.created);
    return answer;
  };
  const people = new People({
    seed: run.seed,
    name: 'preflight',
    prefix: run.prefix,
    reserve: (value) => reserve(run, 'people', value, 'preflight'),
    overrides: run.overrides,
  });
  try {
    let body = people.plain();
    let answer = await send({ body });
    assertReachable(run, answer);
    if (answer.refused) {
      // A customer of an earlier run with the same seed may have its phone or taxId.
      body = people.unrepeated().plain();
      answer = await send({ body });
    }
    const { customer } = answer;
    if (!customer) return;
    if (isId(customer.merchantId)) run.merchantId = customer.merchantId;
    run.readBack = await findReadBack(send, customer.customerId, body);
    const { externalId } = body;
    const state = run.readBack.byId ? { ...body, name: renamed(body) } : body;
    run.first = { customerId: customer.customerId, externalId, state };
  } finally {
    client.dispose();
    ledger?.close();
    limiter.close();
  }
}

/** Throws Stopped if the first answer shows that no check can be made, and says what was observed. */
function assertReachable({ baseUrl }: Run, answer: Answer): void {
  const stop = (what: string) => {
    throw new Stopped(answer.redact(`${baseUrl} ${what}`));
  };
  if (answer.noResponse) stop(`does not answer: ${answer}`);
  if (answer.status() === 401) stop(`refuses the credentials: ${answer}`);
  if (answer.status() === 403) {
    if (hasEnvelope(answer)) stop(`refuses the credentials: ${answer}`);
    stop(
      `answers ${answer}, without the published error envelope: a gateway in front of it may want another header (TRUSTLY_HEADER_…), or may not let the User-Agent ${USER_AGENT} through`,
    );
  }
  if (answer.status() >= 300 && answer.status() < 400) {
    const location = answer.headers().location;
    const asked = new URL(`${baseUrl}/customers`);
    const target = location !== undefined && URL.canParse(location, asked.href) ? new URL(location, asked) : undefined;
    if (target?.href === asked.href) stop(`redirects ${asked.pathname} to itself: ${answer}`);
    if (target?.href === `${asked.href}/`) {
      stop(
        `redirects ${asked.pathname} to the same path with a trailing slash: ${answer}; the published path has no trailing slash, so the target must serve it without one`,
      );
    }
    const where = target && /^https?:$/.test(target.protocol) ? target.href : 'something that is not an http or https URL';
    stop(`redirects to ${where}: ${answer}; a redirect is not followed, so set TRUSTLY_BASE_URL to where the API is`);
  }
}

/** Whether a refusal has the published error envelope. */
function hasEnvelope(answer: Answer): boolean {
  return Array.isArray((answer.json() as { errors?: unknown } | undefined)?.errors);
}

const renamed = ({ name }: { name: string }) => `${name} Smith`;

type Send = (outgoing: Omit<Outgoing, 'authorization'>) => Promise<Answer>;

/** Whether a customer just created can be read by GET within the lag that a target has, and whether reads were seen to lag. */
async function findReadBack(send: Send, customerId: string, body: ReturnType<People['plain']>): Promise<ReadBack> {
  const byId = () => send({ method: 'GET', path: `/customers/${encodeURIComponent(customerId)}` });
  const lists = async () => {
    const answer = await send({ method: 'GET', query: { externalId: body.externalId } });
    const customers = answer.status() === 200 ? (answer.json() as { customers?: unknown } | undefined)?.customers : undefined;
    return Array.isArray(customers) && customers.length > 0;
  };
  const found = await until(async () => (await byId()).customer?.customerId === customerId);
  const list = await until(lists);
  const seen = [found, list];
  if (found.ever) {
    const name = renamed(body);
    await send({ body: { ...body, name } });
    seen.push(await until(async () => compare({ name }, { name: (await byId()).customer?.name ?? '' }).length === 0));
  }
  return { byId: found.ever, list: list.ever, lags: seen.some(({ ever, atOnce }) => ever && !atOnce) };
}

/** Asks until the answer is yes or a read can no longer lag. */
async function until(ask: () => Promise<boolean>): Promise<{ ever: boolean; atOnce: boolean }> {
  const start = Date.now();
  for (let atOnce = true; ; atOnce = false) {
    const late = Date.now() - start > LAG;
    if (await ask()) return { ever: true, atOnce };
    if (late) return { ever: false, atOnce: false };
    await sleep(LAG / 10);
  }
}
