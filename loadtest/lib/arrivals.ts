/** When do requests come? Evenly, as those of many people who know nothing of each other, or so with a rate that changes. */
import { exponential } from './random.ts';

/** How much there is of a load: a number of requests, or as many as come within a time. */
export type Extent = { readonly requests: number } | { readonly durationMs: number };

/** All the same time apart, the first after half of it. @param rate requests a second @returns milliseconds from the start, ascending */
export function evenArrivals(rate: number, extent: Extent): number[] {
  const gap = 1000 / rate;
  const count = 'requests' in extent ? extent.requests : Math.round(extent.durationMs / gap);
  return Array.from({ length: count }, (_, index) => (index + 0.5) * gap);
}

/** A Poisson process: the gaps are exponential with mean 1 / rate. @param rate requests a second @returns milliseconds from the start, ascending */
export function poissonArrivals(rate: number, extent: Extent, random: () => number): number[] {
  const arrivals: number[] = [];
  for (let at = 0; ; ) {
    at += (1000 * exponential(random)) / rate;
    if ('requests' in extent ? arrivals.length === extent.requests : at >= extent.durationMs) return arrivals;
    arrivals.push(at);
  }
}

export interface ChangingRate {
  /** Requests a second at a time in milliseconds from the start. */
  readonly rateAt: (atMs: number) => number;
  /** Which `rateAt` never exceeds. */
  readonly maxRate: number;
  readonly durationMs: number;
}

/** A Poisson process with a rate that changes (Lewis and Shedler, Simulation of nonhomogeneous Poisson processes by thinning, 1979). */
export function thinnedArrivals({ rateAt, maxRate, durationMs }: ChangingRate, random: () => number): number[] {
  return poissonArrivals(maxRate, { durationMs }, random).filter((at) => random() * maxRate < rateAt(at));
}
