/** Observations for tests of scaling rules: what is not given is as calm as can be. */
import type { SimulatedObservation } from '../src/simulator/options.ts';

export interface Seen {
  readonly spec?: number;
  readonly ready?: number;
  readonly starting?: number;
  readonly waiting?: number;
  readonly running?: number;
  /** Requests a second, in each window. */
  readonly rate?: number;
  readonly inSystemMs?: number;
  readonly arrivals?: number;
}

export function observed(seen: Seen, given: Partial<SimulatedObservation> = {}): SimulatedObservation {
  const { ready = seen.spec ?? 1, waiting = 0, running = 0, rate = 0 } = seen;
  const value = (number: number) => ({ kind: 'value' as const, value: number });
  const spec = seen.spec ?? ready;
  return {
    replicas: { spec, ready, startingAgesMs: Array<number>(seen.starting ?? 0).fill(1_000) },
    arrivalRates: [{ windowMs: 60_000, reading: value(rate) }],
    waiting: value(waiting),
    running: value(running),
    completionRate: value(rate),
    serviceMs: value(500),
    serviceP95Ms: value(740),
    badShares: [{ windowMs: 60_000, reading: value(0) }],
    slots: value(16),
    exact: { waiting, running, inSystemMs: seen.inSystemMs ?? 0, arrivals: seen.arrivals ?? 0 },
    ...given,
  };
}
