import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pod, pods } from '../test/pod.ts';
import type { EndpointView } from './endpoint-view.ts';
import { pickSticky } from './sticky.ts';

const keysOf = (count: number) => Array.from({ length: count }, (_, i) => `user-${i}`);

function sharesOf(endpoints: readonly EndpointView[], keys: readonly string[]): Map<string, number> {
  const shares = new Map(endpoints.map(({ id }) => [id, 0]));
  for (const key of keys) {
    const { id } = pickSticky(endpoints, key)!;
    shares.set(id, shares.get(id)! + 1 / keys.length);
  }
  return shares;
}

describe('the pod of a key', () => {
  it('is the same in every proxy', () => {
    const ids = ['a', 'b', 'c', 'd'].map((key) => pickSticky(pods(8), key)?.id);
    expect(ids).toEqual(ids.map((_, i) => pickSticky(pods(8).toReversed(), 'abcd'[i]!)?.id));
  });

  it('moves only if it is the one that goes', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 2, max: 12 }), fc.nat(11), (key, count, gone) => {
        const all = pods(count);
        const left = all.map((view, i) => ({ ...view, available: i !== gone % count }));
        const before = pickSticky(all, key)!;
        const after = pickSticky(left, key)!;
        if (before.id !== all[gone % count]!.id) expect(after.id).toBe(before.id);
        else expect(after.id).not.toBe(before.id);
      }),
    );
  });

  it('moves only to a pod whose weight has risen', () => {
    fc.assert(
      fc.property(fc.string(), fc.double({ min: 0.1, max: 0.9, noNaN: true }), (key, weight) => {
        const before = pickSticky([pod('new', { weight }), pod('b'), pod('c')], key)!;
        const after = pickSticky([pod('new'), pod('b'), pod('c')], key)!;
        expect(['new', before.id]).toContain(after.id);
      }),
    );
  });

  it('is none where none is available', () => {
    expect(pickSticky(pods(3, { available: false }), 'key')).toBeUndefined();
  });
});

describe('shares of keys', () => {
  const KEYS = keysOf(20_000);
  const IDS = {
    addresses: Array.from({ length: 10 }, (_, i) => `10.244.0.${11 + i}:8080`),
    'names of a deployment': [
      'x2xkq',
      '7bvwz',
      'qq8fd',
      'l9c4t',
      'zr6nm',
      'd5hjp',
      'm2x7s',
      'k8wbv',
      'p4gtr',
      'c6nlq',
    ].map((suffix) => `rag-7d9f8b6c54-${suffix}`),
    'single letters': [...'abcdefghij'],
  };

  it.each(Object.entries(IDS))('are even over %s', (_, ids) => {
    const shares = [
      ...sharesOf(
        ids.map((id) => pod(id)),
        KEYS,
      ).values(),
    ];
    const chiSquare = shares.reduce((sum, share) => sum + ((share - 0.1) ** 2 / 0.1) * KEYS.length, 0);
    // The 99.9th percentile with 9 degrees of freedom.
    expect(chiSquare).toBeLessThan(27.9);
  });

  it('follow the weights', () => {
    const weights = [0.1, 0.5, 1, 2];
    const shares = [
      ...sharesOf(
        weights.map((weight, i) => pod(`p${i}`, { weight })),
        KEYS,
      ).values(),
    ];
    weights.forEach((weight, i) => {
      expect(Math.abs(shares[i]! - weight / 3.6)).toBeLessThan(0.012);
    });
  });

  it('of a pod that has gone fall to the others evenly', () => {
    const all = pods(5);
    const keys = KEYS.filter((key) => pickSticky(all, key)!.id === 'p02');
    const shares = sharesOf(
      all.filter(({ id }) => id !== 'p02'),
      keys,
    );
    for (const share of shares.values()) expect(Math.abs(share - 0.25)).toBeLessThan(0.025);
  });
});
