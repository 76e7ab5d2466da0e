/** Which loads are the ways to scale compared under? A recorded one and five that are made, one of them steady. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Arrivals } from '@ragscale/scaling/arrivals/arrivals';
import {
  diurnalArrivals,
  flashCrowdArrivals,
  modulatedArrivals,
  poissonArrivals,
} from '@ragscale/scaling/arrivals/poisson';
import { parseTrace, scaleTrace } from '@ragscale/scaling/arrivals/trace';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const TRACE_FILE = path.join(import.meta.dirname, '../../../shared/data/azure-llm-2023-conv.csv');
/** 5.6 requests a second would be a pod or two. */
const TRACE_FACTOR = 5;
/** Copies of a request are so far from it at most: what changes from minute to minute stays. */
const TRACE_JITTER_MS = 5_000;

export interface Load {
  readonly name: string;
  readonly about: string;
  /** A fixed number is as good as any there. */
  readonly isStationary: boolean;
  arrivals(random: () => number): Arrivals;
}

const SYNTHETIC: readonly Load[] = [
  {
    name: 'steady',
    about: 'Poisson, 25 requests/s for an hour',
    isStationary: true,
    arrivals: (random) => poissonArrivals({ rate: 25, durationMs: HOUR_MS }, random),
  },
  {
    name: 'bursts',
    about:
      'Markov-modulated: 12 requests/s for 4 minutes, 40 for 1, both exponential, an hour; harsher than any recorded: no pod is there in time',
    isStationary: false,
    arrivals: (random) =>
      modulatedArrivals(
        {
          phases: [
            { rate: 12, meanMs: 4 * MINUTE_MS },
            { rate: 40, meanMs: MINUTE_MS },
          ],
          durationMs: HOUR_MS,
        },
        random,
      ),
  },
  {
    name: 'day',
    about:
      'a day in two hours: 4 requests/s at night, 36 at noon, with noise of 15% from minute to minute; at its steepest a pod more in four minutes, and as restless as the recorded trace (14% and 11% from one minute to the next)',
    isStationary: false,
    arrivals: (random) =>
      diurnalArrivals(
        {
          meanRate: 20,
          swing: 0.8,
          dayMs: 2 * HOUR_MS,
          noise: 0.15,
          noiseMs: MINUTE_MS,
          durationMs: 2 * HOUR_MS,
        },
        random,
      ),
  },
  {
    name: 'crowd',
    about: '10 requests/s, 45 from one minute to the next, for ten minutes, then half of the excess each five',
    isStationary: false,
    arrivals: (random) =>
      flashCrowdArrivals(
        {
          baseRate: 10,
          peakRate: 45,
          startMs: 15 * MINUTE_MS,
          rampMs: MINUTE_MS,
          holdMs: 10 * MINUTE_MS,
          halfLifeMs: 5 * MINUTE_MS,
          durationMs: HOUR_MS,
        },
        random,
      ),
  },
  {
    name: 'lulls',
    about: 'Markov-modulated: 30 requests/s for 8 minutes, 3 for 5, both exponential, an hour and a half',
    isStationary: false,
    arrivals: (random) =>
      modulatedArrivals(
        {
          phases: [
            { rate: 30, meanMs: 8 * MINUTE_MS },
            { rate: 3, meanMs: 5 * MINUTE_MS },
          ],
          durationMs: 1.5 * HOUR_MS,
        },
        random,
      ),
  },
];

/** Those that there are: the recorded one is not in the repository. */
export function knownLoads(): readonly Load[] {
  if (!existsSync(TRACE_FILE)) {
    console.error(
      'the recorded trace ../shared/data/azure-llm-2023-conv.csv is not here: only the loads that are made',
    );
    return SYNTHETIC;
  }
  const trace = parseTrace(readFileSync(TRACE_FILE, 'utf8'));
  const recorded: Load = {
    name: 'conversation',
    about: `the Azure conversation trace of 2023 (CC-BY-4.0), ${TRACE_FACTOR} times its rate, 58 minutes`,
    isStationary: false,
    arrivals: (random) => scaleTrace(trace, { factor: TRACE_FACTOR, jitterMs: TRACE_JITTER_MS }, random),
  };
  return [recorded, ...SYNTHETIC];
}
