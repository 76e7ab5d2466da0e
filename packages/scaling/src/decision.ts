/** What is to be done with one target, and why. */
import type { Observation } from './observation.ts';

/** What bound the decision: the last rule that changed the number, or the one that said that nothing changes. */
export const REASONS = [
  'within-tolerance',
  'load',
  'backlog',
  'latency',
  'headroom',
  'no-data',
  'stale',
  'fallback',
  'recovering',
  'stabilizing',
  'rate-limited',
  'cold-start-pending',
  'at-min',
  'at-max',
  'idle',
  'activating',
  'paused',
  'recommend-only',
] as const;
export type Reason = (typeof REASONS)[number];

export interface Decision {
  /** What the target is to have from now on; equal to its `spec` where nothing changes. */
  readonly replicas: number;
  /** What it would be given without pause, mode, or limits. */
  readonly recommended: number;
  readonly reason: Reason;
  /** Every number that led here, by name, for the metric `ragscale_autoscaler_term` and for people. */
  readonly terms: Readonly<Record<string, number>>;
}

/** Somebody who decides about one target, again and again. Holds what it has learnt; no timers, no I/O, the time is an argument. */
export interface Scaler {
  /** Milliseconds between two decisions. */
  readonly periodMs: number;
  /** @param now milliseconds of the clock that it was given before */
  decide(observation: Observation, now: number): Decision;
}
