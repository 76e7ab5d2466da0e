/** What there is of a target's pods, and how their number is changed: Kubernetes' scale subresource, or a pool of processes. */
import type { ReplicaCounts } from '@ragscale/scaling/observation';
import type { Problem, Target } from './target.ts';

export interface FleetState {
  readonly replicas: ReplicaCounts;
  /** Names of those that are ready, as the metrics name them. */
  readonly readyPods: readonly string[];
  /** Why some do not start, such as `0/1 nodes are available: 1 Insufficient nvidia.com/gpu`. */
  readonly waitingFor?: string;
}

/** The number of replicas cannot be read, or not be changed: in words for the target's owner. */
export class FleetError extends Error {
  override readonly name = 'FleetError';
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(problem.message, options);
    this.problem = problem;
  }
}

export interface Fleet {
  /** @throws FleetError also where somebody else scales the same pods */
  look(target: Target, signal: AbortSignal): Promise<FleetState>;
  /**
   * @param from what it has by the last look: nothing is changed if it has become something else meanwhile
   * @throws FleetError
   */
  scale(target: Target, from: number, to: number, signal: AbortSignal): Promise<void>;
}
