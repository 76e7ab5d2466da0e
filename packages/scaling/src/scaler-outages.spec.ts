/** What it is not told it does not take for calm: outages of the monitoring, and restarts, take nothing away. */
import { expect, it } from 'vitest';
import { modulatedArrivals } from './arrivals/poisson.ts';
import { resolvePolicy } from './policy.ts';
import { createScaler, downWindowMs } from './scaler.ts';
import { simulationOptions } from './simulator/defaults.ts';
import { OUTAGE_KINDS } from './simulator/monitor.ts';
import type { ScalerFactory } from './simulator/options.ts';
import { seededRandom } from './simulator/random.ts';
import { simulate } from './simulator/simulate.ts';

const MINUTE = 60_000;
const DURATION_MS = 40 * MINUTE;
const SPEC = { maxReplicas: 50, objective: { metric: 'duration', latencyMs: 2_000, percentile: 95 } } as const;
const POLICY = resolvePolicy(SPEC);

/** Up and down every few minutes: whoever believes what it does not know takes pods away. */
const arrivals = (random: () => number) =>
  modulatedArrivals(
    {
      phases: [
        { rate: 30, meanMs: 4 * MINUTE },
        { rate: 3, meanMs: 4 * MINUTE },
      ],
      durationMs: DURATION_MS,
    },
    random,
  );

/** Ours, and when it took how many away, with the window that it had then. */
function watched() {
  const falls: { at: number; windowMs: number }[] = [];
  let decisions = 0;
  const scaler: ScalerFactory = (start) => {
    const ours = createScaler(SPEC, start);
    return {
      periodMs: ours.periodMs,
      decide(observation, now) {
        const decision = ours.decide(observation, now);
        decisions += 1;
        if (decision.replicas < observation.replicas.spec) {
          falls.push({ at: now, windowMs: downWindowMs(POLICY, ours.history) });
        }
        return decision;
      },
    };
  };
  return { scaler, falls, decisions: () => decisions };
}

const moments = [1, 2, 3].map((seed) => {
  const random = seededRandom(seed);
  const fromMs = (6 + 16 * random()) * MINUTE;
  const toMs = fromMs + (1 + 7 * random()) * MINUTE;
  return { seed, fromMs, toMs, restartMs: fromMs + random() * (toMs - fromMs) };
});

it.each(OUTAGE_KINDS.flatMap((kind) => moments.map((moment) => ({ kind, ...moment }))))(
  'nothing is taken away from when $kind begins until a window after it (seed $seed)',
  ({ kind, seed, fromMs, toMs, restartMs }) => {
    for (const controllerRestartsMs of [[], [restartMs]]) {
      const { scaler, falls } = watched();
      const metrics = { outages: [{ kind, fromMs, toMs }] };
      simulate(simulationOptions({ seed, arrivals, scaler, initialReplicas: 16, metrics, controllerRestartsMs }));
      // What was scraped before is still true for the lag of a query and the shortest window; a dry window is noticed then.
      const noticedMs = fromMs + 5_000;
      for (const { at, windowMs } of falls) {
        expect([at, at <= noticedMs || at >= toMs + windowMs]).toEqual([at, true]);
      }
      expect(falls.length).toBeGreaterThan(0);
    }
  },
);

it.each(moments)('a restart takes nothing away before a whole window (seed $seed)', ({ seed, restartMs }) => {
  const { scaler, falls } = watched();
  simulate(simulationOptions({ seed, arrivals, scaler, initialReplicas: 16, controllerRestartsMs: [restartMs] }));
  for (const { at, windowMs } of falls) {
    expect([at, at <= restartMs || at >= restartMs + windowMs]).toEqual([at, true]);
  }
});
