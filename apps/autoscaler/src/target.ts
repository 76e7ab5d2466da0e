/** What is scaled: one resource, and what its owner asks for. */
import type { ScalingPolicySpec } from '@ragscale/scaling/policy';

export interface Target {
  /** `namespace/name` of the resource: unique among all, and for ever the same one. */
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  /** Changes whenever the owner has edited the resource. */
  readonly generation: number;
  /** Of the proxy, which counts the arrivals by route. */
  readonly route: string;
  readonly policy: ScalingPolicySpec;
}

/** What is wrong with a target, in words for its owner. */
export interface Problem {
  /** One word in CamelCase, as in a condition: `InvalidSpec`, `AmbiguousOwner`, `FailedGetScale`. */
  readonly reason: string;
  readonly message: string;
}

/** Who knows which targets there are: a watch on Kubernetes, or the one pool of a local system. */
export interface TargetSource {
  /**
   * Resolves when `onTargets` was called with the first complete list; it is called again after every change.
   * Those that cannot be scaled for what stands in their spec are told to the owner by the source itself, and left out.
   */
  start(onTargets: (targets: readonly Target[]) => void): Promise<void>;
  stop(): void;
}
