import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pod, pods } from '../test/pod.ts';
import { LeastRequest, requestsPerWeight } from './least-request.ts';

describe('least request', () => {
  it('takes the one with the fewest in flight', () => {
    const endpoints = [pod('a', { inFlight: 2 }), pod('b', { inFlight: 1 }), pod('c', { inFlight: 3 })];
    expect(new LeastRequest().pick(endpoints)?.id).toBe('b');
  });

  it('counts the request to come, so that of idle ones the weight decides', () => {
    const endpoints = [pod('new', { weight: 0.1 }), pod('old')];
    const policy = new LeastRequest();
    expect([policy.pick(endpoints)?.id, policy.pick(endpoints)?.id]).toEqual(['old', 'old']);
  });

  it('sends twice as much to twice the weight', () => {
    const inFlight = new Map([
      ['a', 0],
      ['b', 0],
    ]);
    const policy = new LeastRequest();
    for (let i = 0; i < 30; i++) {
      const view = [
        pod('a', { weight: 1, inFlight: inFlight.get('a')! }),
        pod('b', { weight: 0.5, inFlight: inFlight.get('b')! }),
      ];
      const { id } = policy.pick(view)!;
      inFlight.set(id, inFlight.get(id)! + 1);
    }
    expect([...inFlight.values()]).toEqual([20, 10]);
  });

  it('lets equals take turns', () => {
    const policy = new LeastRequest();
    const picks = Array.from({ length: 6 }, () => policy.pick(pods(3))?.id);
    expect(picks).toEqual(['p00', 'p01', 'p02', 'p00', 'p01', 'p02']);
  });

  it('finds one that is available and none better', () => {
    const endpoint = fc.record({ available: fc.boolean(), inFlight: fc.nat(9), weight: fc.constantFrom(0.1, 0.5, 1) });
    fc.assert(
      fc.property(fc.array(fc.array(endpoint, { maxLength: 6 }), { maxLength: 10 }), (groups) => {
        const policy = new LeastRequest();
        for (const group of groups) {
          const endpoints = group.map((facts, i) => pod(`p${i}`, facts));
          const able = endpoints.filter(({ available }) => available);
          const picked = policy.pick(endpoints);
          expect(picked === undefined).toBe(able.length === 0);
          if (picked === undefined) continue;
          expect(picked.available).toBe(true);
          expect(requestsPerWeight(picked)).toBe(Math.min(...able.map(requestsPerWeight)));
        }
      }),
    );
  });
});
