import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawsFrom, pod, pods } from '../test/pod.ts';
import { betterOfTwo, twoChoices } from './two-choices.ts';

/** Each pair of draws once: n for the first and n - 1 for the second, in the middle of their interval. */
function allDraws(n: number): (() => number)[] {
  const draws: (() => number)[] = [];
  for (let first = 0; first < n; first++) {
    for (let second = 0; second < n - 1; second++) {
      const values = [(first + 0.5) / n, (second + 0.5) / (n - 1)];
      draws.push(() => values.shift()!);
    }
  }
  return draws;
}

describe('two choices', () => {
  it('draws each ordered pair of those available exactly once in all draws', () => {
    const endpoints = pods(6).map((view, i) => ({ ...view, available: i !== 0 && i !== 3 }));
    const pairs = new Set<string>();
    for (const draw of allDraws(4)) {
      betterOfTwo(endpoints, draw, (second, first) => {
        pairs.add(`${first.id} ${second.id}`);
        return false;
      });
    }
    expect(pairs.size).toBe(12);
    expect([...pairs].some((pair) => /p00|p03|(p..) \1/.test(pair))).toBe(false);
  });

  it('gives equals exactly equal shares', () => {
    const taken = new Map<string, number>();
    for (const draw of allDraws(5)) {
      const { id } = twoChoices.pick(pods(5), draw)!;
      taken.set(id, (taken.get(id) ?? 0) + 1);
    }
    expect([...taken.values()]).toEqual([4, 4, 4, 4, 4]);
  });

  it('takes the one with less to do for its weight', () => {
    const endpoints = [pod('a', { inFlight: 3 }), pod('b', { inFlight: 1, weight: 0.4 })];
    for (const draw of allDraws(2)) expect(twoChoices.pick(endpoints, draw)?.id).toBe('a');
  });

  it('never takes the busiest of all, nor one that is not available', () => {
    const endpoint = fc.record({ available: fc.boolean(), inFlight: fc.nat(9) });
    fc.assert(
      fc.property(fc.array(endpoint, { maxLength: 8 }), fc.integer(), (group, seed) => {
        const endpoints = group.map((facts, i) => pod(`p${i}`, facts));
        const able = endpoints.filter(({ available }) => available).map(({ inFlight }) => inFlight);
        const picked = twoChoices.pick(endpoints, drawsFrom(seed));
        expect(picked?.available ?? false).toBe(able.length > 0);
        const most = Math.max(...able);
        const onlyBusiest = able.length > 1 && able.filter((inFlight) => inFlight === most).length === 1;
        if (onlyBusiest) expect(picked?.inFlight).toBeLessThan(most);
      }),
    );
  });
});
