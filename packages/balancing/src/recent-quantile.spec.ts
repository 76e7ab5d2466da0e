import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecentQuantile } from './recent-quantile.ts';

describe('a quantile of the latest values', () => {
  it('is unknown below 16', () => {
    const recent = new RecentQuantile();
    for (let i = 0; i < 15; i++) recent.add(i);
    expect(recent.quantile(0.5)).toBeUndefined();
    recent.add(15);
    expect([0, 0.5, 0.95, 1].map((share) => recent.quantile(share))).toEqual([0, 7, 15, 15]);
  });

  it('forgets what is older', () => {
    const recent = new RecentQuantile(16);
    for (let i = 0; i < 16; i++) recent.add(1_000);
    for (let i = 0; i < 16; i++) recent.add(i);
    expect(recent.quantile(1)).toBe(15);
  });

  it('is that of sorting them, the last sixteenth perhaps left out', () => {
    const value = fc.double({ min: 0, max: 1e9, noNaN: true });
    const values = fc.array(value, { minLength: 16, maxLength: 200 });
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (all, share) => {
        const recent = new RecentQuantile(64);
        const quantileOf = (end: number): number => {
          const latest = all.slice(Math.max(0, end - 64), end).toSorted((a, b) => a - b);
          return latest[Math.max(0, Math.ceil(share * latest.length) - 1)]!;
        };
        for (const [i, one] of all.entries()) {
          recent.add(one);
          if (i < 15) continue;
          const ends = [i + 1, i, i - 1, i - 2].filter((end) => end >= 16);
          expect(ends.map(quantileOf)).toContain(recent.quantile(share));
        }
        expect(all).toContain(recent.quantile(share));
      }),
    );
  });
});
