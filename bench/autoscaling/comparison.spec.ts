import { describe, expect, it } from 'vitest';
import { aggregatesAt, atEqualViolations } from './comparison.ts';
import { gapsAt } from './gap.ts';
import type { Point, Report } from './report.ts';
import { tablesOf } from './tables.ts';

const place = { kind: 'batched', coldStartS: 30 } as const;
const sure = (mean: number) => ({ mean, ci95: Number.NaN });

function point(
  policy: string,
  load: string,
  [requests, violations, cost]: [number, number, number],
  given = {},
): Point {
  return {
    ...place,
    policy,
    load,
    variant: 'default',
    settings: { percentile: 95 },
    requests,
    violations: sure(violations),
    replicaSeconds: sure(cost),
    p95Ms: sure(1),
    changes: sure(1),
    onOracleSeeds: { violations, replicaSeconds: cost },
    ...given,
  };
}

const plan = (load: string, coldStartS: number, replicaSeconds: number) => ({
  kind: 'batched' as const,
  coldStartS,
  load,
  violations: 0.005,
  replicaSeconds,
  lowerBound: 500,
  rateKnown: replicaSeconds + 40,
});

const other = { variant: 'other', settings: { percentile: 50 } };
const report: Report = {
  settings: {
    objectiveMs: 2_000,
    allowed: 0.005,
    seeds: [1],
    oracleSeeds: [1],
    loads: ['a', 'b', 'calm'].map((name) => ({ name, about: name, isStationary: name === 'calm' })),
  },
  points: [
    point('ragscale', 'a', [100, 0.001, 1_000]),
    point('ragscale', 'b', [300, 0.001, 2_000]),
    point('ragscale', 'a', [100, 0.01, 900], other),
    point('ragscale', 'b', [300, 0.01, 1_800], other),
    point('hpa', 'a', [100, 0.02, 1_500]),
    point('hpa', 'b', [300, 0, 2_500]),
    point('hpa', 'calm', [900, 1, 1]),
  ],
  oracle: [plan('a', 30, 800), plan('b', 30, 1_000), plan('a', 0, 700), plan('b', 0, 900)],
  withoutColdStart: [point('ragscale', 'a', [100, 0.005, 850], { coldStartS: 0 })],
  proxies: [],
  timelines: [],
};

describe('the comparison', () => {
  it('counts every request of the loads that are not steady once', () => {
    const hpa = aggregatesAt(report, place).find(({ policy }) => policy === 'hpa');
    expect(hpa).toMatchObject({ violations: 0.005, replicaSeconds: 4_000, overOracle: (1_500 / 800 + 2.5) / 2 });
  });

  it('asks what ours costs where it fails as few', () => {
    const [hpa, ...rest] = atEqualViolations(report, place);
    expect(rest).toEqual([]);
    // Between 1% for 2,700 and 0.1% for 3,000.
    const share = Math.log(0.005 / 0.001) / Math.log(10);
    expect(hpa!.oursCost.cost).toBeCloseTo(3_000 - 300 * share, 9);
    expect(hpa!.oursOverOracle!.beyond).toBeUndefined();
  });

  it('says who is cheaper only where that is known', () => {
    expect(tablesOf(report)).toMatch(/\| hpa, default \| 0\.50% \| 4\.0 \| 2\.8 \| 1\.43 x \|.*\| ragscale \|/);
  });

  it('explains the way from the oracle to ours without a rest that is left out', () => {
    const [gap, ...others] = gapsAt(report, place);
    expect(others).toEqual([]);
    const { oracle, ours, requestsKnown, coldStart, failsFewer, rest } = gap!;
    expect(oracle + requestsKnown + coldStart + failsFewer + rest).toBeCloseTo(ours, 9);
    expect([oracle, ours, requestsKnown]).toEqual([800, 1_000, 40]);
    expect(failsFewer).toBeGreaterThan(0);
  });
});
