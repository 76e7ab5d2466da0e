import { describe, expect, it, test } from 'vitest';
import { evenArrivals, poissonArrivals, thinnedArrivals } from './arrivals.ts';
import { indexOfDispersion, variationOf } from './dispersion.ts';
import { planOf } from './plan.ts';
import { seededRandom } from './random.ts';

const SEEDS = [1, 2, 7, 42, 1_000, 123_456];

const variation = (arrivalsMs: readonly number[]) => {
  const { dueMs, stages } = planOf([{ name: 'all', arrivalsMs }]);
  return variationOf(dueMs, stages);
};

describe('Poisson arrivals', () => {
  it.each(SEEDS)('have the spread of chance, neither less nor more: seed %i', (seed) => {
    const durationMs = 600_000;
    const arrivals = poissonArrivals(20, { durationMs }, seededRandom(seed));
    // Five times the deviations that 12,000 exponential gaps and 1,200 Poisson counts have around 1.
    expect(Math.abs(variation(arrivals) - 1)).toBeLessThan(5 / Math.sqrt(12_000));
    expect(Math.abs(indexOfDispersion(arrivals, durationMs, 1_200) - 1)).toBeLessThan(5 * Math.sqrt(2 / 1_200));
  });

  it.each([5, 60])('come %i times a second', (rate) => {
    for (const seed of SEEDS) {
      const arrivals = poissonArrivals(rate, { requests: 10_000 }, seededRandom(seed));
      expect(arrivals).toHaveLength(10_000);
      // The last of n comes after n / rate, give or take a share of 1 / sqrt(n).
      expect(Math.abs((arrivals.at(-1)! * rate) / 10_000_000 - 1)).toBeLessThan(0.05);
    }
  });

  it('are the same for a seed, others for another, and for another stream of it', () => {
    const of = (seed: number, stream = 0) => poissonArrivals(10, { requests: 50 }, seededRandom(seed, stream));
    expect(of(42)).toEqual(of(42));
    expect(of(42)).not.toEqual(of(43));
    expect(of(42)).not.toEqual(of(42, 1));
  });

  it('are in order, and end with the time', () => {
    const arrivals = poissonArrivals(50, { durationMs: 10_000 }, seededRandom(3));
    expect(arrivals).toEqual(arrivals.toSorted((a, b) => a - b));
    expect(arrivals.at(-1)).toBeLessThan(10_000);
    expect(poissonArrivals(0, { durationMs: 10_000 }, seededRandom(3))).toEqual([]);
  });
});

test('even arrivals are even, and as many', () => {
  const arrivals = evenArrivals(5, { requests: 1_000 });
  expect(variation(arrivals)).toBeCloseTo(0, 9);
  expect([arrivals[0], arrivals.length, arrivals.at(-1)]).toEqual([100, 1_000, 199_900]);
  expect(indexOfDispersion(arrivals, 200_000, 200)).toBe(0);
  expect(evenArrivals(5, { durationMs: 60_000 })).toHaveLength(300);
});

test('sleeping an exponential time in even iterations, as is often advised, is no Poisson process: it would not pass', () => {
  const random = seededRandom(5);
  const sent = evenArrivals(20, { requests: 12_000 })
    .map((at) => at - 50 * Math.log(1 - random()))
    .sort((a, b) => a - b);
  expect(indexOfDispersion(sent, 600_000, 300)).toBeLessThan(0.1);
});

test('arrivals of a rate that changes come at that rate, and by chance', () => {
  const durationMs = 1_000_000;
  const arrivals = thinnedArrivals(
    { rateAt: (at) => (40 * at) / durationMs, maxRate: 40, durationMs },
    seededRandom(9),
  );
  const within = (from: number, to: number) => arrivals.filter((at) => at >= from && at < to).length;
  for (const [from, mean] of [
    [0, 1_250],
    [250_000, 3_750],
    [750_000, 8_750],
  ] as const) {
    expect(Math.abs(within(from, from + 250_000) - mean)).toBeLessThan(5 * Math.sqrt(mean));
  }
  // Counts of pieces with the same mean: the process in its own time, in which it has rate 1.
  const inOwnTime = arrivals.map((at) => (20 * at * at) / durationMs / 1_000);
  expect(Math.abs(indexOfDispersion(inOwnTime, 20_000, 1_000) - 1)).toBeLessThan(5 * Math.sqrt(2 / 1_000));
});
