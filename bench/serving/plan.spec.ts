import { expect, test } from 'vitest';
import { FULL, OBJECTIVE_SHARE, pointsInRound, pointsOf, secondsOf } from './plan.ts';

test('every system is measured at its own 70% and at the common rates it can bear', () => {
  const points = pointsOf(FULL, 5, 'fine');
  expect(points.filter(({ atObjective }) => atObjective).map(({ rate }) => rate)).toEqual([OBJECTIVE_SHARE * 5]);
  const rates = points.map(({ rate }) => rate);
  expect(rates).toContain(2);
  expect(rates).not.toContain(8);
  expect(Math.max(...rates)).toBeCloseTo(5.5);
});

test('nearly equal rates are measured once', () => {
  const rates = pointsOf(FULL, 10, 'fine').map(({ rate }) => rate);
  expect(rates).toContain(8);
  expect(rates.filter((rate) => rate > 7.2 && rate < 8.8)).toEqual([8]);
  expect(rates).toEqual(rates.toSorted((a, b) => a - b));
});

test('the rounds share the points; the objective is in all of them', () => {
  const points = pointsOf(FULL, 7, 'fine');
  const rounds = [0, 1].map((round) => pointsInRound(points, round, 2));
  expect(new Set(rounds.flat())).toEqual(new Set(points));
  for (const round of rounds) expect(round.some(({ atObjective }) => atObjective)).toBe(true);
  expect(rounds.flat()).toHaveLength(points.length + 1);
});

test('a slow server is given more time, within bounds', () => {
  const window = (rate: number) => secondsOf(FULL, { rate, atObjective: false }, 1).window;
  expect(window(0.5)).toBe(FULL.pointSeconds.most);
  expect(window(5)).toBe(7);
  expect(window(50)).toBe(FULL.pointSeconds.least);
});
