import { describe, expect, it } from 'vitest';
import { exponential, lognormal, normal, seededRandom } from './random.ts';

const drawn = (draw: () => number, count = 100_000) => Float64Array.from({ length: count }, draw);
const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values: Float64Array) => {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)));
};

describe('chance', () => {
  it('is the same for a seed and a stream, and another for another', () => {
    const first = (seed: number, stream: number) => drawn(seededRandom(seed, stream), 4).join();
    expect(first(7, 1)).toBe(first(7, 1));
    expect(new Set([first(7, 1), first(7, 2), first(8, 1), first(8, 2), first(0, 0)]).size).toBe(5);
  });

  it('is uniform', () => {
    const counts = new Int32Array(100);
    const random = seededRandom(3);
    for (let i = 0; i < 100_000; i++) counts[Math.floor(100 * random())]! += 1;
    const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    // The 99.9th percentile with 99 degrees of freedom.
    expect(chiSquare).toBeLessThan(149);
  });

  it('has the shapes that are asked for', () => {
    const random = seededRandom(5);
    const exponentials = drawn(() => exponential(random));
    expect(mean(exponentials)).toBeCloseTo(1, 1);
    expect(deviation(exponentials)).toBeCloseTo(1, 1);
    expect(deviation(drawn(() => normal(random)))).toBeCloseTo(1, 1);
    const sizes = drawn(() => lognormal(random, 0.25));
    expect(mean(sizes)).toBeCloseTo(1, 2);
    expect(deviation(sizes)).toBeCloseTo(0.25, 2);
  });
});
