import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { poissonArrivals } from '../arrivals/poisson.ts';
import { simulationOptions } from './defaults.ts';
import type { PodOptions, ScalerFactory, SimulatedObservation } from './options.ts';
import { MEASURED_CURVES } from './service-curve.ts';
import { simulate } from './simulate.ts';

const always = (replicas: number): ScalerFactory => scripted(() => replicas);

/** Decides each second. */
function scripted(decide: (now: number, observation: SimulatedObservation) => number): ScalerFactory {
  return () => ({
    periodMs: 1_000,
    decide(observation, now) {
      const replicas = decide(now, observation);
      return { replicas, recommended: replicas, reason: 'load', terms: {} };
    },
  });
}

const arrivals = (durationMs: number, ...timesMs: number[]) => ({ timesMs: Float64Array.from(timesMs), durationMs });
/** One at a time, a second each, able after three. */
const PODS: PodOptions = {
  slots: 1,
  curve: MEASURED_CURVES.single,
  meanServiceMs: 1_000,
  sizes: { kind: 'constant' },
  coldStart: { readyMs: 3_000 },
};
const plain = (parts: Parameters<typeof simulationOptions>[0]) =>
  simulate(simulationOptions({ initialReplicas: 1, pods: PODS, ...parts }));

describe('a simulation', () => {
  it('comes out as a person reckons', () => {
    const result = plain({
      // Four come at once; at 1 s one more pod is ordered, which is able at 4 s; at 6 s the second has to go.
      arrivals: arrivals(10_000, 0, 0, 0, 0, 5_500),
      scaler: scripted((now) => (now < 1_000 || now >= 6_000 ? 1 : 2)),
    });
    // Answers at 1, 2, 3 and 4 s of the first four, so the new pod gets nothing until the fifth.
    expect(result).toMatchObject({
      requests: 5,
      good: 3,
      violations: 2,
      late: 2,
      changes: 2,
      changeTimesMs: [1_000, 6_000],
      maxReplicas: 2,
      latencyMs: { mean: (1 + 2 + 3 + 4 + 1) * 200, p50: 2_000, p95: 4_000, p99: 4_000, max: 4_000 },
      meanWaitMs: 1_200,
      waitedShare: 0.6,
    });
    // The fifth went to the second pod (its turn), which drains until 6.5 s.
    expect(result.replicaSeconds).toBe(10 + 5.5);
    expect(result.meanInSystem).toBeCloseTo(11 / 10, 9);
  });

  it('refuses who finds the line full, and answers 504 to who waits too long', () => {
    const result = plain({
      arrivals: arrivals(5_000, 0, 0, 0, 0, 0),
      scaler: always(1),
      proxies: { maxQueued: 2, deadlineMs: 1_500, podConcurrency: 1 },
    });
    expect(result).toMatchObject({ good: 2, refused: 2, expired: 1, late: 0, violations: 3 });
  });

  it('holds what comes while there is no pod, until one is able or it is too late', () => {
    const proxies = { deadlineMs: 4_500 };
    const load = arrivals(20_000, 0, 500);
    const woken = plain({ arrivals: load, initialReplicas: 0, scaler: always(1), proxies });
    // Ordered at 1 s, able at 4 s.
    expect(woken).toMatchObject({ violations: 2, late: 2, expired: 0, latencyMs: { p50: 5_000, max: 5_500 } });
    expect(plain({ arrivals: load, initialReplicas: 0, scaler: always(0), proxies })).toMatchObject({ expired: 2 });
  });

  it('counts who still runs when the load ends, but not what the pods cost then', () => {
    const result = plain({ arrivals: arrivals(1_000, 900, 950), scaler: always(1) });
    expect(result).toMatchObject({ requests: 2, good: 2, replicaSeconds: 1, latencyMs: { max: 1_950 } });
  });

  it('tries those of a crashed pod elsewhere, and gives up after so many', () => {
    const crashing = { ...PODS, crashes: { perHour: 720, restartMs: 10 } };
    const load = (random: () => number) => poissonArrivals({ rate: 1, durationMs: 100_000 }, random);
    const patient = plain({
      arrivals: load,
      pods: crashing,
      scaler: always(3),
      initialReplicas: 3,
      proxies: { maxTries: 250 },
    });
    expect(patient.failed).toBe(0);
    expect(patient.latencyMs.max).toBeGreaterThan(1_000);
    const hasty = plain({
      arrivals: load,
      pods: crashing,
      scaler: always(3),
      initialReplicas: 3,
      proxies: { maxTries: 1 },
    });
    expect(hasty.failed).toBeGreaterThan(0);
  });

  it('is slower with slow pods', () => {
    const slow = { ...PODS, slow: { share: 1, factor: 3 } };
    expect(plain({ arrivals: arrivals(5_000, 0), pods: slow, scaler: always(1) }).latencyMs.p50).toBe(3_000);
  });

  it('takes another scaler where the controller is restarted', () => {
    const starts: { now: number; replicas: number }[] = [];
    plain({
      arrivals: arrivals(10_000, 0),
      controllerRestartsMs: [4_500],
      scaler: (start) => {
        starts.push(start);
        return always(start.replicas + 1)(start);
      },
    });
    expect(starts).toEqual([
      { now: 0, replicas: 1 },
      { now: 4_500, replicas: 2 },
    ]);
  });

  it('tells a scaler what there is, and how old those are that start', () => {
    const seen: (readonly number[])[] = [];
    plain({
      arrivals: arrivals(7_500, 0),
      scaler: scripted((_, { replicas }) => {
        seen.push([replicas.spec, replicas.ready, ...replicas.startingAgesMs]);
        return 3;
      }),
    });
    expect(seen.slice(0, 5)).toEqual([
      [1, 1],
      [3, 1, 1_000, 1_000],
      [3, 1, 2_000, 2_000],
      [3, 3],
      [3, 3],
    ]);
  });

  it('removes pods that start before it drains one that works', () => {
    const result = plain({
      arrivals: arrivals(10_000, 0),
      scaler: scripted((now) => (now < 2_000 ? 3 : 1)),
    });
    expect(result.replicaSeconds).toBe(10 + 2 * 1);
  });

  it('simulates a day of half a million requests', () => {
    const { requests, decisions, violations } = simulate(
      simulationOptions({
        arrivals: (random) => poissonArrivals({ rate: 6, durationMs: 86_400_000 }, random),
        initialReplicas: 4,
        scaler: () => ({
          periodMs: 5_000,
          decide: () => ({ replicas: 4, recommended: 4, reason: 'within-tolerance', terms: {} }),
        }),
      }),
    );
    expect(Math.abs(requests - 518_400)).toBeLessThan(5_000);
    expect(decisions).toBe(17_279);
    expect(violations).toBeLessThan(requests / 1000);
  });

  it('samples the timeline', () => {
    const { timeline } = plain({ arrivals: arrivals(4_000, 0, 10), scaler: always(1), sampleIntervalMs: 2_500 });
    expect(timeline).toEqual([
      {
        atMs: 2_500,
        arrivalRate: 0.8,
        waiting: 0,
        running: 0,
        desired: 1,
        ready: 1,
        existing: 1,
        p95Ms: 1_990,
        bad: 0,
      },
    ]);
  });
});

const anyOptions = fc.record({
  seed: fc.nat(),
  rate: fc.double({ min: 0.1, max: 20, noNaN: true }),
  slots: fc.integer({ min: 1, max: 8 }),
  proxies: fc.integer({ min: 1, max: 3 }),
  spread: fc.constantFrom('round-robin' as const, 'least-request' as const),
  maxQueued: fc.nat(30),
  deadlineMs: fc.integer({ min: 100, max: 20_000 }),
  perHour: fc.constantFrom(0, 600),
  wishes: fc.array(fc.nat(6), { minLength: 1, maxLength: 20 }),
});

describe('whatever happens', () => {
  const run = (given: typeof anyOptions extends fc.Arbitrary<infer Given> ? Given : never) =>
    plain({
      seed: given.seed,
      arrivals: (random) => poissonArrivals({ rate: given.rate, durationMs: 60_000 }, random),
      scaler: scripted((now) => given.wishes[Math.floor(now / 3_000) % given.wishes.length]!),
      pods: {
        ...PODS,
        slots: given.slots,
        curve: MEASURED_CURVES['w8a8-16'],
        sizes: { kind: 'exponential' },
        coldStart: { readyMs: 2_000, spread: 0.5 },
        crashes: { perHour: given.perHour, restartMs: 1_000 },
      },
      proxies: {
        count: given.proxies,
        spread: given.spread,
        maxQueued: given.maxQueued,
        deadlineMs: given.deadlineMs,
      },
      sampleIntervalMs: 1_000,
      keepOutcomes: true,
    });

  it('each request ends in exactly one way, and every pod is paid for', () => {
    fc.assert(
      fc.property(anyOptions, (given) => {
        const result = run(given);
        const { requests, good, late, refused, expired, failed, violations, bad } = result;
        expect(good + late + refused + expired + failed).toBe(requests);
        expect(late + refused + expired + failed).toBe(violations);
        expect(bad.reduce((sum, each) => sum + each, 0)).toBe(violations);
        for (const sample of result.timeline) expect(sample.existing).toBeGreaterThanOrEqual(sample.desired);
        const paid = result.timeline.reduce((sum, { existing }) => sum + existing, 0);
        expect(Math.abs(result.replicaSeconds - paid)).toBeLessThan(6 * 20);
      }),
      { numRuns: 60 },
    );
  });

  it('the same seed gives the same', () => {
    fc.assert(
      fc.property(anyOptions, (given) => {
        expect(run(given)).toEqual(run(given));
      }),
      { numRuns: 15 },
    );
  });
});
