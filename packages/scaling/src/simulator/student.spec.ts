import { describe, expect, it } from 'vitest';
import { estimate } from './repeat.ts';
import { studentQuantile } from './student.ts';

describe("Student's t", () => {
  it.each([
    [1, 12.706],
    [2, 4.303],
    [3, 3.182],
    [4, 2.776],
    [9, 2.262],
    [19, 2.093],
    [30, 2.042],
  ])('has the quantile of the tables with %i degrees of freedom', (degrees, quantile) => {
    expect(studentQuantile(0.975, degrees)).toBeCloseTo(quantile, 3);
  });

  it('makes an interval of a few values', () => {
    const { mean, ci95 } = estimate([1, 2, 3, 4]);
    expect(mean).toBe(2.5);
    expect(ci95).toBeCloseTo((3.182 * Math.sqrt(5 / 3)) / 2, 3);
    expect(estimate([7])).toEqual({ mean: 7, ci95: Number.NaN });
  });
});
