import { setTimeout as pause } from 'node:timers/promises';
import type { Behaviour } from '../../sandbox/behaviour.ts';
import { Refusal, unauthorized } from '../../sandbox/refusal.ts';
import { perStore } from '../../sandbox/store.ts';
import { clash, dropping, preceding, refusing } from './change.ts';
import type { Latitude } from './latitude.ts';

/** Ways to deny access, and to slow a client down. */
export const access = [
  {
    name: 'no-challenge',
    why: 'A 401 does not say how to authenticate, so browsers open no login window.',
    limits: ['ACC-7'],
    steps: (base) => dropping(base, 'WWW-Authenticate'),
  },
  {
    name: 'denied-with-400',
    why: 'Wrong credentials are answered with 400, like an invalid request.',
    limits: ['ACC-6'],
    steps: (base) => denying(base, 400),
  },
  {
    name: 'denied-with-403',
    why: 'Wrong credentials are answered with 403.',
    limits: ['ACC-6'],
    steps: (base) => denying(base, 403),
  },
  {
    name: 'denied-with-404',
    why: 'Outsiders are told nothing.',
    limits: ['ACC-6'],
    steps: (base) => denying(base, 404),
  },
  {
    name: 'scheme-in-exact-case',
    why: 'The name of the scheme is compared with Basic, case-sensitively.',
    limits: ['ACC-8'],
    steps: (base) => ({
      authenticate(authorization, merchants) {
        if (!authorization?.startsWith('Basic ')) throw unauthorized();
        return base.authenticate(authorization, merchants);
      },
    }),
  },
  {
    name: 'lenient-base64',
    why: 'The decoder tolerates missing padding, white space and the URL-safe alphabet.',
    limits: ['ACC-3'],
    steps: () => ({
      authenticate(authorization, merchants) {
        const [, encoded = ''] = /^\s*basic\s+(.*)$/is.exec(authorization ?? '') ?? [];
        const credentials = Buffer.from(encoded, 'base64').toString();
        const merchant = merchants.find(({ accessId, accessKey }) => credentials === `${accessId}:${accessKey}`);
        if (!merchant) throw unauthorized();
        return merchant;
      },
    }),
  },

  {
    name: 'limit-with-retry-after',
    why: 'Now and then a request is one too many, and the next may follow at once.',
    limits: ['CRE-1', 'REF-10'],
    steps: (base) => limiting(base, () => ({ 'Retry-After': '0' })),
  },
  {
    name: 'limit-with-retry-date',
    why: 'Now and then a request is one too many, and the answer says until when to wait.',
    limits: ['CRE-1', 'REF-10'],
    steps: (base) => limiting(base, () => ({ 'Retry-After': new Date(Date.now() + 1000).toUTCString() })),
  },
  {
    name: 'limit-without-retry-after',
    why: 'Now and then a request is one too many, and the answer does not say how long to wait.',
    limits: ['CRE-1', 'REF-10'],
    steps: (base) => limiting(base, () => ({})),
  },
  {
    name: 'limit-twice-in-a-row',
    why: 'Now and then requests are refused for longer than the answer says.',
    limits: ['CRE-1', 'REF-10'],
    steps: (base) => limiting(base, () => ({ 'Retry-After': '0' }), 2),
  },
  {
    name: 'busy-customer-refused',
    why: 'A customer is locked while a request writes it, and the others get 409.',
    limits: ['UPD-11', 'IDY-8'],
    steps: (base) => {
      const busyOf = perStore(() => new Set<string>());
      return {
        async upsert(request, context) {
          const { behaviour, store, merchant } = context;
          const body = behaviour.parseBody(request.body, request.headers);
          const { customer, externalId = body.externalId } = behaviour.select(behaviour.parseQuery(request.query), body, context);
          const key = JSON.stringify([merchant.merchantId, customer?.customerId ?? null, customer ? null : (externalId ?? null)]);
          const busy = busyOf(store);
          if (typeof externalId === 'string' || customer) {
            if (busy.has(key)) throw clash('The Customer is being changed by another request');
            busy.add(key);
          }
          try {
            await pause(5);
            return await base.upsert(request, context);
          } finally {
            busy.delete(key);
          }
        },
      };
    },
  },
  {
    name: 'one-write-at-a-time',
    why: 'All writes go through one queue.',
    limits: ['UPD-11', 'IDY-8'],
    steps: (base) => {
      let last: Promise<unknown> = Promise.resolve();
      return {
        upsert(request, context) {
          const answer = last.then(() => pause(1)).then(() => base.upsert(request, context));
          last = answer.catch(() => undefined);
          return answer;
        },
      };
    },
  },
] as const satisfies readonly Latitude[];

/** Refuses wrong credentials with another status. */
function denying(base: Behaviour, status: number): Partial<Behaviour> {
  return refusing(base, (answer) => {
    const { 'WWW-Authenticate': _, ...headers } = answer.headers;
    return answer.status === 401 ? { ...answer, status, headers } : answer;
  });
}

/** Refuses now and then: `times` of every 400 requests. */
function limiting(base: Behaviour, headers: () => Record<string, string>, times = 1): Partial<Behaviour> {
  let count = 0;
  const details = { status: 429, exception: 'TooManyRequestsException', code: 200, message: 'Too many requests' };
  return preceding(base, () => {
    count += 1;
    if (count > times && count % 400 < times) throw new Refusal({ ...details, headers: headers() });
  });
}
