import { selectorRequirement } from './support/attribution.ts';
import { expect, of, requirement, test } from './support/fixtures.ts';
import { naming, selectors, type TestCustomer } from './support/test-customer.ts';

test.describe('a selector', () => {
  for (const [by, how] of selectors) {
    test(`names the customer to update: ${how}`, requirement(selectorRequirement[by]), async ({ customers }) => {
      const other = await customers.given({ vip: '1' });
      const customer = await customers.given({ vip: '1' });

      const answer = await customers.update(customer, by, { vip: '2' });

      expect(answer).toBeAccepted();
      expect(answer).toName(customer.customerId);
      await expect(customers.stored(customer)).toHaveStored({ vip: '2' });
      await expect(customers.stored(other), of('UPD-10', 'another customer')).toMatchCustomer(other.state);
      const found = await customers.find(customer.externalId);
      if (found)
        expect(
          found.map(({ customerId }) => customerId),
          'the customers with its externalId',
        ).toEqual([customer.customerId]);
    });
  }

  for (const [by, how] of selectors) {
    test(`names the customer after updates by every selector: ${how}`, requirement(selectorRequirement[by]), async ({ customers }) => {
      const customer = await customers.given();

      for (const [other] of selectors) {
        await customers.update(customer, other, { vip: '1' }).orNotTestable();
        const answer = await customers.update(customer, by, { vip: '2' });
        expect(answer).toBeAccepted();
        expect(answer).toName(customer.customerId);
      }
    });
  }

  for (const [by, how] of selectors) {
    if (by === 'customerId') continue;
    test(
      `an externalId that was unknown before its create, ${how}`,
      requirement(selectorRequirement[by]),
      async ({ customers, people }) => {
        const person = people.plain();
        const nobody = { customerId: '', externalId: person.externalId };
        const early = customers.upsert('update by an externalId to come', naming(nobody, by, { vip: '1' }));
        await early.refusedOrNotApplicable('such an update is accepted');
        const customer = customers.fromCreate(await customers.create(person), person);

        const answer = await customers.update(customer, by, { vip: '2' });

        expect(answer).toBeAccepted();
        expect(answer).toName(customer.customerId);
      },
    );
  }

  test('in the query distinguishes two customers with identical bodies', requirement('IDY-3', 'UPD-2'), async ({ customers, people }) => {
    const first = await customers.given({ vip: '1' });
    const second = await customers.given({ vip: '1' });
    const { name, address, phone, email, taxId } = people.plain();

    for (const body of [{ vip: '2' }, { name, address, phone, email, taxId, vip: '2' }]) {
      for (const known of [first, second]) {
        const answer = await customers.upsert('send the same body by the query', { body, query: { externalId: known.externalId } });
        expect(answer).toBeAcceptedOrRefused();
        if (answer.refused) break;
        expect(answer, of('IDY-3', 'the answer')).toName(known.customerId);
        await expect(customers.stored(known), of('UPD-2', 'the new vip')).toHaveStored({ vip: '2' });
      }
    }
  });

  test('customerId and externalId of one customer agree', requirement('IDY-1', 'IDY-2'), async ({ customers }) => {
    const customer = await customers.given({ vip: '1' });

    const answer = await customers.update(customer, 'customerId', { externalId: customer.externalId, vip: '2' });

    expect(answer).toBeAccepted();
    expect(answer).toName(customer.customerId);
    await expect(customers.stored(customer)).toHaveStored({ vip: '2' });
  });

  test('customerId and an externalId in the query agree', requirement('IDY-1', 'IDY-3'), async ({ customers }) => {
    const customer = await customers.given({ vip: '1' });

    const body = { ...customers.essentials(customer.state), customerId: customer.customerId, vip: '2' };
    const answer = await customers.upsert('set vip, by customerId and query', { body, query: { externalId: customer.externalId } });

    expect(answer).toBeAccepted();
    expect(answer).toName(customer.customerId);
    await expect(customers.stored(customer)).toHaveStored({ vip: '2' });
  });

  test('an externalId in the query and one in the body agree', requirement('IDY-3'), async ({ customers }) => {
    const customer = await customers.given({ vip: '1' });

    const answer = await customers.update(customer, 'query', { externalId: customer.externalId, vip: '2' });

    expect(answer).toBeAccepted();
    expect(answer).toName(customer.customerId);
    await expect(customers.stored(customer)).toHaveStored({ vip: '2' });
  });

  test('that disagrees with another changes at most one customer', requirement('UPD-10'), async ({ customers }) => {
    const first = await customers.given({ vip: '1' });
    const second = await customers.given({ vip: '1' });

    const answer = await customers.update(first, 'customerId', { externalId: second.externalId, vip: '2' });

    expect(answer).toBeAcceptedOrRefused();
    const vips = [(await customers.read(first)).customer?.vip, (await customers.read(second)).customer?.vip];
    expect(vips.filter((vip) => vip === '2').length, `how many of the two took the new vip (${vips})`).toBeLessThanOrEqual(
      answer.refused ? 0 : 1,
    );
  });
});

test.describe('a customerId is compared exactly', () => {
  const variants = [
    ['a leading zero', (id: string) => `0${id}`],
    ['a decimal point', (id: string) => `${id}.0`],
    ['an exponent', (id: string) => `${id}e0`],
    ['a letter after it', (id: string) => `${id}x`],
    ['a space after it', (id: string) => `${id} `],
    ['a space before it', (id: string) => ` ${id}`],
    ['a plus sign', (id: string) => `+${id}`],
    ['four more zeros', (id: string) => `${id}0000`],
    ['a wildcard', (id: string) => `${id}%`],
  ] as const;

  test('without its last digit', requirement('IDY-4'), async ({ customers, people }) => {
    const customer = await customers.given();
    const customerId = customer.customerId.slice(0, -1);
    const { externalId: _own, ...body } = people.plain();
    // Somebody else's customer may have the shorter id: it is named only where GET shows that nobody does.
    customers.assumeGetExists();
    await customers
      .send('see whose customerId that is', { method: 'GET', path: `/customers/${encodeURIComponent(customerId)}` }, 'other')
      .refusedOrNotApplicable(`there is a customer ${customerId}`);

    const answer = await customers.upsert('name a customerId without its last digit', { body: { ...body, customerId } });

    expect(answer).toBeAcceptedOrRefused();
    expect(answer.customer?.customerId, 'the customerId in the answer').not.toBe(customer.customerId);
    expect(people.owns(answer.customer?.externalId), 'whether the answer names another customer of the run').toBe(false);
    await expect(customers.stored(customer)).toMatchCustomer(customer.state);
  });

  for (const [what, vary] of variants) {
    test(`with ${what}`, requirement('IDY-4'), async ({ customers, people }) => {
      const customer = await customers.given();
      const { externalId: _own, ...body } = people.plain();

      const answer = await customers.upsert(`name a customerId with ${what}`, { body: { ...body, customerId: vary(customer.customerId) } });

      expect(answer).toBeAcceptedOrRefused();
      expect(answer.customer?.customerId, 'the customerId in the answer').not.toBe(customer.customerId);
      expect(people.owns(answer.customer?.externalId), 'whether the answer names another customer of the run').toBe(false);
      await expect(customers.stored(customer)).toMatchCustomer(customer.state);
    });
  }
});

test.describe('an externalId is compared exactly', () => {
  /** `plain`: of characters that the vendor's samples have, or letters, so that a refusal is none of the target's latitude. */
  const pairs = [
    ['case', (id: string) => [`${id}a`, `${id}A`], 'plain'],
    ['a prefix', (id: string) => [id, `${id}0`], 'plain'],
    ['a longer one', (id: string) => [`${id}0`, id], 'plain'],
    ['case the other way round', (id: string) => [`${id}A`, `${id}a`], 'plain'],
    ['a leading zero', (id: string) => [id, `0${id}`], 'plain'],
    ['the last of thirty digits', (id: string) => [`${id.padEnd(29, '0')}1`, `${id.padEnd(29, '0')}2`], 'plain'],
    ['an exponent', (id: string) => [id, `${id}e0`], 'plain'],
    ['a decimal point', (id: string) => [id, `${id}.0`], 'unusual'],
    ['a space after it', (id: string) => [id, `${id} `], 'unusual'],
    ['a space before it', (id: string) => [id, ` ${id}`], 'unusual'],
    ['an accent', (id: string) => [`${id}e`, `${id}é`], 'unusual'],
    ['Unicode composition', (id: string) => [`${id}\u00e9`, `${id}e\u0301`], 'unusual'],
    ['a wildcard', (id: string) => [`${id}_1`, `${id}x1`], 'unusual'],
    ['what a wildcard stands for', (id: string) => [`${id}x1`, `${id}_1`], 'unusual'],
    ['encoding', (id: string) => [`${id}+1`, `${id}%2B1`], 'unusual'],
  ] as const;

  for (const [what, pair, kind] of pairs) {
    for (const by of ['externalId', 'query'] as const) {
      const place = by === 'query' ? 'query' : 'body';
      test(`in the ${place}: ${what}`, requirement(by === 'query' ? 'IDY-6' : 'IDY-5'), async ({ customers, people }) => {
        const bodies = pair(people.externalId()).map((externalId) => ({ ...people.plain(), externalId }));
        const known: TestCustomer[] = [];
        for (const body of bodies) {
          const answer = await customers.create(body);
          if (kind === 'unusual' && answer.refused) customers.notApplicable('an externalId like this is refused');
          if (known.length === 0 && !answer.customer) customers.notTestable(`no customer could be created: ${answer}`);
          expect(answer).toBeAccepted();
          expect(answer.customer?.customerId, `the customerId of ${body.externalId}`).not.toBe(known[0]?.customerId);
          known.push(customers.fromCreate(answer, body));
        }

        for (const [index, customer] of known.entries()) {
          const answer = await customers.update(customer, by, { vip: String(index + 1) });
          expect(answer).toBeAccepted();
          expect(answer).toName(customer.customerId);
        }
      });
    }
  }
});

test.describe('an unknown externalId in the query', () => {
  for (const [what, pair] of [
    ['case', (id: string) => [`${id}a`, `${id}A`]],
    ['a prefix', (id: string) => [`${id}0`, id]],
    ['a suffix', (id: string) => [id, `${id}0`]],
    ['a leading zero', (id: string) => [id, `0${id}`]],
    ['a wildcard', (id: string) => [id, `${id}%`]],
  ] as const) {
    test(`finds no customer that differs by ${what}`, requirement('IDY-6'), async ({ customers, people }) => {
      const [known = '', unknown = ''] = pair(people.externalId());
      const customer = await customers.given({}, { ...people.plain(), externalId: known });
      const { externalId: _own, ...body } = people.plain();

      const answer = await customers.upsert(`name ${unknown} in the query`, { body, query: { externalId: unknown } });

      expect(answer).toBeAcceptedOrRefused();
      expect(answer.customer?.customerId, `the customerId in the answer, beside that of ${known}`).not.toBe(customer.customerId);
      await expect(customers.stored(customer)).toMatchCustomer(customer.state);
    });
  }
});

test.describe('an id of one kind is not an id of the other kind', () => {
  for (const [by, how] of selectors) {
    test(
      `used ${how}`,
      requirement(({ customerId: 'IDY-4', externalId: 'IDY-5', query: 'IDY-6' } as const)[by]),
      async ({ customers, people }) => {
        const customer = await customers.given();
        const id = by === 'customerId' ? customer.externalId : customer.customerId;
        const { externalId: _own, ...person } = people.plain();

        const request = naming({ customerId: id, externalId: id }, by, person);
        const answer = await customers.upsert(`name the other id of a customer ${how}`, request);

        expect(answer).toBeAcceptedOrRefused();
        expect(answer.customer?.customerId, 'the customerId in the answer').not.toBe(customer.customerId);
        await expect(customers.stored(customer)).toMatchCustomer(customer.state);
      },
    );
  }
});

test.describe('an externalId in the query is decoded once', () => {
  for (const character of ['@', '+', ' ', '&', '/', '%41', 'é']) {
    test(
      `in a create, with ${character === ' ' ? 'a space' : character} in it`,
      requirement('IDY-6', 'IDY-7'),
      async ({ customers, people }) => {
        const externalId = `${people.externalId()}${character}1`;
        const { externalId: _own, ...body } = people.plain();
        const created = await customers.upsert('create by the query', { body, query: { externalId } });
        expect(created).toBeAcceptedOrRefused();
        if (!created.customer?.externalId) return customers.notApplicable('a create by the query does not store such an externalId');
        expect(created.customer.externalId, of('IDY-6', 'the externalId of the new customer')).toBe(externalId);
        const customer = customers.fromCreate(created, { ...body, externalId });

        for (const by of ['externalId', 'query'] as const) {
          const answer = await customers.update(customer, by, { vip: '2' });
          expect(answer, of('IDY-7', `the customer, asked by ${by}`)).toName(customer.customerId);
        }
      },
    );
  }

  const characters = ['+', ' ', '&', '=', '/', '#', '?', '%', '%41', "'", '"', 'é', '😀', ';', ','];

  for (const character of characters) {
    test(`with ${character === ' ' ? 'a space' : character} in it`, requirement('IDY-6'), async ({ customers, people }) => {
      const externalId = `${people.externalId()}${character}1`;
      const body = { ...people.plain(), externalId };
      const created = await customers.create(body).orNotApplicable('an externalId with this character is refused');
      const customer = customers.fromCreate(created, body);

      const answer = await customers.update(customer, 'query', { vip: '2' });

      expect(answer).toBeAccepted();
      expect(answer).toName(customer.customerId);
      await expect(customers.stored(customer)).toHaveStored({ vip: '2', externalId });
    });
  }
});
