/** What became of one target in one round, for whoever tells it on: status and events, metrics, a line on the terminal. */
import type { Decision } from '@ragscale/scaling/decision';
import type { Estimates } from '@ragscale/scaling/estimates';
import type { FleetState } from './fleet.ts';
import type { Measured } from './measurements.ts';
import type { Problem, Target } from './target.ts';

export interface Report {
  readonly target: Target;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Undefined where it could not be looked at. */
  readonly state: FleetState | undefined;
  readonly measured: Measured | undefined;
  /** Undefined where nothing could be decided. */
  readonly decision: Decision | undefined;
  /** What the law has learnt of the target. */
  readonly estimates: Estimates | undefined;
  /** The number of replicas was changed in this round. */
  readonly scaled: boolean;
  readonly problem: Problem | undefined;
}

export interface Reporter {
  /** After each round, for each target. Must not throw; what it writes elsewhere it may write later. */
  report(report: Report): void;
  /** The target is no more, or another process decides about it now. */
  forget(target: Target): void;
}
