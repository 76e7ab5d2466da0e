import { describe, expect, it } from 'vitest';
import { isCovered, windowsFor } from './windows.ts';

const policy = {
  maxReplicas: 3,
  objective: { metric: 'duration', latencyMs: 2_000, percentile: 95 },
} as const;

describe('windows', () => {
  it.each([
    [undefined, [10_000, 30_000, 60_000], false],
    [1_000, [10_000, 30_000, 60_000], false],
    [2_500, [10_000, 30_000, 60_000], false],
    // As an interval of 2.5 s may look.
    [2_600, [10_000, 30_000, 60_000], false],
    [5_000, [20_000, 30_000, 60_000], true],
    [15_000, [60_000], true],
    [15_400, [60_000], true],
    [30_000, [120_000], true],
  ])('scraped every %s ms: %j', (intervalMs, arrivalsMs, isTooCoarse) => {
    expect(windowsFor(policy, intervalMs)).toMatchObject({ arrivalsMs, isTooCoarse, longestMs: arrivalsMs.at(-1) });
  });

  it('are those that the law is made for where shares are counted, if scrapes are close enough', () => {
    expect(windowsFor(policy, 2_500).badSharesMs).toEqual([60_000, 300_000]);
    expect(windowsFor(policy, 30_000).badSharesMs).toEqual([120_000, 300_000]);
    expect(windowsFor(policy, 120_000).badSharesMs).toEqual([600_000 - 120_000 + 120_000]);
  });

  it('are a little longer than the policy says where it says something unusual', () => {
    expect(windowsFor({ ...policy, windowsMs: [10_500, 11_000, 65_000] }, 1_000)).toMatchObject({
      arrivalsMs: [12_000, 75_000],
      isTooCoarse: false,
    });
    expect(windowsFor({ ...policy, windowsMs: [4_000_000] }, 1_000).arrivalsMs).toEqual([7_200_000]);
  });
});

describe('a window is covered', () => {
  it.each([
    [4, 10_000, 2_500, true],
    [3, 10_000, 2_500, true],
    [2, 10_000, 2_500, false],
    [24, 60_000, 2_500, true],
    [22, 60_000, 2_500, true],
    [21, 60_000, 2_500, false],
    [1, 10_000, 15_000, false],
    [undefined, 10_000, 2_500, false],
    [4, 10_000, undefined, false],
  ])('by %s samples in %s ms, scraped every %s ms: %s', (samples, windowMs, intervalMs, expected) => {
    expect(isCovered(samples, windowMs, intervalMs)).toBe(expected);
  });
});
