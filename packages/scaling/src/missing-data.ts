/** Which numbers are there, which are not, and what may be done without them. */
import type { Observation, Reading, WindowedReading } from './observation.ts';

/** How the arrivals, without which nothing can be decided, are known. */
export type DataState = 'present' | 'no-data' | 'stale';

/** The values of an observation; what is missing for whatever reason, or is no possible number, is undefined. */
export interface Facts {
  readonly state: DataState;
  /** Something that would justify fewer replicas is not known. */
  readonly partial: boolean;
  readonly rates: readonly { readonly windowMs: number; readonly perSecond: number }[];
  readonly waiting: number | undefined;
  readonly running: number | undefined;
  readonly completionsPerSecond: number | undefined;
  readonly serviceMs: number | undefined;
  readonly serviceP95Ms: number | undefined;
  readonly slots: number | undefined;
  readonly badShares: readonly { readonly windowMs: number; readonly share: number }[];
}

/** No count, rate or time in milliseconds that is measured of a target is larger: what is, is a fault. */
const LARGEST = 1e8;

/** One in eleven days, as a rate: less is what rounding left of nothing, and its logarithm would be the loudest of all. */
const SMALLEST = 1e-6;

/** @returns the value of a reading, if it is one that a count, a rate or a time can have; next to nothing is nothing */
export function numberOf(reading: Reading): number | undefined {
  if (reading.kind !== 'value' || !(reading.value >= 0 && reading.value <= LARGEST)) return undefined;
  return reading.value < SMALLEST ? 0 : reading.value;
}

/**
 * Zero arrivals that were counted are data; a missing, unreadable or old counter is not. Times of service and bad shares are 0 / 0 when
 * nothing ended in the window: that is no failure while nothing waits or runs.
 */
export function factsOf(observation: Observation): Facts {
  const rates = windowed(observation.arrivalRates).map(({ windowMs, value }) => ({ windowMs, perSecond: value }));
  const waiting = numberOf(observation.waiting);
  const running = numberOf(observation.running);
  const stale = observation.arrivalRates.some(({ reading }) => reading.kind === 'stale');
  return {
    state: rates.length > 0 ? 'present' : stale ? 'stale' : 'no-data',
    partial: rates.length < observation.arrivalRates.length || waiting === undefined || running === undefined,
    rates,
    waiting,
    running,
    completionsPerSecond: numberOf(observation.completionRate),
    serviceMs: numberOf(observation.serviceMs),
    serviceP95Ms: numberOf(observation.serviceP95Ms),
    slots: numberOf(observation.slots),
    badShares: windowed(observation.badShares).map(({ windowMs, value }) => ({ windowMs, share: Math.min(1, value) })),
  };
}

function windowed(readings: readonly WindowedReading[]): { windowMs: number; value: number }[] {
  return readings.flatMap(({ windowMs, reading }) => {
    const value = numberOf(reading);
    return value === undefined ? [] : [{ windowMs, value }];
  });
}
