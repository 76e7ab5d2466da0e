import { expect, it } from 'vitest';
import { quantileOf } from './quantile.ts';

const BOUNDS = [1, 2, 4];

it.each([
  [0.5, [10, 10, 10, 10], 0.5],
  [0.95, [0, 100, 100, 100], 1.95],
  [0.95, [50, 90, 100, 100], 3],
  [0.95, [0, 0, 0, 10], 4],
  [0.95, [50, 50, 50, 100], 4],
  [0, [0, 10, 10, 10], 1],
])('the %s quantile of %j is %s', (quantile, counts, expected) => {
  expect(quantileOf(quantile, BOUNDS, counts)).toBeCloseTo(expected);
});

it('is none where there is nothing', () => {
  expect(quantileOf(0.95, BOUNDS, [0, 0, 0, 0])).toBeNaN();
  expect(quantileOf(0.95, [], [])).toBeNaN();
});
