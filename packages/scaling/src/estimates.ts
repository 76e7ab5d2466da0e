/** What has been learnt of a target, in the numbers that a person wants to see. */
import type { History } from './history.ts';
import { goodRate } from './law/pool-model.ts';
import type { ScalingPolicy } from './policy.ts';

/** What is undefined is not known yet, or is only assumed. */
export interface Estimates {
  /** Requests per second. */
  readonly arrivalRate: number | undefined;
  /** Mean time of a request that has a replica for itself, in milliseconds. */
  readonly serviceMs: number | undefined;
  /** With k requests at once each takes k to this power as long. */
  readonly growth: number | undefined;
  readonly slots: number | undefined;
  /** From the creation of a pod until it answers, in milliseconds. */
  readonly coldStartMs: number | undefined;
  /** Most requests per second by replica, of so many as there are, of which as many are in time as the objective asks for. */
  readonly goodRequestsPerSecondPerReplica: number | undefined;
  /** Deviation of the logarithm of what requests take. */
  readonly spread: number | undefined;
}

export function estimatesOf(policy: ScalingPolicy, history: History): Estimates {
  const { arrivals, service, sizes, coldStart, model, target, ready } = history;
  const replicas = Math.max(1, ready);
  const lateShare = 1 - policy.objective.percentile / 100;
  const ifServed = (number: number) => (service.known ? number : undefined);
  return {
    arrivalRate: arrivals.known ? arrivals.perSecond : undefined,
    serviceMs: service.aloneMs,
    growth: ifServed(service.growth),
    slots: ifServed(model.slots),
    coldStartMs: coldStart.known ? coldStart.ms : undefined,
    goodRequestsPerSecondPerReplica: ifServed(goodRate(model, target, lateShare, replicas) / replicas),
    spread: ifServed(sizes.spread),
  };
}
