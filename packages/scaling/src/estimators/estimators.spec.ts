import { describe, expect, it } from 'vitest';
import { exceeds } from '../law/pool-model.ts';
import { ArrivalRate } from './arrival-rate.ts';
import { BurstHeadroom } from './burst-headroom.ts';
import { ASSUMED_COLD_START_MS, ColdStart } from './cold-start.ts';
import { ServiceCurve } from './service-curve.ts';
import { SizeSpread, shareAbove } from './size-spread.ts';
import { WorkingShare } from './working-share.ts';

describe('arrival rate', () => {
  const windows = (short: number, middle = short, long = middle) => [
    { windowMs: 10_000, perSecond: short },
    { windowMs: 30_000, perSecond: middle },
    { windowMs: 60_000, perSecond: long },
  ];

  it('chance in a short window moves nothing, a significant change is followed at once', () => {
    const rate = new ArrivalRate();
    for (let now = 0; now <= 1_200_000; now += 5_000) rate.observe(windows(now % 10_000 === 0 ? 9 : 11, 10), now);
    expect(rate.perSecond).toBeCloseTo(10, 1);
    rate.observe(windows(12, 11, 10.5), 1_205_000);
    expect(rate.perSecond).toBeCloseTo(10, 1);
    rate.observe(windows(30, 17, 13), 1_210_000);
    expect(rate.perSecond).toBe(30);
    rate.observe(windows(0, 4, 8), 1_215_000);
    expect(rate.perSecond).toBeLessThan(5);
  });

  it('a rise that means something goes on, chance does not', () => {
    const rate = new ArrivalRate();
    rate.observe(windows(12, 11, 10.5), 0);
    expect([rate.isSteady, rate.perSecondIn(30_000)]).toEqual([true, 10.5]);
    // 6 a second more in the 25 s between the middles of the windows, and 35 s from the middle of the last.
    rate.observe(windows(30, 27, 24), 5_000);
    expect([rate.isSteady, rate.perSecondIn(30_000)]).toEqual([false, 30 + (6 / 25) * 35]);
    rate.observe(windows(10, 20, 24), 10_000);
    expect(rate.perSecondIn(30_000)).toBe(rate.perSecond);
  });

  it('holds what it had while nothing is known', () => {
    const rate = new ArrivalRate();
    rate.observe(windows(10), 0);
    rate.observe([], 5_000);
    expect(rate.perSecond).toBe(10);
  });
});

describe('service by concurrency', () => {
  it('learns both numbers of the curve', () => {
    const curve = new ServiceCurve();
    for (let i = 0; i < 400; i++) {
      const atOnce = 1 + (i % 8);
      curve.observe(300 * Math.cbrt(1 + atOnce ** 3) ** 0.35, atOnce, 16, 50, 5_000);
    }
    expect(curve.aloneMs! / 300).toBeCloseTo(1, 1);
    expect(curve.growth).toBeCloseTo(0.35, 1);
  });

  it('knows nothing from idle', () => {
    const curve = new ServiceCurve();
    curve.observe(500, 0, 16, 0, 5_000);
    expect(curve.known).toBe(false);
  });

  it('a change of the service is learnt in minutes', () => {
    const curve = new ServiceCurve();
    for (let i = 0; i < 500; i++) curve.observe(300, 1, 16, 50, 5_000);
    for (let i = 0; i < 24; i++) curve.observe(900, 1, 16, 50, 5_000);
    expect(curve.aloneMs! * Math.cbrt(2) ** curve.growth).toBeGreaterThan(750);
  });
});

it('of the time with a pod, what waits in it is no work, if pods are full enough for that', () => {
  const working = new WorkingShare();
  for (let i = 0; i < 100; i++) working.observe(8, 10, 12, 5_000);
  expect(working.share).toBeCloseTo(0.8);
  working.observe(8, 10, 160, 5_000);
  expect(working.share).toBe(1);
  for (let i = 0; i < 1_000; i++) working.observe(0, 10, 12, 5_000);
  expect(working.share).toBe(0.5);
});

describe('cold start', () => {
  it('what the spec says wins; an assumption until one was seen', () => {
    expect(new ColdStart(12_000).ms).toBe(12_000);
    expect(new ColdStart(undefined)).toMatchObject({ ms: ASSUMED_COLD_START_MS, known: false });
  });

  it('is the age at which pods become ready, not that at which they are deleted', () => {
    const start = new ColdStart(undefined);
    start.observe(2, [40_000, 40_000, 5_000], 0);
    start.observe(4, [10_000], 5_000);
    expect(start).toMatchObject({ ms: 42_500, known: true, lastReadyAt: 5_000 });
    start.observe(4, [], 10_000);
    expect(start.ms).toBe(42_500);
  });

  it('one slow pod of many does not count', () => {
    const start = new ColdStart(undefined);
    for (let i = 0; i < 30; i++) {
      start.observe(i, [i === 10 ? 300_000 : 20_000], 10_000 * i);
      start.observe(i + 1, [], 10_000 * i + 5_000);
    }
    expect(start.ms).toBe(22_500);
  });
});

describe('what came after moments like this', () => {
  const shareAbove = (bursts: BurstHeadroom, level: number, now: number) => {
    const { lowest, shares } = bursts.after(level, now);
    return shares.reduce((sum, share, i) => sum + (lowest + i > 5 ? share : 0), 0);
  };

  it('adds up to 1, is cautious at first, and less so the longer nothing happens', () => {
    const bursts = new BurstHeadroom();
    const before: number[] = [];
    for (let now = 0; now <= 3_600_000; now += 5_000) {
      bursts.observe(10, 45_000, now);
      if (now % 600_000 === 0) before.push(shareAbove(bursts, 10, now));
      expect(bursts.after(10, now).shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 4);
    }
    expect(before).toEqual(before.toSorted((a, b) => b - a));
    expect(before.at(-1)!).toBeLessThan(0.2 * before[0]!);
  });

  it('tells loads after which it rises from those after which it does not', () => {
    const bursts = new BurstHeadroom();
    let now = 0;
    for (; now <= 3_600_000; now += 5_000) bursts.observe(Math.floor(now / 90_000) % 2 === 0 ? 5 : 20, 45_000, now);
    expect(shareAbove(bursts, 5, now)).toBeGreaterThan(0.2);
    expect(shareAbove(bursts, 20, now)).toBeLessThan(0.05);
  });

  it('nothing is known of no load', () => {
    expect(new BurstHeadroom().after(0, 0).shares).toEqual(Float64Array.of(1));
  });
});

describe('spread of the sizes', () => {
  const predict = (spread: number) => 0.02 * (spread / 0.3) ** 5;

  it('follows what is late, slowly and within bounds', () => {
    const sizes = new SizeSpread();
    const first = sizes.spread;
    sizes.observe(1, predict, 1e6, 5_000);
    expect(sizes.spread / first).toBeLessThan(1.06);
    for (let i = 0; i < 2_000; i++) sizes.observe(0.02, predict, 100, 5_000);
    expect(sizes.spread).toBeCloseTo(0.3, 1);
    for (let i = 0; i < 5_000; i++) sizes.observe(1, predict, 1e4, 5_000);
    expect(sizes.spread).toBeLessThanOrEqual(1.2 + 1e-9);
  });

  it('a quantile of a histogram tells it, wherever in a bucket the bounds leave it', () => {
    for (const spread of [0.15, 0.25, 0.6]) {
      // Times of 700 ms in the mean, in buckets from 500 ms on that are as wide.
      const above = (ms: number) => exceeds(ms / 700, spread);
      const to = [1_000, 1_500, 2_000].find((bound) => above(bound) < 0.05)!;
      const from = to - 500;
      const quantileMs = from + ((to - from) * (above(from) - 0.05)) / (above(from) - above(to));
      expect(shareAbove(quantileMs, 700, 2_000)!(spread)).toBeCloseTo(0.05, 6);
    }
    expect(shareAbove(61_000, 700, 2_000)).toBeUndefined();
  });

  it('stays where nothing ended', () => {
    const sizes = new SizeSpread();
    const { spread } = sizes;
    sizes.observe(0.5, predict, 0, 5_000);
    expect(sizes.spread).toBe(spread);
  });
});
