import { setTimeout as sleep } from 'node:timers/promises';
import type { People, Plain } from '../../generators/customers.ts';
import { type Changes, compare, type State } from '../../generators/model.ts';
import { type Customer, requiredProperties, sentences, validateCreate, validateUpdate } from '../../schemas/contract.ts';
import { isOwned, type platformProperties, withholdableProperties } from '../../schemas/properties.ts';
import type { Answer } from '../../target/answer.ts';
import type { Credentials } from '../../target/authorization.ts';
import { merchant } from '../../target/authorization.ts';
import { LAG, mayLag, type ReadBack } from '../../target/run.ts';
import type { Operation } from './answer-violation.ts';
import { noteAsserted } from './asserted.ts';
import { linesOf } from './matchers.ts';
import { PendingAnswer } from './pending-answer.ts';
import { type CheckRequest, Sender, type SenderOptions } from './sender.ts';
import { Stored } from './stored.ts';
import { SuiteFault } from './suite-fault.ts';
import { type TakenKnowledge, TakenValues } from './taken-values.ts';
import { naming, pick, type Selector, selectors, type TestCustomer } from './test-customer.ts';

/** What the schema requires, and the taxId that a target's business may. */
const ESSENTIALS = [...requiredProperties, 'taxId'];

/** What a worker knows of the target: the properties that a create keeps, and those that a read shows of a full customer. */
export type TargetKnowledge = TakenKnowledge & { properties?: string[]; shown?: string[] };

/** A create or an update, with what names the customer in the query. */
type Upsert = { body: Changes; query?: Record<string, string> };

/** What the customers of a check need. `knowledge` is shared by the checks of a worker. */
type CustomersOptions = Omit<SenderOptions, 'plain'> & { people: People; knowledge: TargetKnowledge };

/** The customers of one check: creates, updates and reads them. */
export class Customers {
  readonly #options: CustomersOptions;
  readonly #sender: Sender;
  readonly #taken: TakenValues;
  /** Draws the data of the check's requests. */
  readonly people: People;

  constructor(options: CustomersOptions) {
    this.#options = options;
    this.people = options.people;
    this.#sender = new Sender({ ...options, plain: () => options.people.plain() });
    this.#taken = new TakenValues(this.#sender, options.people, options.host, options.knowledge);
  }

  /**
   * Sends any request, valid or not, and reports what no answer may be. `intent` names the step in reports. `oversized`: an early end of the
   * connection is a refusal; the answer has status 0 then.
   */
  send(intent: string, request: CheckRequest, operation: Operation = 'upsert'): PendingAnswer {
    return this.#pending(this.#sender.send(intent, request, operation));
  }

  #pending(answer: Promise<Answer>, customerId?: string): PendingAnswer {
    return new PendingAnswer(answer, this.#options.host, customerId);
  }

  /**
   * Reports an answer that does not show the customer in this state (ANS-5). Call it once the stored state is known to be right, so that
   * nothing else is wrong.
   */
  assertShown(answer: Answer, expected: State, before: State = {}): void {
    noteAsserted('ANS-5');
    const differences = compare(expected, answer.customer ?? {}, before);
    if (differences.length === 0) return;
    const shape = answer.sent.includes(':null') ? 'removal' : 'update';
    const message = 'the answer does not show the customer as it is after the request';
    this.#sender.report(answer, { id: 'ANS-5', message, lines: linesOf(differences), shape });
  }

  /** Creates a customer; the body is one that the published schema allows, sent in these bytes. */
  create(body: Customer, bytes: object | Buffer = body): PendingAnswer {
    if (!validateCreate(body)) throw new SuiteFault(`a create that should be valid is not: ${sentences(validateCreate.errors)}`);
    this.#taken.note(body);
    const created = this.#sender.send('create a customer', { body: bytes }, 'upsert').then(async (answer) => {
      if (answer.refused) await this.#taken.assertFree(body);
      return answer;
    });
    return this.#pending(created);
  }

  /** Sends a create or an update that is valid by the schema once null is allowed. */
  upsert(intent: string, request: Upsert): PendingAnswer {
    return this.#upsert(intent, request);
  }

  #upsert(intent: string, { body, query }: Upsert, customerId?: string): PendingAnswer {
    if (!validateUpdate(body)) throw new SuiteFault(`an update that should be valid is not: ${sentences(validateUpdate.errors)}`);
    this.#taken.note(body);
    return this.#pending(this.#sender.send(intent, { body, ...(query && { query }) }, 'upsert'), customerId);
  }

  /** Updates a customer: sends the essentials as they are in this state, and the changes. */
  update(customer: Omit<TestCustomer, 'created'>, by: Selector, changes: Changes, state: State = customer.state): PendingAnswer {
    const [, how] = selectors.find(([selector]) => selector === by) ?? [by, by];
    const what = Object.entries(changes).map(([name, value]) => (value === null ? `remove ${name}` : `set ${name}`));
    const { body, ...query } = naming(customer, by, this.essentials(state));
    const intent = `${what.join(', ') || 'change nothing'}, ${how}`;
    return this.#upsert(intent, { body: { ...body, ...changes }, ...query }, customer.customerId);
  }

  /** Returns the platform's properties that an answer shows, to be sent back. Ends the check if they are not as published (ANS-3). */
  platformOf({ customer }: Answer, names: readonly (typeof platformProperties)[number][]): State {
    const shown = pick(customer ?? {}, names);
    if (!validateUpdate(shown)) this.notTestable(`the answer is not valid: ${sentences(validateUpdate.errors)[0]}`);
    return shown;
  }

  /** Returns the properties that every update sends, changed or not, of those that the customer has. */
  essentials(state: State): State {
    return pick(state, [...ESSENTIALS, ...this.people.demanded]);
  }

  /**
   * Creates the customer that a check starts from, in the state that the target shows: a property that a create loses is the create's own
   * failure, with its own checks. Ends the check as not testable if the create made no customer, or did not keep the properties that the
   * check is about or that an update sends: an update would have to send back what the target made of them.
   */
  async given(properties: Partial<Customer> = {}, body: Plain = this.people.plain()): Promise<TestCustomer> {
    const sent = { ...body, ...properties };
    const customer = this.fromCreate(await this.create(sent), sent);
    const read = await this.read(customer, sent, (answer) => !!answer.customer && compare(sent, owned(answer.customer)).length === 0);
    if (!read.customer) this.notTestable(`the customer just created could not be read: ${read}`);
    const shown = owned(read.customer);
    const absent = Object.entries(sent).filter(([name, value]) => !(name in shown) && compare({ [name]: value } as State, {}).length > 0);
    const lost = [...absent.map(([name]) => name), ...(await this.lost(sent, shown))];
    const changed = namesOf(compare(sent, { ...sent, ...pick(read.customer, Object.keys(sent)) }));
    const needed = new Set([...Object.keys(properties), ...Object.keys(this.essentials(sent))]);
    const missing = [...needed].filter((name) => lost.includes(name) || changed.includes(name));
    if (missing.length) this.notTestable(`the create did not keep ${missing.join(', ')}`);
    const kept = Object.keys(sent).filter((name) => !lost.includes(name) && !changed.includes(name));
    return { ...customer, state: { ...shown, ...pick(sent, kept) } };
  }

  /** Returns the customer that a create made, as it was sent. Ends the check as not testable if the create was not accepted. */
  fromCreate(created: Answer, sent: State): TestCustomer {
    const { customer } = created;
    if (!customer) this.notTestable(`no customer could be created: ${created}`);
    return { customerId: customer.customerId, externalId: sent.externalId ?? '', state: sent, created };
  }

  /** Returns the customer that was created before the first check of the run. Ends the check as not testable if there is none. */
  first(): Omit<TestCustomer, 'created'> {
    return this.#options.run.first ?? this.notTestable('no customer could be created before the first check');
  }

  /** The merchant's credentials, from which a check derives others. */
  get credentials(): Credentials {
    return this.#options.run.merchant;
  }

  /** Ends the check unless a create keeps plain values of these properties: nothing can be said of unusual values then. */
  async assumeKept(names: readonly string[]): Promise<void> {
    const { properties } = await this.#learn();
    const lost = names.filter((name) => !properties.includes(name));
    if (lost.length) this.notTestable(`a create does not keep ${lost.join(', ')}`);
  }

  /** Returns the expected properties that a target may withhold and that it lost: they are absent, though it shows them of a full customer. */
  async lost(expected: State, shown: State): Promise<string[]> {
    const absent = withholdableProperties.filter((name) => name in expected && !(name in shown));
    if (absent.length === 0) return [];
    const known = await this.#learn();
    return absent.filter((name) => known.shown.includes(name));
  }

  /** Finds out once for each worker what a create keeps and what a read shows. */
  async #learn(): Promise<Required<Pick<TargetKnowledge, 'properties' | 'shown'>>> {
    const { knowledge } = this.#options;
    knowledge.properties ??= await this.#keptProperties();
    return { shown: [], ...knowledge, properties: knowledge.properties };
  }

  async #keptProperties(): Promise<string[]> {
    const sent = this.people.full();
    const customer = this.fromCreate(await this.create(sent), sent);
    const differing = (answer: Answer) => compare(sent, pick(answer.customer ?? {}, Object.keys(sent)));
    const read = await this.read(customer, sent, (answer) => differing(answer).length === 0);
    const lost = namesOf(differing(read));
    this.#options.knowledge.shown = Object.keys(read.customer ?? {});
    return Object.keys(sent).filter((name) => !lost.includes(name));
  }

  /** Ends the check as not applicable if the target has no `GET /customers/{customerId}`, or no `GET /customers`. */
  assumeGetExists(path: '/customers/{customerId}' | '/customers' = '/customers/{customerId}'): void {
    const exists = path === '/customers' ? this.#readBack.list : this.#readBack.byId;
    if (!exists) this.notApplicable(`GET ${path} does not exist on this target`);
  }

  get #readBack(): ReadBack {
    return this.#options.run.readBack;
  }

  /** Returns the customer as it is stored, for an expectation to read. */
  stored(customer: TestCustomer): Stored {
    return new Stored(customer, this);
  }

  /**
   * Reads a customer: by GET if the target has it and it shows every write at once, otherwise by an update that changes nothing, because a
   * POST sees every write at once.
   */
  read(customer: TestCustomer, expected: State = customer.state, accept: (answer: Answer) => boolean = () => true): PendingAnswer {
    const { byId, lags } = this.#readBack;
    if (byId && !lags) return this.#pending(this.#get(customer, accept));
    const request = naming(customer, 'customerId', this.essentials(expected));
    return this.upsert('read the customer with a no-op update', request);
  }

  /** Reads a customer by GET. It may lag behind a write by a second, so it is repeated until it is accepted or that second is over. */
  get(customer: TestCustomer, accept: (answer: Answer) => boolean): PendingAnswer {
    return this.#pending(this.#get(customer, accept));
  }

  async #get({ customerId }: TestCustomer, accept: (answer: Answer) => boolean): Promise<Answer> {
    const request = { method: 'GET', path: `/customers/${encodeURIComponent(customerId)}` };
    const { run, limiter } = this.#options;
    for (let pause = LAG / 10; ; pause *= 2) {
      const waited = pause > LAG / 10;
      const late = Date.now() - this.#sender.lastWrite > LAG;
      const answer = await this.#sender.send('read the customer', request, 'get');
      const accepted = accept(answer);
      if (waited && (accepted || late)) limiter.note(accepted ? 'a read lagged' : 'waiting did not help');
      if (accepted || late || !mayLag(run, limiter)) return answer;
      await sleep(pause);
    }
  }

  /** Returns the customers with this externalId if `GET /customers` exists; otherwise undefined. */
  async find(externalId: string): Promise<Partial<Customer>[] | undefined> {
    const { list, lags } = this.#readBack;
    if (!list) return undefined;
    const rest = lags ? this.#sender.lastWrite + LAG - Date.now() : 0;
    if (rest > 0) await sleep(rest);
    const answer = await this.send(`look for externalId ${externalId}`, { method: 'GET', query: { externalId } }, 'list');
    if (answer.status() !== 200) return [];
    const customers = (answer.json() as { customers?: Partial<Customer>[] } | undefined)?.customers;
    return Array.isArray(customers) ? customers.filter((customer) => customer?.externalId === externalId) : [];
  }

  /** Returns the second merchant's customers. Ends the check as not applicable if there is no second merchant. */
  ofOtherMerchant(): Customers {
    const { run, outsider } = this.#options;
    if (!run.other) this.notApplicable('there is no second merchant: set TRUSTLY_OTHER_ACCESS_ID and TRUSTLY_OTHER_ACCESS_KEY');
    return new Customers({ ...this.#options, client: outsider, authorization: merchant(run.other, 'TRUSTLY_OTHER_') });
  }

  /** Ends the check: something that it needs has failed. */
  notTestable(reason: string): never {
    return this.#options.host.end('not-testable', reason);
  }

  /** Ends the check: this target or these settings do not have what it is about. */
  notApplicable(reason: string): never {
    return this.#options.host.end('not-applicable', reason);
  }
}

/** Returns the properties of an answer's customer that the merchant owns. */
const owned = (customer: State) => pick(customer, Object.keys(customer).filter(isOwned));

/** Returns the names of the properties that differ. */
const namesOf = (differences: ReturnType<typeof compare>) => differences.map(({ property }) => property.split('.')[0] ?? '');
