import { randomIntegers } from '@ragscale/model-builder/random-values';
import { expect, test } from 'vitest';
import { poissonArrivals } from './schedule.ts';

const uniformOf = (seed: number) => {
  const draw = randomIntegers(seed);
  return () => draw(2 ** 32) / 2 ** 32;
};

function gapsOf(arrivals: readonly number[]): number[] {
  return arrivals.map((at, i) => at - (arrivals[i - 1] ?? 0));
}

test('gaps have the mean of the rate and the spread of an exponential', () => {
  const gaps = gapsOf(poissonArrivals(50, 2_000, uniformOf(3)));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
  expect(mean).toBeCloseTo(20, 0);
  expect(deviation / mean).toBeGreaterThan(0.97);
  expect(deviation / mean).toBeLessThan(1.03);
});

test('counts in equal stretches vary as much as their mean', () => {
  const counts = new Array<number>(2_000).fill(0);
  for (const at of poissonArrivals(10, 2_000, uniformOf(5))) counts[Math.floor(at / 1000)]! += 1;
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length;
  expect(mean).toBeCloseTo(10, 0);
  expect(variance / mean).toBeGreaterThan(0.9);
  expect(variance / mean).toBeLessThan(1.1);
});

test('the same seed gives the same schedule, in order and within the time', () => {
  const arrivals = poissonArrivals(5, 10, uniformOf(1));
  expect(poissonArrivals(5, 10, uniformOf(1))).toEqual(arrivals);
  expect(arrivals).toEqual(arrivals.toSorted((a, b) => a - b));
  expect(arrivals.at(-1)).toBeLessThan(10_000);
});
