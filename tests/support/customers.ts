import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { People, Plain } from '../../generators/customers.ts';
import { apply, type Changes, compare, isOwned, type platformProperties, type State, withholdable } from '../../generators/model.ts';
import { type Customer, sentences, validateCreate, validateUpdate } from '../../schemas/contract.ts';
import type { Answer } from '../../target/answer.ts';
import { type Authorization, merchant } from '../../target/authorization.ts';
import type { Budget } from '../../target/budget.ts';
import type { Client, Outgoing } from '../../target/client.ts';
import { curl } from '../../target/exchange.ts';
import { type RateLimiter, Spent, Stopped } from '../../target/limiter.ts';
import { shorten } from '../../target/printable.ts';
import { LAG, mayLag, noteLag, type ReadBack, type Run, reserve } from '../../target/run.ts';
import type { Credentials } from '../../target/settings.ts';
import { type AnswerViolation, type Operation, violationsOf } from './answer-violation.ts';
import { noteAsserted } from './asserted.ts';
import type { CheckHost } from './host.ts';
import { linesOf } from './matchers.ts';

/** Names an existing customer in a request: by customerId or externalId in the body, or by externalId in the query. */
export type Selector = 'customerId' | 'externalId' | 'query';

/** The three selectors, and how a title tells them. */
export const selectors = [
  ['customerId', 'by customerId'],
  ['externalId', 'by externalId in the body'],
  ['query', 'by externalId in the query'],
] as const satisfies readonly (readonly [Selector, string])[];

/** A customer of the run, and what it is known to be. */
export type TestCustomer = {
  customerId: string;
  externalId: string;
  state: State;
  /** The answer that created it. */
  created: Answer;
};

/** A fault of the suite itself: it ends in exit code 3 and never counts against a target. */
export class SuiteFault extends Error {
  override name = 'SuiteFault';
}

/** A request that got no answer although plain ones before and after it did. */
export class NoResponse extends Error {
  override name = 'NoResponse';
}

/** Requests of a run that may wait for their whole time. */
const HANGS = 10;

/** What the schema requires, and the taxId that a target's business may. */
const ESSENTIALS = ['name', 'address', 'phone', 'email', 'taxId'] as const;

/** A stored customer, read when an expectation asks; a read that comes behind a write is asked again, as Playwright's locators are. */
export class Stored {
  readonly #customers: Customers;
  readonly known: TestCustomer;

  constructor(customers: Customers, known: TestCustomer) {
    this.#customers = customers;
    this.known = known;
  }

  /** Reads until the customer is as expected, or a read can no longer be behind the last write. */
  settle(expected: State, accept: (answer: Answer) => boolean): Promise<Answer> {
    return this.#customers.read(this.known, expected, accept);
  }

  /** Of the properties that a target may withhold, those that are expected and not there, though a read shows them of a full customer. */
  lost(expected: State, shown: State): Promise<string[]> {
    return this.#customers.lost(expected, shown);
  }
}

/** What a worker knows of the target: the properties that a create keeps, those that a read shows, whether a phone or taxId can be taken. */
export type TargetKnowledge = { properties?: string[]; shown?: string[]; refusesTaken?: Promise<boolean | undefined> };

/** The customers of one check, and every way to the target that a check has. */
export class Customers {
  readonly #client: Client;
  readonly #outsider: Client;
  readonly #run: Run;
  readonly #limiter: RateLimiter;
  readonly #host: CheckHost;
  readonly #budget: Budget;
  readonly #authorization: Authorization;
  /** Where the data come from. */
  readonly people: People;
  readonly #knowledge: TargetKnowledge;
  readonly #sent: Changes[] = [];
  /** A create was refused, and accepted under another externalId: what is taken is not why this check's creates are refused. */
  #refusesOtherwise = false;
  #requests = 0;
  #lastWrite = 0;

  constructor(options: {
    client: Client;
    /** For requests with other credentials than the merchant's: it shares no connection and no cookie with `client`. */
    outsider: Client;
    run: Run;
    limiter: RateLimiter;
    host: CheckHost;
    budget: Budget;
    people: People;
    /** Of a worker: what is known of the target, once it is. */
    knowledge: TargetKnowledge;
    authorization?: Authorization;
  }) {
    this.#client = options.client;
    this.#outsider = options.outsider;
    this.#run = options.run;
    this.#limiter = options.limiter;
    this.#host = options.host;
    this.#budget = options.budget;
    this.people = options.people;
    this.#knowledge = options.knowledge;
    this.#authorization = options.authorization ?? merchant(options.run.merchant);
  }

  /**
   * Sends any request, valid or not, and looks at its answer for what no answer may be. `intent` names the step in reports. `oversized`: an
   * early end of the connection is a refusal; the answer has status 0 then.
   */
  async send(
    intent: string,
    outgoing: Omit<Outgoing, 'authorization'> & { authorization?: Authorization; oversized?: boolean },
    operation: Operation = 'upsert',
  ) {
    return await this.#host.step(intent, async () => {
      const authorization = outgoing.authorization ?? this.#authorization;
      const answer = await this.#exchange({ ...outgoing, authorization });
      if ((outgoing.method ?? 'POST') === 'POST') this.#lastWrite = Date.now();
      if (answer.status() >= 300 && answer.status() < 400) {
        const location = answer.redact(shorten(answer.headers().location ?? 'nowhere', 200));
        this.#inconclusive(`a redirect is not followed: ${answer} to ${location}`);
      }
      const refusesUs = authorization === this.#authorization && [401, 403].includes(answer.status());
      if (answer.noResponse || answer.malformed || refusesUs) await this.#suspect(answer, outgoing.oversized);
      for (const violation of violationsOf(answer, operation)) this.#tell(answer, violation);
      return answer;
    });
  }

  /** Tells what an answer breaks beside the check's own question; once per run, because one defect is one violation. */
  #tell(answer: Answer, violation: AnswerViolation): void {
    if (reserve(this.#run, 'violationsOf', `${violation.id} ${violation.shape}`, this.#host.id)) this.#host.report(answer, violation);
  }

  /**
   * Sees whether an answer shows the customer in this state (ANS-5). It is asked once the stored state is known to be right, so that an
   * answer that does not show it is the only thing wrong.
   */
  assertShown(answer: Answer, expected: State, before: State = {}): void {
    noteAsserted('ANS-5');
    const differences = compare(expected, answer.customer ?? {}, before);
    if (differences.length === 0) return;
    const kind = answer.sent.includes(':null') ? 'removal' : 'update';
    const message = 'the answer does not show the customer as it is after the request';
    this.#tell(answer, { id: 'ANS-5', message, lines: linesOf(differences), shape: kind });
  }

  /** Creates a customer; the body is one that the published schema allows, sent in these bytes. */
  async create(body: Customer, bytes: object | Buffer = body): Promise<Answer> {
    if (!validateCreate(body)) throw new SuiteFault(`a create that is to be valid is not: ${sentences(validateCreate.errors)}`);
    this.#sent.push(body);
    const answer = await this.send('create a customer', { body: bytes });
    if (answer.refused) await this.#assertFree(body);
    return answer;
  }

  /**
   * A customer of an earlier run may have the same phone or taxId: a seed repeats them, and few phone numbers belong to nobody. Where a
   * target refuses what is taken, the refusal of such a customer says nothing.
   */
  async #assertFree(body: Customer): Promise<void> {
    const isOnlyHere = (name: 'phone' | 'taxId') => this.#sent.filter((other) => other[name] === body[name]).length === 1;
    const suspected = (['phone', 'taxId'] as const).filter((name) => this.people.drew(body[name]) && isOnlyHere(name));
    if (this.#refusesOtherwise || suspected.length === 0 || !(await this.#mayRefuseTaken())) return;
    const what = suspected.join(' and ');
    const anew = () => ({ ...body, ...('externalId' in body && { externalId: this.people.externalId() }) });
    const again = await this.send(`create the customer with the same ${what}`, { body: anew() });
    this.#refusesOtherwise = again.ok();
    if (again.ok()) return;
    const others = this.people.unrepeated();
    const free = () => ({ ...anew(), ...pick(others.plain(body.address.country === 'CA' ? 'CA' : 'US'), suspected) });
    if (!(await this.#accepts(`create the customer with another ${what}`, free))) return;
    this.#inconclusive(`the target refuses a ${what} that another customer has, and a customer of an earlier run seems to have this one`);
  }

  /** Whether the target refuses the phone or the taxId of another customer, found out once by each worker. */
  async #mayRefuseTaken(): Promise<boolean> {
    this.#knowledge.refusesTaken ??= this.#refusesTaken();
    let refuses: boolean | undefined;
    try {
      refuses = await this.#knowledge.refusesTaken;
    } finally {
      if (refuses === undefined) delete this.#knowledge.refusesTaken;
    }
    return refuses ?? false;
  }

  /** Whether a target refuses the phone or the taxId of another customer; undefined where it accepts nobody now. */
  async #refusesTaken(): Promise<boolean | undefined> {
    const others = this.people.unrepeated();
    const intent = 'may two customers have one phone or taxId?';
    const owner = await this.#accepts(intent, () => others.plain());
    if (!owner) return undefined;
    for (const name of ['phone', 'taxId'] as const) {
      const { refused } = await this.send(intent, { body: { ...others.plain(), [name]: owner[name] } });
      if (refused) return true;
    }
    return false;
  }

  /** A customer that is accepted, of five at most: the numbers of each may be taken. */
  async #accepts<Body extends State>(intent: string, draw: () => Body): Promise<Body | undefined> {
    for (let tries = 0; tries < 5; tries += 1) {
      const body = draw();
      if ((await this.send(intent, { body })).ok()) return body;
    }
    return undefined;
  }

  /** Sends a create or an update that is valid by the schema once null is allowed. */
  upsert(intent: string, body: Changes, query?: Record<string, string>): Promise<Answer> {
    if (!validateUpdate(body)) throw new SuiteFault(`an update that is to be valid is not: ${sentences(validateUpdate.errors)}`);
    this.#sent.push(body);
    return this.send(intent, { body, ...(query && { query }) });
  }

  /** Updates a customer: the properties that a plain update carries as they are, and the changes. `state` is what it is now known to be. */
  update(known: Omit<TestCustomer, 'created'>, by: Selector, changes: Changes, state: State = known.state): Promise<Answer> {
    const [, how] = selectors.find(([selector]) => selector === by) ?? [by, by];
    const what = Object.entries(changes).map(([name, value]) => (value === null ? `remove ${name}` : `set ${name}`));
    const body = { ...this.essentials(state), ...(by === 'query' ? {} : { [by]: known[by] }), ...changes };
    return this.upsert(
      `${what.join(', ') || 'change nothing'}, ${how}`,
      body,
      by === 'query' ? { externalId: known.externalId } : undefined,
    );
  }

  /** The platform's properties that an answer shows, to be sent back. Ends the check if they are not as published: ANS-3 judges that. */
  platformOf({ customer }: Answer, names: readonly (typeof platformProperties)[number][]): State {
    const shown = pick(customer ?? {}, names);
    if (!validateUpdate(shown)) this.notTestable(`the answer is not valid: ${sentences(validateUpdate.errors)[0]}`);
    return shown;
  }

  /** The properties that a plain update carries, changed or not, as far as the customer has them. */
  essentials(state: State): State {
    return pick(state, [...ESSENTIALS, ...this.people.demanded]);
  }

  /**
   * A customer to start from, as the target itself shows it: a property that a create loses is the create's own failure, told by its own
   * checks. If the create made no customer, or did not keep the properties that the check is about or that an update carries, the check is
   * not testable: an update would have to send back what the target made of them.
   */
  async given(properties: Partial<Customer> = {}, body: Plain = this.people.plain()): Promise<TestCustomer> {
    const sent = { ...body, ...properties };
    const known = this.fromCreate(await this.create(sent), sent);
    const owned = (customer: State) => Object.fromEntries(Object.entries(customer).filter(([name]) => isOwned(name))) as State;
    const wrong = (answer: Answer) => compare(sent, { ...sent, ...pick(answer.customer ?? {}, Object.keys(sent)) });
    const read = await this.read(known, sent, (answer) => !!answer.customer && compare(sent, owned(answer.customer)).length === 0);
    if (!read.customer) this.notTestable(`the customer just created could not be read: ${read}`);
    const observed = owned(read.customer);
    const lost = Object.keys(sent).filter(
      (name) => !(name in observed) && compare({ [name]: sent[name as keyof Customer] }, {}).length > 0,
    );
    lost.push(...(await this.lost(sent, observed)));
    const changed = wrong(read).map(({ property }) => property.split('.')[0] ?? '');
    const needed = new Set([...Object.keys(properties), ...Object.keys(this.essentials(sent))]);
    const missing = [...needed].filter((name) => lost.includes(name) || changed.includes(name));
    if (missing.length) this.notTestable(`the create did not keep ${missing.join(', ')}`);
    for (const name of lost) delete (known.state as Record<string, unknown>)[name];
    known.state = {
      ...observed,
      ...pick(
        known.state,
        Object.keys(known.state).filter((name) => !changed.includes(name)),
      ),
    };
    return known;
  }

  /** The customer that a create made, as it was sent. Where it was not accepted the check is not testable. */
  fromCreate(created: Answer, sent: State): TestCustomer {
    const { customer } = created;
    if (!customer) this.notTestable(`no customer could be created: ${created}`);
    return { customerId: customer.customerId, externalId: sent.externalId ?? '', state: sent, created };
  }

  /** The customer that was created before the first check of the run. If there is none, the check is not testable. */
  first(): Omit<TestCustomer, 'created'> {
    return this.#run.first ?? this.notTestable('no customer could be created before the first check');
  }

  /** The merchant's credentials, to make others of. */
  get credentials(): Credentials {
    return this.#run.merchant;
  }

  /**
   * Goes on only where a create keeps plain values of these properties. Where it does not, its own checks tell, and nothing can be said of
   * unusual values.
   */
  async assumeKept(names: readonly string[]): Promise<void> {
    const { properties } = await this.#learn();
    const lost = names.filter((name) => !properties.includes(name));
    if (lost.length) this.notTestable(`a create does not keep ${lost.join(', ')}`);
  }

  /**
   * Of the properties that a target may withhold, those that are expected and not there, though a read shows them of a full customer: what
   * it shows of one customer it does not withhold.
   */
  async lost(expected: State, shown: State): Promise<string[]> {
    const absent = withholdable.filter((name) => name in expected && !(name in shown));
    if (absent.length === 0) return [];
    const known = await this.#learn();
    return absent.filter((name) => known.shown.includes(name));
  }

  async #learn(): Promise<Required<Pick<TargetKnowledge, 'properties' | 'shown'>>> {
    this.#knowledge.properties ??= await this.#keptProperties();
    return { shown: [], ...this.#knowledge, properties: this.#knowledge.properties };
  }

  async #keptProperties(): Promise<string[]> {
    const sent = this.people.full();
    const known = this.fromCreate(await this.create(sent), sent);
    const differing = ({ customer }: Answer) => compare(sent, pick(customer ?? {}, Object.keys(sent)));
    const read = await this.read(known, sent, (answer) => differing(answer).length === 0);
    const lost = differing(read).map(({ property }) => property.split('.')[0]);
    this.#knowledge.shown = Object.keys(read.customer ?? {});
    return Object.keys(sent).filter((name) => !lost.includes(name));
  }

  /** Goes on only where an update was accepted and reached its customer; both are other checks' to judge. */
  assumeUpdated(known: TestCustomer, answer: Answer): void {
    if (!answer.customer) this.notTestable(`the update was not accepted: ${answer}`);
    if (answer.customer.customerId !== known.customerId) this.notTestable('the update reached another customer');
  }

  /** How state is read back in this run. */
  get readBack(): ReadBack {
    return this.#run.readBack;
  }

  /** The customer as it is stored, for an expectation to read. */
  stored(known: TestCustomer): Stored {
    return new Stored(this, known);
  }

  /**
   * Reads a customer: by GET where the target has it and it shows every write at once, else by an update that changes nothing, because a
   * POST sees every write at once.
   */
  read(known: TestCustomer, expected: State = known.state, accept: (answer: Answer) => boolean = () => true): Promise<Answer> {
    if (this.#run.readBack.byId && !this.#run.readBack.lags) return this.get(known, accept);
    const body = { ...this.essentials(expected), customerId: known.customerId };
    return this.upsert('read the customer by an update that changes nothing', body);
  }

  /** Reads a customer by GET. It may come behind a write by a second; so it is repeated until it is accepted or that second is over. */
  async get({ customerId }: TestCustomer, accept: (answer: Answer) => boolean): Promise<Answer> {
    const outgoing = { method: 'GET', path: `/customers/${encodeURIComponent(customerId)}` };
    for (let pause = LAG / 10; ; pause *= 2) {
      const waited = pause > LAG / 10;
      const late = Date.now() - this.#lastWrite > LAG;
      const answer = await this.send('read the customer', outgoing, 'get');
      const accepted = accept(answer);
      if (waited && (accepted || late)) noteLag(this.#run, accepted ? 'seen' : 'none');
      if (accepted || late || !mayLag(this.#run)) return answer;
      await sleep(pause);
    }
  }

  /** The customers with this externalId, as far as `GET /customers` exists; undefined where it does not. */
  async find(externalId: string): Promise<Partial<Customer>[] | undefined> {
    if (!this.#run.readBack.list) return undefined;
    await this.#settled();
    const answer = await this.send(`look for externalId ${externalId}`, { method: 'GET', query: { externalId } }, 'list');
    if (answer.status() !== 200) return [];
    const customers = (answer.json() as { customers?: Partial<Customer>[] } | undefined)?.customers;
    return Array.isArray(customers) ? customers.filter((customer) => customer?.externalId === externalId) : [];
  }

  /** The second merchant's customers. Without one the check is not applicable. */
  ofOtherMerchant(): Customers {
    const other = this.#run.other;
    if (!other) this.notApplicable('there is no second merchant: set TRUSTLY_OTHER_ACCESS_ID and TRUSTLY_OTHER_ACCESS_KEY');
    return new Customers({
      client: this.#outsider,
      outsider: this.#outsider,
      run: this.#run,
      limiter: this.#limiter,
      host: this.#host,
      budget: this.#budget,
      people: this.people,
      knowledge: this.#knowledge,
      authorization: merchant(other, 'TRUSTLY_OTHER_'),
    });
  }

  /** Ends the check: something that it needs has failed. */
  notTestable(reason: string): never {
    return this.#host.end('not-testable', reason);
  }

  /** Ends the check: this target, or these settings, have not what it is about. */
  notApplicable(reason: string): never {
    return this.#host.end('not-applicable', reason);
  }

  #inconclusive(reason: string): never {
    return this.#host.end('inconclusive', reason);
  }

  /** Waits until a read can no longer be behind the last write, on a target where reads were seen to be. */
  async #settled(): Promise<void> {
    const rest = this.#run.readBack.lags ? this.#lastWrite + LAG - Date.now() : 0;
    if (rest > 0) await sleep(rest);
  }

  async #exchange(outgoing: Outgoing): Promise<Answer> {
    this.#requests += 1;
    if (this.#requests > this.#budget.requests) {
      this.#inconclusive(`the check needs more than the ${this.#budget.requests} requests that tests/budgets.ts gives a check of its area`);
    }
    const client = outgoing.authorization === this.#authorization ? this.#client : this.#outsider;
    const answer = await client.send(outgoing).catch((error) => {
      if (error instanceof Spent) return this.#host.end('left-out', error.message);
      if (error instanceof Stopped) return this.#inconclusive(error.message);
      throw error;
    });
    await this.#host.attach(answer);
    return answer;
  }

  /** An answer that may mean an outage: a plain request tells. Where it is answered, the target is up and this one request is at fault. */
  async #suspect(answer: Answer, oversized = false): Promise<void> {
    const plain = await this.#host.step('is the target still there?', () =>
      this.#exchange({ body: this.people.plain(), authorization: merchant(this.#run.merchant) }),
    );
    if (plain.malformed) {
      this.#tell(plain, { id: 'REF-3', message: String(plain), shape: 'malformed', confirmed: true });
      this.#stop(`no answer can be read: ${plain}`);
    }
    if (plain.noResponse) this.#stop(`the target does not answer any more: ${plain}`);
    if ([401, 403].includes(plain.status())) this.#stop(`the target refuses the credentials: ${plain}`);
    if (answer.status() === 503 && plain.repeats > 0) {
      this.#inconclusive(
        'the target answers 503 now and then, also to plain requests, as a rate limit does; set TRUSTLY_MAX_RPS to stay under it',
      );
    }
    // The early end of the connection is a refusal of what is too large.
    if (oversized && answer.status() === 0 && !answer.malformed && !answer.toString().startsWith('no answer within')) return;
    if (answer.noResponse || answer.malformed) {
      const cause = answer.toString();
      this.#countHang(cause);
      // Told once per run: each further request of the kind would cost its time-out again, and once more to confirm it.
      if (!reserve(this.#run, 'violationsOf', `REF-3 ${cause}`, this.#host.id)) this.notTestable(`a request was not answered: ${cause}`);
      throw new NoResponse(`${answer}, while a plain request right after it was answered ${plain}\n  curl: ${curl(answer.exchange)}`);
    }
  }

  /** Ends the run if too many of its requests waited for their whole time: what hangs is known by then, and the rest would cost minutes. */
  #countHang(cause: string): void {
    if (!/within \d+ ms$/.test(cause)) return;
    const isFree = (_: unknown, index: number) => reserve(this.#run, 'hangs', String(index), randomUUID());
    if (!Array.from({ length: HANGS }).some(isFree)) this.#stop(`more than ${HANGS} requests waited for their whole time: ${cause}`);
  }

  /** Ends the run for every worker, and this check. */
  #stop(reason: string): never {
    this.#limiter.stop(reason);
    return this.#inconclusive(reason);
  }
}

/** These properties of a customer, as far as it has them. */
export function pick(state: State, names: readonly string[]): State {
  return Object.fromEntries(names.flatMap((name) => (name in state ? [[name, state[name as keyof Customer]]] : []))) as State;
}

/** The customer after several requests, one after the other. */
export function stateAfter(known: TestCustomer, ...requests: Changes[]): State {
  return requests.reduce<State>((state, changes) => apply(state, changes), known.state);
}

/** Waits until a timestamp that is taken anew differs from that of the create: a millisecond, or a second where it counts them. */
export async function tick({ created }: TestCustomer): Promise<void> {
  const { createdAt } = created.customer ?? {};
  if (createdAt === undefined) return;
  await sleep(createdAt < 1e11 || createdAt % 1000 === 0 ? 1_100 : 5);
}
