import { expect, test } from 'vitest';
import { pairedDifference, pairedRatio } from './ratios.ts';

test('a machine that slows down in the middle does not change a ratio of rounds', () => {
  expect(pairedRatio([10, 20, 20], [5, 10, 10])).toBe(2);
});

test('one disturbed round is no matter', () => {
  expect(pairedRatio([10, 90, 10], [5, 5, 5])).toBe(2);
  expect(pairedDifference([3, 40, 3], [1, 1, 1])).toBe(2);
});

test('rounds that only one of them has do not count', () => {
  expect(pairedRatio([4, 4, 400], [2, 2])).toBe(2);
  expect(pairedDifference([], [])).toBeNaN();
});
