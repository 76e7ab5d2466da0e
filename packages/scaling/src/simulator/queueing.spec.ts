/** Does the simulator agree with what is known of queues? Formulas: Gross and others, Fundamentals of Queueing Theory, 2008. */
import { describe, expect, it } from 'vitest';
import { poissonArrivals } from '../arrivals/poisson.ts';
import { simulationOptions } from './defaults.ts';
import type { PodOptions, SizeModel } from './options.ts';
import { estimate } from './repeat.ts';
import type { SimulationResult } from './result.ts';
import { simulate } from './simulate.ts';

const SEEDS = [1, 2, 3, 4, 5, 6];

/** Requests that need a second on average, and pods that each take one at a time from one line. */
function runs(parts: {
  rate: number;
  pods: number;
  sizes: SizeModel;
  given?: Partial<PodOptions>;
}): SimulationResult[] {
  return SEEDS.map((seed) =>
    simulate(
      simulationOptions({
        seed,
        arrivals: (random) => poissonArrivals({ rate: parts.rate, durationMs: 60_000_000 / parts.rate }, random),
        initialReplicas: parts.pods,
        scaler: () => ({
          periodMs: 1e9,
          decide: () => ({ replicas: parts.pods, recommended: 0, reason: 'load', terms: {} }),
        }),
        pods: { slots: 1, curve: [[1, 1]], meanServiceMs: 1_000, sizes: parts.sizes, ...parts.given },
        proxies: { podConcurrency: parts.given?.slots ?? 1, maxQueued: 1e9, deadlineMs: 1e12 },
        metrics: { scrapeIntervalMs: 1e9 },
      }),
    ),
  );
}

/** Within twice the 95% interval: in eight tests of fixed seeds nothing that is right fails, and what is wrong by a few per cent does. */
function expectMean(
  results: readonly SimulationResult[],
  read: (result: SimulationResult) => number,
  theory: number,
): void {
  const { mean, ci95 } = estimate(results.map(read));
  expect(Math.abs(mean - theory)).toBeLessThan(2 * ci95);
  expect(ci95).toBeLessThan(0.1 * theory);
}

/** Erlang C by the recursion of Erlang B. */
function erlangC(servers: number, load: number): number {
  let blocked = 1;
  for (let n = 1; n <= servers; n++) blocked = (load * blocked) / (n + load * blocked);
  return (servers * blocked) / (servers - load * (1 - blocked));
}

describe('one line', () => {
  it('M/M/1: before one pod', () => {
    const results = runs({ rate: 0.7, pods: 1, sizes: { kind: 'exponential' } });
    expectMean(results, ({ waitedShare }) => waitedShare, 0.7);
    expectMean(results, ({ meanWaitMs }) => meanWaitMs, (1000 * 0.7) / 0.3);
    expectMean(results, ({ meanInSystem }) => meanInSystem, 0.7 / 0.3);
  });

  it.each([
    [3, 2.4],
    [10, 8],
    [20, 18],
  ])('M/M/c: before %i pods, %f of them busy', (pods, rate) => {
    const results = runs({ rate, pods, sizes: { kind: 'exponential' } });
    const waiting = erlangC(pods, rate);
    expectMean(results, ({ waitedShare }) => waitedShare, waiting);
    expectMean(results, ({ meanWaitMs }) => meanWaitMs, (1000 * waiting) / (pods - rate));
  });

  it('M/D/1: with requests that are all the same, half as long as M/M/1', () => {
    const results = runs({ rate: 0.7, pods: 1, sizes: { kind: 'constant' } });
    expectMean(results, ({ meanWaitMs }) => meanWaitMs, (1000 * 0.7) / 0.3 / 2);
  });

  it.each(['exponential', 'constant'] as const)(
    'M/G/1 processor sharing: in one pod that takes all at once, sizes %s',
    (kind) => {
      const results = runs({ rate: 0.7, pods: 1, sizes: { kind }, given: { slots: 400 } });
      expectMean(results, ({ latencyMs }) => latencyMs.mean, 1000 / 0.3);
    },
  );

  it("Little's law: those in the system are the rate times their time in it", () => {
    for (const result of runs({ rate: 8, pods: 10, sizes: { kind: 'exponential' } })) {
      const rate = result.requests / (60_000 / 8);
      expect(result.meanInSystem / ((rate * result.latencyMs.mean) / 1000)).toBeCloseTo(1, 2);
    }
  });
});
