import { expect, test } from 'vitest';
import { linearAxis, logAxis } from './axis.ts';

test('a linear axis begins at 0 and ends at a round number over the largest', () => {
  const axis = linearAxis('x', [3, 61.7]);
  expect(axis.ticks).toEqual([0, 20, 40, 60, 80]);
  expect([axis.place(0), axis.place(40), axis.place(80)]).toEqual([0, 0.5, 1]);
  expect(linearAxis('x', []).max).toBeGreaterThan(0);
});

test('a logarithmic axis holds what it is given between marks that people read', () => {
  const axis = logAxis('y', [0, 47, 2_300]);
  expect([axis.min, axis.max]).toEqual([20, 5_000]);
  expect(axis.ticks).toEqual([20, 50, 100, 200, 500, 1_000, 2_000, 5_000]);
  expect(axis.place(20)).toBe(0);
  expect(axis.place(5_000)).toBe(1);
  expect(logAxis('y', [0.003, 4_000]).ticks).toEqual([0.01, 0.1, 1, 10, 100, 1_000]);
  expect(logAxis('y', [10]).max).toBeGreaterThan(10);
  expect(logAxis('y', []).max).toBeGreaterThan(0);
});
