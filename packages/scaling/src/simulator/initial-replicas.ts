/** How many pods are there when the load begins? How a service is started is not what is compared. */
import { type Arrivals, countsByInterval } from '../arrivals/arrivals.ts';
import type { PodOptions } from './options.ts';
import { throughputAt } from './service-curve.ts';

const MINUTE_MS = 60_000;

/** Twice what the busiest of the first five minutes needs with all slots taken, and two at least. */
export function initialReplicas(
  arrivals: Arrivals,
  pods: Pick<PodOptions, 'slots' | 'curve' | 'meanServiceMs'>,
): number {
  const busiest = Math.max(0, ...countsByInterval(arrivals, MINUTE_MS).subarray(0, 5));
  return Math.max(2, Math.ceil((2 * busiest) / 60 / peakRate(pods)));
}

/** Requests a second that a pod finishes with all slots taken. */
export function peakRate({
  slots,
  curve,
  meanServiceMs,
}: Pick<PodOptions, 'slots' | 'curve' | 'meanServiceMs'>): number {
  return (1000 * throughputAt(curve, slots)) / meanServiceMs;
}
