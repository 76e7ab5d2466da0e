/** Steady load, simulated: does the number stay, and does it learn what pods can do? */
import { expect, it } from 'vitest';
import { needOf } from './law/need.ts';
import type { Effort } from './law/pool-model.ts';
import { factsOf } from './missing-data.ts';
import { resolvePolicy } from './policy.ts';
import { createScaler } from './scaler.ts';
import { simulationOptions } from './simulator/defaults.ts';
import { exponential, seededRandom } from './simulator/random.ts';
import { simulate } from './simulator/simulate.ts';

const HOUR_MS = 3_600_000;
const SPEC = { maxReplicas: 100, objective: { metric: 'duration', latencyMs: 2_000, percentile: 95 } } as const;

function steady(perSecond: number, durationMs: number, seed: number) {
  const random = seededRandom(seed);
  const times: number[] = [];
  for (let at = exponential(random) / perSecond; at < durationMs / 1_000; at += exponential(random) / perSecond)
    times.push(at * 1_000);
  return { timesMs: Float64Array.from(times), durationMs };
}

it('over a simulated day, one change an hour at most after the first ten minutes', () => {
  const hours = 24;
  const result = simulate(
    simulationOptions({
      arrivals: steady(1.5, hours * HOUR_MS, 5),
      scaler: (start) => createScaler({ ...SPEC, periodMs: 15_000 }, start),
    }),
  );
  expect(result.changeTimesMs.filter((at) => at > 600_000).length).toBeLessThanOrEqual(hours);
  expect(result.violationShare).toBeLessThan(0.005);
});

it('a decision looks at no more states than fit into 5 ms, for hundreds of pods as well', () => {
  for (const perSecond of [12, 2_000]) {
    const effort: Effort = { states: 0 };
    let most = 0;
    simulate(
      simulationOptions({
        arrivals: steady(perSecond, perSecond > 100 ? 60_000 : 600_000, 6),
        initialReplicas: Math.ceil(perSecond / 3),
        scaler: (start) => {
          const spec = { ...SPEC, maxReplicas: 5_000 };
          const scaler = createScaler(spec, start);
          return {
            periodMs: scaler.periodMs,
            decide(observation, now) {
              const decision = scaler.decide(observation, now);
              effort.states = 0;
              needOf(factsOf(observation), observation.replicas, resolvePolicy(spec), scaler.history, now, effort);
              most = Math.max(most, effort.states);
              return decision;
            },
          };
        },
      }),
    );
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(200_000);
  }
});

it('learns what its pods can do', () => {
  const learnt: { aloneMs?: number; growth?: number } = {};
  simulate(
    simulationOptions({
      arrivals: steady(12, HOUR_MS / 2, 7),
      scaler: (start) => {
        const scaler = createScaler(SPEC, start);
        return {
          periodMs: 5_000,
          decide: (observation, now) => {
            const decision = scaler.decide(observation, now);
            Object.assign(learnt, decision.terms);
            return decision;
          },
        };
      },
    }),
  );
  expect(learnt.aloneMs! / 500).toBeCloseTo(1, 0.7);
  expect(learnt.growth).toBeGreaterThan(0.4);
  expect(learnt.growth).toBeLessThan(0.7);
});
