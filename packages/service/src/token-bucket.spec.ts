import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBucket } from './token-bucket.ts';

describe('a bucket', () => {
  it('lets a burst pass, then one per interval', () => {
    const bucket = new TokenBucket({ ratePerSecond: 2, burst: 3 });
    expect([0, 0, 0, 0].map((now) => bucket.take(now))).toEqual([0, 0, 0, 500]);
    expect(bucket.take(400)).toBeCloseTo(100);
    expect(bucket.take(500)).toBe(0);
    expect(bucket.take(500)).toBe(500);
  });

  it('fills up while nobody comes, to the burst and no further', () => {
    const bucket = new TokenBucket({ ratePerSecond: 1, burst: 2 });
    for (const now of [0, 0]) bucket.take(now);
    expect([60_000, 60_000, 60_000].map((now) => bucket.take(now))).toEqual([0, 0, 1000]);
  });

  it('never goes back in time', () => {
    const bucket = new TokenBucket({ ratePerSecond: 1, burst: 1 });
    expect(bucket.take(1_000)).toBe(0);
    expect(bucket.take(0)).toBe(1_000);
    expect(bucket.take(1_500)).toBe(500);
  });

  it('keeps what is used up when its limits change', () => {
    const bucket = new TokenBucket({ ratePerSecond: 1, burst: 10 });
    for (let taken = 0; taken < 9; taken += 1) bucket.take(0);
    bucket.adjust({ ratePerSecond: 4, burst: 20 }, 0);
    expect([bucket.take(0), bucket.take(0)]).toEqual([0, 250]);
    bucket.adjust({ ratePerSecond: 4, burst: 2 }, 60_000);
    expect([1, 2, 3].map(() => bucket.take(60_000))).toEqual([0, 0, 250]);
  });

  it.each([
    [0, 1],
    [-1, 1],
    [Number.NaN, 1],
    [Number.POSITIVE_INFINITY, 1],
    [1, 0.5],
    [1, Number.NaN],
  ])('refuses %d a second with a burst of %d', (ratePerSecond, burst) => {
    expect(() => new TokenBucket({ ratePerSecond, burst })).toThrow(RangeError);
  });

  it('never lets more pass than burst and rate allow, and a wait as long as it said is enough', () => {
    const limits = fc.record({
      ratePerSecond: fc.double({ min: 0.01, max: 1e5, noNaN: true }),
      burst: fc.double({ min: 1, max: 100, noNaN: true }),
    });
    const pauses = fc.array(fc.double({ min: 0, max: 5_000, noNaN: true }), { maxLength: 200 });
    const start = fc.double({ min: 0, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(limits, pauses, start, (given, pausesMs, startedAt) => {
        const bucket = new TokenBucket(given);
        let now = startedAt;
        let passed = 0;
        for (const pauseMs of pausesMs) {
          now += pauseMs;
          const waitMs = bucket.take(now);
          if (waitMs > 0) {
            now += waitMs;
            expect(bucket.take(now)).toBe(0);
          }
          passed += 1;
          const allowed = given.burst + ((now - startedAt) * given.ratePerSecond) / 1000;
          expect(passed).toBeLessThanOrEqual(allowed * (1 + 1e-6) + 1e-2);
        }
      }),
    );
  });
});
