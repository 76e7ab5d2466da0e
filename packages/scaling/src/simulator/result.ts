/** What does a simulation tell? */
import type { Latencies } from './accounts.ts';

export interface TimelineSample {
  readonly atMs: number;
  /** Requests a second that arrived since the last sample. */
  readonly arrivalRate: number;
  readonly waiting: number;
  readonly running: number;
  /** What the target is told to have; those that are able; those that cost. */
  readonly desired: number;
  readonly ready: number;
  readonly existing: number;
  /** Of the answers since the last sample, NaN where there were none. */
  readonly p95Ms: number;
  /** Requests that ended since the last sample and were not good. */
  readonly bad: number;
}

export interface Change {
  readonly atMs: number;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
  readonly terms: Readonly<Record<string, number>>;
}

export interface SimulationResult {
  readonly requests: number;
  readonly good: number;
  /** Requests that were not good, and why: `late` were answered, too late. */
  readonly violations: number;
  readonly late: number;
  readonly refused: number;
  readonly expired: number;
  readonly failed: number;
  /** Violations by requests; 0 where there were none. */
  readonly violationShare: number;
  /** Seconds of all pods together while the load is watched, from creation to end: those that start and those that drain cost as well. */
  readonly replicaSeconds: number;
  readonly meanReplicas: number;
  readonly maxReplicas: number;
  /** Times that the number was changed. */
  readonly changes: number;
  readonly changeTimesMs: readonly number[];
  readonly decisions: number;
  readonly latencyMs: Latencies;
  /** Of the answered: share that did not run at once, and the mean time until they did. */
  readonly waitedShare: number;
  readonly meanWaitMs: number;
  /** Mean number of requests in proxies and pods while the load is watched. */
  readonly meanInSystem: number;
  readonly timeline: readonly TimelineSample[];
  /** Empty unless `keepDecisions`. */
  readonly log: readonly Change[];
  /** By request: 1 where it was not good; empty unless `keepOutcomes`. */
  readonly bad: Uint8Array;
}
