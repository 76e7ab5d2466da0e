/** Which loads can be asked for by name? Shapes of a mean rate and a length, for whoever has no trace. */
import type { Arrivals } from './arrivals.ts';
import { diurnalArrivals, flashCrowdArrivals, modulatedArrivals, poissonArrivals } from './poisson.ts';

const MINUTE_MS = 60_000;

export interface NamedLoad {
  readonly about: string;
  /** @param rate requests a second, on average */
  arrivals(parts: { rate: number; durationMs: number }, random: () => number): Arrivals;
}

/** Phases whose rates have a mean of 1, weighted by their lengths. */
function phases(given: readonly { readonly rate: number; readonly meanMs: number }[], rate: number) {
  const totalMs = given.reduce((sum, { meanMs }) => sum + meanMs, 0);
  const mean = given.reduce((sum, phase) => sum + phase.rate * phase.meanMs, 0) / totalMs;
  return given.map((phase) => ({ rate: (rate * phase.rate) / mean, meanMs: phase.meanMs }));
}

const CROWD_TIMES = 4.5;

export const NAMED_LOADS = {
  poisson: {
    about: 'the same rate all the time',
    arrivals: poissonArrivals,
  },
  bursts: {
    about: 'now and then a minute of 3.3 times the usual rate, each 5 minutes on average',
    arrivals: ({ rate, durationMs }, random) => {
      const shape = [
        { rate: 12, meanMs: 4 * MINUTE_MS },
        { rate: 40, meanMs: MINUTE_MS },
      ];
      return modulatedArrivals({ phases: phases(shape, rate), durationMs }, random);
    },
  },
  lulls: {
    about: 'now and then 5 minutes of a tenth of the usual rate, each 13 minutes on average',
    arrivals: ({ rate, durationMs }, random) => {
      const shape = [
        { rate: 30, meanMs: 8 * MINUTE_MS },
        { rate: 3, meanMs: 5 * MINUTE_MS },
      ];
      return modulatedArrivals({ phases: phases(shape, rate), durationMs }, random);
    },
  },
  day: {
    about: 'night, noon and night, nine times as many at noon, with noise from minute to minute',
    arrivals: ({ rate, durationMs }, random) =>
      diurnalArrivals(
        { meanRate: rate, swing: 0.8, dayMs: durationMs, noise: 0.15, noiseMs: MINUTE_MS, durationMs },
        random,
      ),
  },
  crowd: {
    about: 'within a minute 4.5 times as many, for a sixth of the time, then fewer again',
    arrivals: ({ rate, durationMs }, random) => {
      const [startMs, holdMs, halfLifeMs] = [durationMs / 4, durationMs / 6, durationMs / 12];
      const rampMs = Math.min(MINUTE_MS, durationMs / 12);
      const leftMs = durationMs - startMs - rampMs - holdMs;
      const decayMs = (halfLifeMs / Math.LN2) * (1 - 0.5 ** (leftMs / halfLifeMs));
      const mean = 1 + ((CROWD_TIMES - 1) * (rampMs / 2 + holdMs + decayMs)) / durationMs;
      const baseRate = rate / mean;
      return flashCrowdArrivals(
        { baseRate, peakRate: CROWD_TIMES * baseRate, startMs, rampMs, holdMs, halfLifeMs, durationMs },
        random,
      );
    },
  },
} as const satisfies Record<string, NamedLoad>;
export type LoadName = keyof typeof NAMED_LOADS;
