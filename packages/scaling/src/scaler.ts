/** How many replicas shall the target have, and why? One decision: what the load needs, then every rule that may hold it back. */
import type { Decision, Reason, Scaler } from './decision.ts';
import { type Estimates, estimatesOf } from './estimates.ts';
import { History } from './history.ts';
import { erlangC } from './law/erlang.ts';
import { type Need, needOf } from './law/need.ts';
import { serviceMsAt } from './law/pool-model.ts';
import { leastAllowed, mostAllowed } from './law/rate-limit.ts';
import { factsOf } from './missing-data.ts';
import type { Observation } from './observation.ts';
import { resolvePolicy, type ScalingPolicy, type ScalingPolicySpec } from './policy.ts';
import { TUNING } from './tuning.ts';

/** What was recommended is known for two hours, or as long as the policy's windows are. */
const KEPT_MS = 7_200_000;
/** Fewer by one, or by no more than this part, is worth a change only if they were not needed for as long as recommendations are kept. */
const SMALL_STEP = 0.08;
/** Times as long as a pod may take, until more are tried. */
const RETRY_COLD_STARTS = 4;

/** A scaler that learns, of which can be asked what it has learnt. */
export interface TargetScaler extends Scaler {
  readonly history: History;
  /**
   * The owner edited the spec: what was learnt stays, and the next decision follows the new one.
   * @throws InvalidPolicyError, and everything is as it was
   */
  change(spec: ScalingPolicySpec): void;
  estimates(): Estimates;
}

/** @param start what the target has now: a scaler that has just begun takes nothing away */
export function createScaler(
  spec: ScalingPolicySpec,
  start: { readonly now: number; readonly replicas: number },
): TargetScaler {
  let policy = resolvePolicy(spec);
  const history = new History(policy, start);
  return {
    get periodMs() {
      return policy.periodMs;
    },
    history,
    decide(observation, now) {
      history.observe(observation, now);
      const decision = decide(observation, policy, history, now);
      const windows = [policy.scaleUp.stabilizationWindowMs ?? 0, policy.scaleDown.stabilizationWindowMs ?? 0];
      const keptMs = Math.max(KEPT_MS, ...windows);
      history.recommendations.record(now, decision.terms.stable ?? decision.recommended, keptMs);
      return decision;
    },
    change(changed) {
      policy = resolvePolicy(changed);
      history.change(policy);
    },
    estimates: () => estimatesOf(policy, history),
  };
}

/** For how long nothing is taken away that was recommended. */
export function downWindowMs(policy: ScalingPolicy, history: History): number {
  return (
    policy.scaleDown.stabilizationWindowMs ??
    Math.max(TUNING.shortestWindowMs, TUNING.windowColdStarts * history.coldStart.ms)
  );
}

/** Reads `history`, which has seen `observation` already, and changes nothing: asked twice it says the same. */
export function decide(observation: Observation, policy: ScalingPolicy, history: History, now: number): Decision {
  const wanted = wantedReplicas(observation, policy, history, now);
  const { spec } = observation.replicas;
  if (policy.paused) {
    return { ...wanted, replicas: policy.pausedReplicas ?? spec, reason: 'paused' };
  }
  if (policy.mode === 'Recommend') return { ...wanted, replicas: spec, reason: 'recommend-only' };
  return wanted;
}

function wantedReplicas(observation: Observation, policy: ScalingPolicy, history: History, now: number): Decision {
  const { spec, ready, startingAgesMs } = observation.replicas;
  const facts = factsOf(observation);
  const base = { spec, ready, starting: startingAgesMs.length, coldStartMs: history.coldStart.ms };
  if (facts.state !== 'present') return withoutData(observation, policy, history, base, now);

  const need = needOf(facts, observation.replicas, policy, history, now);
  const windowMs = downWindowMs(policy, history);
  const { model } = history;
  const { perSecond } = need;
  const { desired, stable, reason: cause } = desiredOf(need, spec);
  const terms: Record<string, number> = {
    ...base,
    perSecond,
    ...model,
    reachMs: need.reachMs,
    load: need.load,
    ...(need.load > 0 ? { capacityLow: perSecond / need.load } : {}),
    ...(need.load > 1 ? { capacityHigh: perSecond / (need.load - 1) } : {}),
    loadHigh: need.loadHigh,
    planned: need.planned,
    plannedLow: need.plannedLow,
    plannedHigh: need.plannedHigh,
    waitShare: erlangC(ready * model.slots, (perSecond * serviceMsAt(model, model.slots)) / 1_000),
    ...(facts.waiting === undefined ? {} : { waiting: facts.waiting }),
    queue: need.queue,
    backlog: need.backlog,
    stable,
    desired,
  };

  let replicas = desired;
  let reason: Reason = cause;
  const bind = (bound: number, because: Reason) => {
    if (bound === replicas) return;
    replicas = bound;
    reason = because;
  };
  if (replicas < spec) {
    const mostInWindow = history.recommendations.most(now, windowMs);
    terms.windowMost = mostInWindow;
    if (facts.partial) bind(spec, 'no-data');
    else if (now - history.dataSince < windowMs) bind(spec, history.recovering ? 'recovering' : 'stabilizing');
    else if (need.isCrowded) bind(spec, 'backlog');
    else bind(Math.min(spec, Math.max(replicas, mostInWindow)), 'stabilizing');
    if (policy.scaleDown.stabilizationWindowMs === undefined && spec - replicas <= Math.max(1, SMALL_STEP * spec)) {
      bind(Math.min(spec, Math.max(replicas, history.recommendations.most(now, KEPT_MS))), 'within-tolerance');
    }
    if (replicas < spec) {
      const least = leastAllowed(history.replicas, policy.scaleDown.policies, now);
      terms.leastAllowed = least;
      bind(Math.min(spec, Math.max(replicas, least)), 'rate-limited');
    }
  } else if (replicas > spec) {
    const upWindow = policy.scaleUp.stabilizationWindowMs ?? 0;
    if (upWindow > 0) {
      const leastInWindow = history.recommendations.least(now, upWindow);
      terms.windowLeast = leastInWindow;
      bind(Math.max(spec, Math.min(replicas, leastInWindow)), 'stabilizing');
    }
    if (replicas > spec) {
      terms.stuck = startingAgesMs.filter((age) => age > history.coldStart.stuckAfterMs).length;
      if (terms.stuck > 0 && !mayTryAgain(history, now)) bind(spec, 'cold-start-pending');
      const most = mostAllowed(history.replicas, policy.scaleUp.policies, now);
      terms.mostAllowed = Math.min(most, Number.MAX_SAFE_INTEGER);
      bind(Math.max(spec, Math.min(replicas, most)), 'rate-limited');
    }
  }
  const idleForMs = now - history.lastBusyAt;
  terms.idleForMs = idleForMs;
  if (policy.minReplicas === 0) {
    const asks = facts.rates.some((rate) => rate.perSecond > 0) || (facts.waiting ?? 0) > 0;
    const mayGo = idleForMs >= policy.idleMs && !facts.partial && now - history.dataSince >= windowMs;
    if (spec === 0) [replicas, reason] = asks ? [Math.max(1, replicas), 'activating'] : [0, 'idle'];
    else if (mayGo) [replicas, reason] = [0, 'idle'];
    else if (replicas === 0) bind(1, 'idle');
  }
  terms.min = policy.minReplicas;
  terms.max = policy.maxReplicas;
  bind(Math.max(replicas, policy.minReplicas), 'at-min');
  bind(Math.min(replicas, policy.maxReplicas), 'at-max');
  return { replicas, recommended: desired, reason, terms };
}

/** Where pods do not come up, more of them would not either; but one that is stuck for ever must not hold back the others for ever. */
function mayTryAgain({ coldStart, replicas }: History, now: number): boolean {
  const { stuckAfterMs, lastReadyAt } = coldStart;
  const triedAt = Math.max(lastReadyAt, replicas.lastChangeAt ?? Number.NEGATIVE_INFINITY);
  return now - lastReadyAt <= stuckAfterMs || now - triedAt > RETRY_COLD_STARTS * stuckAfterMs;
}

/** Up to what is planned for, if even a little less load would need more than there is; down if a little more would not. */
function desiredOf(need: Need, spec: number): { desired: number; stable: number; reason: Reason } {
  // With the backlog: what was asked for a queue is not taken back the moment that the queue is gone.
  const stable = Math.max(need.plannedHigh, need.loadHigh) + need.backlog;
  const withBacklog = need.planned + need.backlog;
  if (need.backlog > 0 && withBacklog > spec) return { desired: withBacklog, stable, reason: 'backlog' };
  if (need.plannedLow > spec) return { desired: need.planned, stable, reason: need.load > spec ? 'load' : 'headroom' };
  if (stable < spec) return { desired: stable, stable, reason: 'load' };
  return { desired: spec, stable, reason: 'within-tolerance' };
}

/** Holds. Up for a queue that is known to stand, at the load that was known last; never down, but to what the owner allows. */
function withoutData(
  observation: Observation,
  policy: ScalingPolicy,
  history: History,
  base: Record<string, number>,
  now: number,
): Decision {
  const { spec } = observation.replicas;
  const facts = factsOf(observation);
  const terms: Record<string, number> = { ...base, failures: history.failures };
  let replicas = spec;
  let reason: Reason = facts.state === 'stale' ? 'stale' : 'no-data';
  const raise = (least: number, because: Reason) => {
    if (least <= replicas) return;
    replicas = least;
    reason = because;
  };
  if ((facts.waiting ?? 0) > 0) {
    const { planned, queue, backlog } = needOf(facts, observation.replicas, policy, history, now);
    Object.assign(terms, { waiting: facts.waiting, planned, queue, backlog });
    if (backlog > 0) raise(planned + backlog, 'backlog');
    if (spec === 0) [replicas, reason] = [Math.max(1, replicas), 'activating'];
  }
  if (policy.fallbackReplicas !== undefined && history.failures >= policy.fallbackAfterFailures) {
    terms.fallback = policy.fallbackReplicas;
    if (replicas >= policy.fallbackReplicas) reason = 'fallback';
    raise(policy.fallbackReplicas, 'fallback');
  }
  const recommended = replicas;
  raise(policy.minReplicas, 'at-min');
  if (replicas > policy.maxReplicas) [replicas, reason] = [policy.maxReplicas, 'at-max'];
  return { replicas, recommended, reason, terms: { ...terms, min: policy.minReplicas, max: policy.maxReplicas } };
}
