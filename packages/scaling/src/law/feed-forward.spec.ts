import { expect, it } from 'vitest';
import { AS_IT_IS, LOAD_STEP, type Outlook, Sizing } from './feed-forward.ts';
import { lateShare, type PodModel } from './pool-model.ts';

const MODEL: PodModel = { aloneMs: 500, growth: 0.55, slots: 16, spread: 0.25 };
const TARGET = { latencyMs: 2_000, timedShare: 1 };
const SHARE = 0.005;

function needed(perSecond: number, outlook: Outlook = AS_IT_IS, shift = 0, guess = 1): number {
  return new Sizing(MODEL, TARGET, perSecond, SHARE).replicasFor(outlook, shift, guess);
}

it('is the smallest number that keeps the share, wherever it begins to look', () => {
  for (const perSecond of [0.1, 3, 11, 80, 900]) {
    const replicas = needed(perSecond);
    expect(lateShare(MODEL, TARGET, perSecond, replicas)).toBeLessThanOrEqual(SHARE + 1e-3);
    if (replicas > 1) expect(lateShare(MODEL, TARGET, perSecond, replicas - 1)).toBeGreaterThan(SHARE);
    for (const guess of [0, 2, replicas - 1, replicas, replicas + 1, 5_000]) {
      expect(needed(perSecond, AS_IT_IS, 0, guess)).toBe(replicas);
    }
  }
});

it('grows with the load, with a shift of it, and with what may come of it', () => {
  let before = 0;
  for (let perSecond = 0; perSecond < 200; perSecond += 3) {
    const replicas = needed(perSecond);
    expect(replicas).toBeGreaterThanOrEqual(before);
    expect(needed(perSecond, AS_IT_IS, 1)).toBeGreaterThanOrEqual(replicas);
    before = replicas;
  }
  const doubles = Math.round(Math.log(2) / Math.log(LOAD_STEP));
  const shares = new Float64Array(doubles + 1);
  [shares[0], shares[doubles]] = [0.9, 0.1];
  expect(needed(20, { lowest: 0, shares })).toBeGreaterThan(needed(20));
  expect(needed(20, { lowest: 0, shares })).toBeLessThanOrEqual(needed(41));
  // What is not likely enough to use up the share is not provided for.
  [shares[0], shares[doubles]] = [0.9995, 0.0005];
  expect(needed(20, { lowest: 0, shares })).toBeLessThanOrEqual(needed(20) + 1);
});

it('nothing for no load', () => {
  expect(needed(0)).toBe(0);
});

it('requests that are late even alone need no replicas', () => {
  const slow = { ...MODEL, aloneMs: 1_900 };
  const replicas = new Sizing(slow, TARGET, 10, SHARE).replicasFor(AS_IT_IS);
  expect(replicas).toBeLessThan(1_000);
});

it('more replicas are never asked for because there are many, also where a request alone hardly meets the objective', () => {
  const target = { latencyMs: 2_500, timedShare: 1 };
  for (const aloneMs of [600, 1_200, 1_700, 2_400]) {
    for (const spread of [0.1, 0.4, 1]) {
      for (const perSecond of [0.02, 1, 7]) {
        const sizing = new Sizing({ aloneMs, growth: 0.5, slots: 16, spread }, target, perSecond, 0.01);
        const replicas = sizing.replicasFor(AS_IT_IS);
        expect(replicas).toBeLessThanOrEqual(2 + Math.ceil(perSecond * aloneMs * 2e-3));
        for (const guess of [2, 3, 10, 40]) expect(sizing.replicasFor(AS_IT_IS, 0, guess)).toBe(replicas);
      }
    }
  }
});
