import { describe, expect, it, test } from 'vitest';
import { mostAtOnce, planOf, stageOf } from './plan.ts';

describe('a plan', () => {
  const plan = planOf(
    [
      { name: 'a', rate: 5, arrivalsMs: [100, 300] },
      { name: 'empty', arrivalsMs: [], durationMs: 1_000 },
      { name: 'b', arrivalsMs: [50, 60, 70], durationMs: 2_000, sizes: [] },
    ],
    500,
  );

  it('has one stage after the other, with pauses between them', () => {
    expect(plan.dueMs).toEqual([100, 300, 2_350, 2_360, 2_370]);
    expect(plan.stages).toEqual([
      { name: 'a', rate: 5, startMs: 0, endMs: 300, first: 0, requests: 2 },
      { name: 'empty', rate: 0, startMs: 800, endMs: 1_800, first: 2, requests: 0 },
      { name: 'b', rate: 1.5, startMs: 2_300, endMs: 4_300, first: 2, requests: 3 },
    ]);
    expect(plan.durationMs).toBe(4_300);
  });

  it('knows the stage of each request', () => {
    expect(plan.dueMs.map((_, index) => stageOf(plan.stages, index))).toEqual([0, 0, 2, 2, 2]);
  });

  it('is refused when there is nothing in it', () => {
    expect(() => planOf([{ name: 'none', arrivalsMs: [] }])).toThrow(/no request/);
  });
});

test('as many virtual users are enough as requests are due within the longest answer', () => {
  expect(mostAtOnce([0, 10, 20, 30, 1_000, 1_001], 20)).toBe(3);
  expect(mostAtOnce([0, 10, 20, 30, 1_000, 1_001], 2_000)).toBe(6);
  expect(mostAtOnce([5], 1)).toBe(1);
});
