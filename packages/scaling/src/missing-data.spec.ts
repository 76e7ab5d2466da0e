import { expect, it } from 'vitest';
import { factsOf, numberOf } from './missing-data.ts';
import type { Observation, Reading } from './observation.ts';

const value = (number: number): Reading => ({ kind: 'value', value: number });
const EMPTY: Reading = { kind: 'empty' };
const STALE: Reading = { kind: 'stale', ageMs: 60_000 };

function observation(rates: Reading[], waiting = value(0)): Observation {
  return {
    replicas: { spec: 1, ready: 1, startingAgesMs: [] },
    arrivalRates: rates.map((reading, i) => ({ windowMs: 10_000 * (i + 1), reading })),
    waiting,
    running: value(0),
    completionRate: value(0),
    serviceMs: { kind: 'nan' },
    serviceP95Ms: { kind: 'nan' },
    badShares: [{ windowMs: 60_000, reading: { kind: 'nan' } }],
    slots: value(16),
  };
}

it.each([
  [value(0), 0],
  [value(2.5), 2.5],
  [value(Number.NaN), undefined],
  [value(Number.POSITIVE_INFINITY), undefined],
  [value(-1), undefined],
  [EMPTY, undefined],
  [STALE, undefined],
])('%o is %s', (reading, number) => expect(numberOf(reading)).toBe(number));

it('no traffic is data, even though nothing ended', () => {
  expect(factsOf(observation([value(0), value(0)]))).toMatchObject({ state: 'present', partial: false, badShares: [] });
});

it('what is missing, and how', () => {
  expect(factsOf(observation([EMPTY, EMPTY])).state).toBe('no-data');
  expect(factsOf(observation([STALE, STALE])).state).toBe('stale');
  expect(factsOf(observation([])).state).toBe('no-data');
  expect(factsOf(observation([EMPTY, value(3)]))).toMatchObject({ state: 'present', partial: true });
  expect(factsOf(observation([value(3)], EMPTY))).toMatchObject({
    state: 'present',
    partial: true,
    waiting: undefined,
  });
});
