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
  /** Mean number. */
  readonly requests: number;
  readonly violations: Estimate;
  readonly replicaSeconds: Estimate;
  readonly p95Ms: Estimate;
  readonly changes: Estimate;
  /** Means of the seeds that the oracle plans for. */
  readonly onOracleSeeds: { readonly violations: number; readonly replicaSeconds: number };
}

/** Means of the oracle's seeds. */
export interface OraclePoint {
  readonly kind: PodKind;
  readonly coldStartS: number;
  readonly load: string;
  readonly violations: number;
  readonly replicaSeconds: number;
  readonly lowerBound: number;
  /** Replica-seconds of the cheapest schedule that follows the rate of the requests, known ahead, by a factor and a reserve. */
  readonly rateKnown: number;
}

/** Ours behind proxies of another kind; on the loads that are not steady. */
export interface ProxyPoint {
  readonly kind: PodKind;
  readonly coldStartS: number;
  readonly proxies: string;
  readonly load: string;
  readonly requests: number;
  readonly violations: number;
  readonly replicaSeconds: number;
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
    readonly oracleSeeds: readonly number[];
    readonly loads: readonly { readonly name: string; readonly about: string; readonly isStationary: boolean }[];
  };
  readonly points: readonly Point[];
  readonly oracle: readonly OraclePoint[];
  /** Of ours where pods are able at once, in the oracle's seeds. */
  readonly withoutColdStart: readonly Point[];
  readonly proxies: readonly ProxyPoint[];
  /** Of the first load. */
  readonly timelines: readonly Timeline[];
}
