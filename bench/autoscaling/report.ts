/** What does the comparison leave behind? The contents of results.json. */
import type { Estimate } from '@ragscale/scaling/simulator/repeat';
import type { TimelineSample } from '@ragscale/scaling/simulator/result';
import type { PodKind } from './policies.ts';

/** `default`: out of the box; `tuned`: the one that suits all loads best; `fitted`: the one that suits this load best; `other`: another of ours. */
export type Variant = 'default' | 'tuned' | 'fitted' | 'other';

export interface Point {
  readonly kind: PodKind;
  readonly coldStartS: number;
  readonly load: string;
  readonly policy: string;
  readonly variant: Variant;
  readonly settings: unknown;
  readonly violations: Estimate;
  readonly replicaSeconds: Estimate;
  readonly p95Ms: Estimate;
  readonly changes: Estimate;
}

/** Of one seed. */
export interface OraclePoint {
  readonly kind: PodKind;
  readonly coldStartS: number;
  readonly load: string;
  readonly violations: number;
  readonly replicaSeconds: number;
  readonly lowerBound: number;
}

export interface Timeline {
  readonly policy: string;
  readonly samples: readonly TimelineSample[];
}

export interface Report {
  readonly settings: {
    readonly objectiveMs: number;
    readonly allowed: number;
    readonly seeds: readonly number[];
    readonly loads: readonly { readonly name: string; readonly about: string; readonly isStationary: boolean }[];
    readonly minutes: number;
  };
  readonly points: readonly Point[];
  readonly oracle: readonly OraclePoint[];
  /** Of the first load. */
  readonly timelines: readonly Timeline[];
}
