import { expect, it } from 'vitest';
import { DEFAULT_PODS, SINGLE_SLOT_PODS } from './defaults.ts';
import { initialReplicas, peakRate } from './initial-replicas.ts';

it('are twice what the busiest of the first minutes needs, and two at least', () => {
  const timesMs = Float64Array.from({ length: 600 }, (_, index) => 60_000 + index * 100);
  const minute = { timesMs, durationMs: 900_000 };
  expect(peakRate(SINGLE_SLOT_PODS)).toBe(2);
  expect(initialReplicas(minute, SINGLE_SLOT_PODS)).toBe(10);
  expect(peakRate(DEFAULT_PODS)).toBeCloseTo(7.06, 2);
  expect(initialReplicas(minute, DEFAULT_PODS)).toBe(3);
  expect(initialReplicas({ timesMs: new Float64Array(), durationMs: 10 }, DEFAULT_PODS)).toBe(2);
  const later = { timesMs: timesMs.map((at) => at + 600_000), durationMs: 900_000 };
  expect(initialReplicas(later, SINGLE_SLOT_PODS)).toBe(2);
});
