import { describe, expect, it } from 'vitest';
import { flashCrowdArrivals } from '../arrivals/poisson.ts';
import { SINGLE_SLOT_PODS, simulationOptions } from '../simulator/defaults.ts';
import { seededRandom } from '../simulator/random.ts';
import { simulate } from '../simulator/simulate.ts';
import { ORACLE_DEFAULTS, planOracle } from './oracle.ts';
import { ordersOf, scheduledScaler } from './schedule.ts';
import { STATIC } from './static.ts';

const schedule = (...able: number[]) => ({ stepMs: 5_000, able: Int32Array.from(able) });

describe('a schedule', () => {
  it('is ordered by the cold start ahead, and nobody goes who is wanted again before another could come', () => {
    expect([...ordersOf(schedule(1, 1, 1, 3, 3, 1, 1, 1, 2, 1), 10_000)]).toEqual([1, 3, 3, 3, 3, 1, 2, 2, 2, 1]);
    expect([...ordersOf(schedule(4, 1, 1, 4), 15_000)]).toEqual([4, 4, 4, 4]);
    expect([...ordersOf(schedule(4, 1, 2), 0)]).toEqual([4, 1, 2]);
  });

  it('is what is there when it is wanted', () => {
    const { timeline } = simulate(
      simulationOptions({
        arrivals: { timesMs: new Float64Array(), durationMs: 50_001 },
        initialReplicas: 1,
        pods: { coldStart: { readyMs: 10_000 } },
        scaler: scheduledScaler(schedule(1, 1, 1, 3, 3, 1, 1, 1, 2, 1), 10_000),
        sampleIntervalMs: 5_000,
      }),
    );
    expect(timeline.map(({ ready }) => ready)).toEqual([1, 1, 3, 3, 1, 1, 1, 2, 1, 1]);
  });
});

describe('who knows all that will come', () => {
  const limits = { min: 1, max: 100 };
  const crowd = {
    baseRate: 6,
    peakRate: 30,
    startMs: 300_000,
    rampMs: 60_000,
    holdMs: 120_000,
    halfLifeMs: 60_000,
    durationMs: 900_000,
  };
  const options = simulationOptions({
    seed: 3,
    arrivals: flashCrowdArrivals(crowd, seededRandom(3)),
    pods: SINGLE_SLOT_PODS,
    scaler: STATIC.create({ replicas: 1 }, limits),
  });
  const plan = planOracle(options, { ...ORACLE_DEFAULTS, limits });

  it('fails no more than allowed, with what it says that it costs', () => {
    const { able } = plan.schedule;
    const result = simulate({
      ...options,
      initialReplicas: ordersOf(plan.schedule, 30_000)[0]!,
      scaler: scheduledScaler(plan.schedule, 30_000),
    });
    expect(result.violationShare).toBeLessThanOrEqual(0.005);
    expect([result.violationShare, result.replicaSeconds]).toEqual([plan.violationShare, plan.replicaSeconds]);
    expect(Math.max(...able)).toBeGreaterThan(2 * Math.min(...able));
  });

  it('costs more than the work itself, and less than the cheapest fixed number', () => {
    expect(plan.replicaSeconds).toBeGreaterThan(plan.lowerBound);
    const enough = Array.from({ length: 60 }, (_, index) => index + 1).find(
      (replicas) =>
        simulate({ ...options, initialReplicas: replicas, scaler: STATIC.create({ replicas }, limits) })
          .violationShare <= 0.005,
    )!;
    expect(plan.replicaSeconds).toBeLessThan(0.75 * 900 * enough);
    // Among them the bound of the work itself: both ends of where the true optimum is.
    expect(plan.replicaSeconds).toBeLessThan(1.35 * plan.lowerBound);
  });

  it('cannot do without pods where everybody comes at once', () => {
    const burst = { timesMs: new Float64Array(40).fill(60_000), durationMs: 120_000 };
    const { replicaSeconds, violationShare } = planOracle(
      { ...options, arrivals: burst },
      { ...ORACLE_DEFAULTS, limits },
    );
    expect(violationShare).toBe(0);
    // Each of at least ten pods starts for 30 s and works for 2.
    expect(replicaSeconds).toBeGreaterThan(10 * 32);
    expect(replicaSeconds).toBeLessThan(800);
  });
});
