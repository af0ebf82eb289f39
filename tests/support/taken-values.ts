import type { People } from '../../generators/customers.ts';
import type { Changes, State } from '../../generators/model.ts';
import type { Customer } from '../../schemas/contract.ts';
import type { CheckHost } from './host.ts';
import type { Sender } from './sender.ts';
import { pick } from './test-customer.ts';

/** What a worker knows about values that a customer of an earlier run may have. */
export type TakenKnowledge = { refusesTaken?: Promise<boolean | undefined> };

/**
 * Ends a check whose create may have been refused because another customer has the phone or the taxId: a seed repeats both, and few phone
 * numbers belong to nobody. If a target refuses such values, the refusal of this customer means nothing.
 */
export class TakenValues {
  readonly #sender: Sender;
  readonly #people: People;
  readonly #host: CheckHost;
  readonly #knowledge: TakenKnowledge;
  readonly #sent: Changes[] = [];
  /** A create was refused, but accepted with another externalId: the reason is not a value that another customer has. */
  #refusesOtherwise = false;

  constructor(sender: Sender, people: People, host: CheckHost, knowledge: TakenKnowledge) {
    this.#sender = sender;
    this.#people = people;
    this.#host = host;
    this.#knowledge = knowledge;
  }

  /** Takes note of the values that the check itself sends: what it sends twice is refused for its own reasons. */
  note(body: Changes): void {
    this.#sent.push(body);
  }

  /** Ends the check as inconclusive if this create was refused because another customer has one of its values. */
  async assertFree(body: Customer): Promise<void> {
    const isOnlyHere = (name: 'phone' | 'taxId') => this.#sent.filter((other) => other[name] === body[name]).length === 1;
    const suspected = (['phone', 'taxId'] as const).filter((name) => this.#people.drew(body[name]) && isOnlyHere(name));
    if (this.#refusesOtherwise || suspected.length === 0 || !(await this.#mayRefuseTaken())) return;
    const what = suspected.join(' and ');
    const anew = () => ({ ...body, ...('externalId' in body && { externalId: this.#people.externalId() }) });
    const again = await this.#sender.send(`create the customer with the same ${what}`, { body: anew() }, 'upsert');
    this.#refusesOtherwise = again.ok();
    if (again.ok()) return;
    const others = this.#people.unrepeated();
    const free = () => ({ ...anew(), ...pick(others.plain(body.address.country === 'CA' ? 'CA' : 'US'), suspected) });
    if (!(await this.#accepts(`create the customer with another ${what}`, free))) return;
    this.#host.end(
      'inconclusive',
      `the target refuses a ${what} that another customer has, and a customer of an earlier run seems to have this one`,
    );
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

  /** Whether a target refuses the phone or the taxId of another customer; undefined if it accepts nobody now. */
  async #refusesTaken(): Promise<boolean | undefined> {
    const others = this.#people.unrepeated();
    const intent = 'may two customers have the same phone or taxId?';
    const owner = await this.#accepts(intent, () => others.plain());
    if (!owner) return undefined;
    for (const name of ['phone', 'taxId'] as const) {
      const { refused } = await this.#sender.send(intent, { body: { ...others.plain(), [name]: owner[name] } }, 'upsert');
      if (refused) return true;
    }
    return false;
  }

  /** Draws at most five customers until one is accepted: other customers may have their numbers. */
  async #accepts<Body extends State>(intent: string, draw: () => Body): Promise<Body | undefined> {
    for (let tries = 0; tries < 5; tries += 1) {
      const body = draw();
      if ((await this.#sender.send(intent, { body }, 'upsert')).ok()) return body;
    }
    return undefined;
  }
}
