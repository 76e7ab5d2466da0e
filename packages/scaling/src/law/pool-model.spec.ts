import { describe, expect, it } from 'vitest';
import { erlangC } from './erlang.ts';
import { type Effort, fullRate, lateAlone, lateShare, type PodModel, serviceMsAt, slowerThan } from './pool-model.ts';

const TARGET = { latencyMs: 2_000, timedShare: 1 };
const SINGLE: PodModel = { aloneMs: 500, growth: 0, slots: 1, spread: 0.25 };
const BATCHED: PodModel = { aloneMs: 500, growth: 0.55, slots: 16, spread: 0.25 };

it('with one slot and exponential requests, the share that waits at all is Erlang C', () => {
  // A variation of 1 is a spread of sqrt(ln 2); where no time is left for waiting, who waits is late, and nobody else.
  const model = { ...SINGLE, spread: Math.sqrt(Math.log(2)) };
  for (const [perSecond, servers] of [
    [6, 4],
    [15, 8],
    [100, 55],
    [9_900, 5_000],
    [9_990, 5_000],
  ] as const) {
    const waits = lateShare(model, { latencyMs: 1e-6, timedShare: 1e-12 }, perSecond, servers);
    expect(Math.abs(waits - erlangC(servers, perSecond / 2))).toBeLessThan(0.01);
  }
});

// Measured in the simulator with our pod's curve, one proxy, round robin, requests of variation 0.25: percent late.
describe.each([
  [SINGLE, 4, 6.4, 0.71],
  [SINGLE, 2, 2.8, 1.16],
  [BATCHED, 2, 6, 0.47],
  [BATCHED, 4, 14, 0.75],
  [BATCHED, 8, 28, 0.56],
])('%o, %d replicas, %d/s', (model, replicas, perSecond, percent) => {
  it(`${percent}% are late, by a factor of two`, () => {
    const late = 100 * lateShare(model, TARGET, perSecond, replicas);
    expect(late).toBeGreaterThan(percent / 2);
    expect(late).toBeLessThan(percent * 3);
  });
});

it('more load is later, more replicas are less late', () => {
  for (const model of [SINGLE, BATCHED]) {
    let before = 0;
    for (let perSecond = 0; perSecond <= 60; perSecond += 1) {
      const late = lateShare(model, TARGET, perSecond, 8);
      expect(late).toBeGreaterThanOrEqual(before - 1e-9);
      before = late;
    }
    before = 1;
    for (let replicas = 0; replicas < 60; replicas++) {
      const late = lateShare(model, TARGET, 20, replicas);
      expect(late).toBeLessThanOrEqual(before + 1e-6);
      before = late;
    }
  }
});

it('all are late where the replicas cannot keep up; without load, those that are late alone', () => {
  expect(lateShare(BATCHED, TARGET, 1_000 * fullRate(BATCHED, 3), 3)).toBe(1);
  expect(lateShare(BATCHED, TARGET, 1, 0)).toBe(1);
  expect(lateShare(BATCHED, TARGET, 0, 3)).toBe(lateAlone(BATCHED, TARGET));
});

it('a request takes the longer the more run beside it', () => {
  expect(serviceMsAt(BATCHED, 0.5)).toBe(500);
  expect(serviceMsAt(BATCHED, 16)).toBeCloseTo(500 * 16 ** 0.55);
});

it('the share that is slower: half above the median, all where no time is left', () => {
  expect(slowerThan({ ...SINGLE, spread: 1e-3 }, TARGET, { replicas: 1, atOnce: 1 }, 500)).toBeCloseTo(0.5, 2);
  expect(slowerThan(SINGLE, TARGET, { replicas: 1, atOnce: 1 }, 0)).toBe(1);
  // Lognormal with mean 1 and deviation 0.25 of its logarithm: above 2 with z = 4 * ln 2 + 0.125 = 2.898.
  expect(slowerThan(SINGLE, TARGET, { replicas: 1, atOnce: 1 }, 1_000)).toBeCloseTo(0.00188, 4);
});

it('costs no more states for thousands of replicas', () => {
  const effort: Effort = { states: 0 };
  lateShare(BATCHED, TARGET, 10_000, 4_000, effort);
  expect(effort.states).toBeLessThan(300);
});
