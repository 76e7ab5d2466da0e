/** How many replicas should there be, before any limit: for the load, for what may come of it, and for the queue that stands? */
import type { History } from '../history.ts';
import type { Facts } from '../missing-data.ts';
import type { ReplicaCounts } from '../observation.ts';
import type { ScalingPolicy } from '../policy.ts';
import { TUNING } from '../tuning.ts';
import { queueAfter } from './backlog.ts';
import { AS_IT_IS, Sizing } from './feed-forward.ts';
import { type Effort, fullRate, lateAlone, type PodModel, serviceMsAt, type Target } from './pool-model.ts';

const RAISED = 1.25;

export interface Need {
  /** Requests that arrive, or are about to. */
  readonly perSecond: number;
  /** What is sized for: the objective's latency, or a longer one where no number of replicas would meet that. */
  readonly reachMs: number;
  /** For the load as it is. */
  readonly load: number;
  readonly loadHigh: number;
  /** For the load and what may come of it. */
  readonly planned: number;
  /** The same for a load lower, and higher, by one step. */
  readonly plannedLow: number;
  readonly plannedHigh: number;
  /** Requests that will wait when a pod asked for now is ready, and the pods that drain them. */
  readonly queue: number;
  readonly backlog: number;
  /** A request that came now would take longer than alone by half the objective. */
  readonly isCrowded: boolean;
}

export function needOf(
  facts: Facts,
  counts: ReplicaCounts,
  policy: ScalingPolicy,
  history: History,
  now: number,
  effort?: Effort,
): Need {
  const { model, horizonMs } = history;
  const permitted = 1 - policy.objective.percentile / 100;
  const target = withinReach(model, history.target, permitted);
  const drainRate = fullRate(model, 1);
  const waiting = facts.waiting ?? 0;
  const ready = Math.min(counts.ready, counts.spec);
  const isCrowded = newcomerMs(model, ready, facts.running ?? 0, waiting) > model.aloneMs + target.latencyMs / 2;
  // Where requests pile up, what comes is more than was reckoned with: a rise goes on until there is reason to think otherwise.
  const perSecond = isCrowded ? history.arrivals.perSecondIn(horizonMs) : history.arrivals.perSecond;
  const share = permitted * TUNING.steadyPart;
  const outlook = history.bursts.after(perSecond, now);
  const sizing = new Sizing(model, target, perSecond, share, effort);
  const planned = sizing.replicasFor(outlook, 0, counts.spec);

  const coldStartMs = history.coldStart.ms;
  const starting = counts.startingAgesMs.filter((age) => age <= history.coldStart.stuckAfterMs);
  const unseen = Math.max(0, counts.spec - counts.ready - counts.startingAgesMs.length);
  const readyInMs = [
    ...starting.map((age) => Math.max(0, coldStartMs - age)),
    ...Array.from({ length: unseen }, () => coldStartMs),
  ].slice(0, Math.max(0, counts.spec - ready));
  const queue = queueAfter(waiting, perSecond / 1_000, drainRate, { ready, readyInMs }, horizonMs);
  // What is planned for drains as well, with all that it can do beyond what arrives. Whole replicas are compared: a difference rounds.
  const draining = Math.ceil(queue / (drainRate * TUNING.drainMs) + perSecond / 1_000 / drainRate);
  const harmless = (Math.max(1, counts.spec) * drainRate * target.latencyMs) / 2;
  return {
    perSecond,
    reachMs: target.latencyMs,
    load: sizing.replicasFor(AS_IT_IS, 0, planned),
    loadHigh: sizing.replicasFor(AS_IT_IS, 1, planned),
    planned,
    plannedLow: sizing.replicasFor(outlook, -1, planned),
    plannedHigh: sizing.replicasFor(outlook, 1, planned),
    queue,
    backlog: queue > harmless ? Math.max(0, draining - planned) : 0,
    isCrowded,
  };
}

/** An objective that requests do not meet even alone is raised by quarters until they do: more replicas do not help, but too few would make it worse. */
function withinReach(model: PodModel, target: Target, permitted: number): Target {
  let { latencyMs } = target;
  while (lateAlone(model, { ...target, latencyMs }) > permitted) latencyMs *= RAISED;
  return { ...target, latencyMs };
}

/** Mean time of a request that came now. */
function newcomerMs(model: PodModel, ready: number, running: number, waiting: number): number {
  if (ready === 0) return running + waiting > 0 ? Number.POSITIVE_INFINITY : 0;
  return serviceMsAt(model, Math.min(model.slots, running / ready)) + waiting / fullRate(model, ready);
}
