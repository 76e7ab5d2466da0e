import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pod, pods } from '../test/pod.ts';
import type { EndpointView } from './endpoint-view.ts';
import { RoundRobin } from './round-robin.ts';

const IDS = pods(8).map(({ id }) => id);

const picksOf = (policy: RoundRobin, endpoints: readonly EndpointView[], count: number) =>
  Array.from({ length: count }, () => policy.pick(endpoints)?.id);

describe('equal weights', () => {
  it('take turns in the order of the ids', () => {
    expect(picksOf(new RoundRobin(), pods(3), 7)).toEqual(['p00', 'p01', 'p02', 'p00', 'p01', 'p02', 'p00']);
  });

  it('give any n picks in a row to n different ones', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.nat(40), (n, before) => {
        const policy = new RoundRobin();
        picksOf(policy, pods(n), before);
        expect(new Set(picksOf(policy, pods(n), n)).size).toBe(n);
      }),
    );
  });

  it('give nobody a second turn before all who stayed had one, whoever comes and goes', () => {
    const group = fc.array(fc.boolean(), { minLength: IDS.length, maxLength: IDS.length });
    fc.assert(
      fc.property(fc.array(group, { minLength: 2, maxLength: 60 }), (groups) => {
        const policy = new RoundRobin();
        const picks = groups.map((present) => {
          const endpoints = IDS.filter((_, i) => present[i]).map((id) => pod(id));
          return { ids: new Set(endpoints.map(({ id }) => id)), id: policy.pick(endpoints)?.id };
        });
        picks.forEach(({ id }, from) => {
          const to = picks.findIndex((pick, i) => i > from && pick.id === id);
          if (id === undefined || to < 0) return;
          const between = picks.slice(from + 1, to);
          const stayed = IDS.filter(
            (other) => other !== id && picks.slice(from, to + 1).every(({ ids }) => ids.has(other)),
          );
          expect(between.map((pick) => pick.id)).toEqual(expect.arrayContaining(stayed));
        });
      }),
    );
  });
});

describe('weights', () => {
  it('give shares of the rounds that are right within one turn', () => {
    const weights = fc.array(fc.double({ min: 0.1, max: 1, noNaN: true }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 50 }), (values, rounds) => {
        // The last of the ring has the largest weight, so its turn ends a round.
        const endpoints = [...values.map((weight, i) => pod(`p${i}`, { weight })), pod('z')];
        const policy = new RoundRobin();
        const taken = new Map<string, number>();
        while ((taken.get('z') ?? 0) < rounds) {
          const { id } = policy.pick(endpoints)!;
          taken.set(id, (taken.get(id) ?? 0) + 1);
        }
        for (const { id, weight } of endpoints) {
          expect(Math.abs((taken.get(id) ?? 0) - rounds * weight)).toBeLessThan(1 + 1e-6);
        }
      }),
    );
  });

  it('that rise give more and more turns', () => {
    const policy = new RoundRobin();
    const turnsAt = (weight: number) =>
      picksOf(policy, [pod('new', { weight }), pod('old')], 300).filter((id) => id === 'new').length;
    const turns = [0.1, 0.25, 0.5, 1].map(turnsAt);
    expect(turns[0]).toBeCloseTo(300 / 11, -1);
    expect(turns).toEqual(turns.toSorted((a, b) => a - b));
    expect(turns[3]).toBe(150);
  });

  it('of those that are not available do not count', () => {
    const endpoints = [pod('a', { weight: 0.1 }), pod('b', { available: false })];
    expect(picksOf(new RoundRobin(), endpoints, 3)).toEqual(['a', 'a', 'a']);
  });
});

describe('availability', () => {
  it('is never ignored, and one that is available is always found', () => {
    const endpoint = fc.record({ available: fc.boolean(), weight: fc.double({ min: 0.01, max: 10, noNaN: true }) });
    fc.assert(
      fc.property(fc.array(fc.array(endpoint, { maxLength: 6 }), { maxLength: 20 }), (groups) => {
        const policy = new RoundRobin();
        for (const group of groups) {
          const endpoints = group.map((facts, i) => pod(`p${i}`, facts));
          const picked = policy.pick(endpoints);
          expect(picked?.available ?? false).toBe(endpoints.some(({ available }) => available));
        }
      }),
    );
  });
});
