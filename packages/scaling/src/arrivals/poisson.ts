/** When do requests of many people come who know nothing of each other? With a constant rate, a rate that changes with time, or a rate that chance changes. */
import { exponential } from '../simulator/random.ts';
import type { Arrivals } from './arrivals.ts';

/** @param rate requests a second */
export function poissonArrivals(parts: { rate: number; durationMs: number }, random: () => number): Arrivals {
  return ratedArrivals({ rateAt: () => parts.rate, maxRate: parts.rate, durationMs: parts.durationMs }, random);
}

/**
 * With a rate that depends on the time (Lewis and Shedler, Simulation of nonhomogeneous Poisson processes by thinning, 1979).
 * @param maxRate that `rateAt` never exceeds, in requests a second
 */
export function ratedArrivals(
  parts: { rateAt: (atMs: number) => number; maxRate: number; durationMs: number },
  random: () => number,
): Arrivals {
  const { rateAt, maxRate, durationMs } = parts;
  const times: number[] = [];
  if (maxRate <= 0) return { timesMs: new Float64Array(), durationMs };
  for (let at = 0; ; ) {
    at += (1000 * exponential(random)) / maxRate;
    if (at >= durationMs) break;
    const rate = rateAt(at);
    if (rate >= maxRate || random() * maxRate < rate) times.push(at);
  }
  return { timesMs: Float64Array.from(times), durationMs };
}

export interface Phase {
  /** Requests a second. */
  readonly rate: number;
  /** Mean length, exponential. */
  readonly meanMs: number;
}

/** Markov-modulated: one phase after the other, round and round, each for a time that chance decides. */
export function modulatedArrivals(
  parts: { phases: readonly Phase[]; durationMs: number },
  random: () => number,
): Arrivals {
  const { phases, durationMs } = parts;
  const starts: number[] = [];
  for (let at = 0, index = 0; at < durationMs; index++) {
    starts.push(at);
    at += phases[index % phases.length]!.meanMs * exponential(random);
  }
  let index = 0;
  const rateAt = (at: number): number => {
    while (index + 1 < starts.length && starts[index + 1]! <= at) index += 1;
    return phases[index % phases.length]!.rate;
  };
  return ratedArrivals({ rateAt, maxRate: Math.max(...phases.map(({ rate }) => rate)), durationMs }, random);
}

export interface Diurnal {
  /** Requests a second, in the middle between night and noon. */
  readonly meanRate: number;
  /** From 0 to 1: how far noon and night are from the mean. */
  readonly swing: number;
  /** Length of a day; shorter ones change faster. */
  readonly dayMs: number;
  /** Deviation of the rate by the rate, drawn anew each `noiseMs` and joined by straight lines. */
  readonly noise: number;
  readonly noiseMs: number;
  readonly durationMs: number;
}

/** A day that begins at night: a sine wave with noise. */
export function diurnalArrivals(parts: Diurnal, random: () => number): Arrivals {
  const { meanRate, swing, dayMs, noise, noiseMs, durationMs } = parts;
  // Uniform with the deviation asked for: no rate is below 0, and the largest is known.
  const width = Math.min(1, noise * Math.sqrt(3));
  const factors = Float64Array.from(
    { length: Math.ceil(durationMs / noiseMs) + 2 },
    () => 1 + width * (2 * random() - 1),
  );
  const rateAt = (at: number): number => {
    const place = Math.floor(at / noiseMs);
    const share = at / noiseMs - place;
    const factor = factors[place]! * (1 - share) + factors[place + 1]! * share;
    return factor * meanRate * (1 - swing * Math.cos((2 * Math.PI * at) / dayMs));
  };
  return ratedArrivals({ rateAt, maxRate: meanRate * (1 + swing) * (1 + width), durationMs }, random);
}

export interface FlashCrowd {
  /** Requests a second before and long after. */
  readonly baseRate: number;
  readonly peakRate: number;
  readonly startMs: number;
  /** From base to peak in a straight line; 0: a step. */
  readonly rampMs: number;
  readonly holdMs: number;
  /** Afterwards the excess is halved in each such time. */
  readonly halfLifeMs: number;
  readonly durationMs: number;
}

export function flashCrowdArrivals(parts: FlashCrowd, random: () => number): Arrivals {
  const { baseRate, peakRate, startMs, rampMs, holdMs, halfLifeMs, durationMs } = parts;
  const rateAt = (at: number): number => {
    const since = at - startMs;
    if (since < 0) return baseRate;
    if (since < rampMs) return baseRate + ((peakRate - baseRate) * since) / rampMs;
    const decaying = Math.max(0, since - rampMs - holdMs);
    return baseRate + (peakRate - baseRate) * 0.5 ** (decaying / halfLifeMs);
  };
  return ratedArrivals({ rateAt, maxRate: Math.max(baseRate, peakRate), durationMs }, random);
}
