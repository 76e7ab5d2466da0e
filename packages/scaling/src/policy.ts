/** What does a target's owner ask for: the objective, the limits, and how fast replicas may change. */

export interface Objective {
  readonly metric: 'duration' | 'timeToFirstToken';
  readonly latencyMs: number;
  /** Share of the requests that must be within `latencyMs`, in percent: between 50 and 99.99. */
  readonly percentile: number;
}

/** At most so many more (or fewer) replicas within a period; percent of what there was when the period began. */
export interface RatePolicy {
  readonly type: 'percent' | 'pods';
  readonly value: number;
  readonly periodMs: number;
}

export interface ScalingRules {
  /** What was recommended this long counts; absent: learnt from the cold start (down), or not at all (up). */
  readonly stabilizationWindowMs?: number;
  /** The one that allows most counts, as in an HPA; none: no limit. */
  readonly policies?: readonly RatePolicy[];
}

/** The spec of a LatencyAutoscaler, in milliseconds. */
export interface ScalingPolicySpec {
  /** 0: the target may be scaled to zero while nobody asks. */
  readonly minReplicas?: number;
  readonly maxReplicas: number;
  readonly objective: Objective;
  readonly behavior?: { readonly scaleUp?: ScalingRules; readonly scaleDown?: ScalingRules };
  /** Learnt when absent. */
  readonly capacity?: { readonly slotsPerReplica?: number };
  /** From the creation of a pod until it answers; learnt when absent. */
  readonly coldStartMs?: number;
  /** Over which arrivals are counted, ascending. */
  readonly windowsMs?: readonly number[];
  /** After so many decisions in a row without data: at least so many replicas. */
  readonly fallback?: { readonly replicas: number; readonly afterFailures?: number };
  readonly mode?: 'Active' | 'Recommend';
  readonly paused?: boolean;
  /** What a paused target is held at; absent: what it has. */
  readonly pausedReplicas?: number;
  /** Without arrivals, waiting and running for this long before the last replica goes. */
  readonly idleMs?: number;
  /** Between two decisions. */
  readonly periodMs?: number;
}

export interface ResolvedRules {
  readonly stabilizationWindowMs: number | undefined;
  readonly policies: readonly RatePolicy[];
}

/** A spec whose gaps are filled. */
export interface ScalingPolicy {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly objective: Objective;
  readonly scaleUp: ResolvedRules;
  readonly scaleDown: ResolvedRules;
  readonly slotsPerReplica: number | undefined;
  readonly coldStartMs: number | undefined;
  readonly windowsMs: readonly number[];
  readonly fallbackReplicas: number | undefined;
  readonly fallbackAfterFailures: number;
  readonly mode: 'Active' | 'Recommend';
  readonly paused: boolean;
  readonly pausedReplicas: number | undefined;
  readonly idleMs: number;
  readonly periodMs: number;
}

export const DEFAULT_POLICY = {
  minReplicas: 1,
  /** The windows that the law was tuned with; a coarse scrape makes them longer (issue 5: four scrape intervals). */
  windowsMs: [10_000, 30_000, 60_000],
  fallbackAfterFailures: 3,
  /** KEDA's cooldown. */
  idleMs: 300_000,
  periodMs: 5_000,
} as const;

export class InvalidPolicyError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('; '));
    this.name = 'InvalidPolicyError';
    this.problems = problems;
  }
}

/** @throws InvalidPolicyError that names every field that is wrong */
export function resolvePolicy(spec: ScalingPolicySpec): ScalingPolicy {
  const problems = validatePolicy(spec);
  if (problems.length > 0) throw new InvalidPolicyError(problems);
  const rules = (given: ScalingRules | undefined): ResolvedRules => ({
    stabilizationWindowMs: given?.stabilizationWindowMs,
    policies: given?.policies ?? [],
  });
  return {
    minReplicas: spec.minReplicas ?? DEFAULT_POLICY.minReplicas,
    maxReplicas: spec.maxReplicas,
    objective: spec.objective,
    scaleUp: rules(spec.behavior?.scaleUp),
    scaleDown: rules(spec.behavior?.scaleDown),
    slotsPerReplica: spec.capacity?.slotsPerReplica,
    coldStartMs: spec.coldStartMs,
    windowsMs: spec.windowsMs ?? DEFAULT_POLICY.windowsMs,
    fallbackReplicas: spec.fallback?.replicas,
    fallbackAfterFailures: spec.fallback?.afterFailures ?? DEFAULT_POLICY.fallbackAfterFailures,
    mode: spec.mode ?? 'Active',
    paused: spec.paused ?? false,
    pausedReplicas: spec.pausedReplicas,
    idleMs: spec.idleMs ?? DEFAULT_POLICY.idleMs,
    periodMs: spec.periodMs ?? DEFAULT_POLICY.periodMs,
  };
}

/** @returns one message for each field that is wrong, beginning with its path in the spec */
export function validatePolicy(spec: ScalingPolicySpec): string[] {
  const problems: string[] = [];
  const check = (holds: boolean, field: string, rule: string) => {
    if (!holds) problems.push(`${field} must be ${rule}`);
  };
  const count = (value: number | undefined, field: string, least: number) =>
    check(
      value === undefined || (Number.isSafeInteger(value) && value >= least),
      field,
      `an integer of at least ${least}`,
    );
  const duration = (value: number | undefined, field: string, least: number) =>
    check(value === undefined || (Number.isFinite(value) && value >= least), field, `at least ${least} ms`);

  count(spec.minReplicas, 'minReplicas', 0);
  check(spec.maxReplicas !== undefined, 'maxReplicas', 'given');
  count(spec.maxReplicas, 'maxReplicas', 1);
  check(
    !(spec.maxReplicas >= 1 && spec.maxReplicas < (spec.minReplicas ?? 1)),
    'maxReplicas',
    'no less than minReplicas',
  );
  const { objective } = spec;
  check(objective !== undefined, 'objective', 'given');
  if (objective !== undefined) {
    const { metric, latencyMs, percentile } = objective;
    check(metric === 'duration' || metric === 'timeToFirstToken', 'objective.metric', 'duration or timeToFirstToken');
    check(Number.isFinite(latencyMs) && latencyMs >= 1, 'objective.latencyMs', 'at least 1 ms');
    check(percentile >= 50 && percentile <= 99.99, 'objective.percentile', 'between 50 and 99.99');
  }
  for (const direction of ['scaleUp', 'scaleDown'] as const) {
    const rules = spec.behavior?.[direction];
    const at = `behavior.${direction}`;
    duration(rules?.stabilizationWindowMs, `${at}.stabilizationWindowMs`, 0);
    for (const [i, { type, value, periodMs }] of (rules?.policies ?? []).entries()) {
      check(type === 'percent' || type === 'pods', `${at}.policies[${i}].type`, 'percent or pods');
      check(Number.isFinite(value) && value > 0, `${at}.policies[${i}].value`, 'more than 0');
      duration(periodMs, `${at}.policies[${i}].periodMs`, 1_000);
    }
  }
  count(spec.capacity?.slotsPerReplica, 'capacity.slotsPerReplica', 1);
  duration(spec.coldStartMs, 'coldStartMs', 0);
  const windows = spec.windowsMs;
  check(
    windows === undefined ||
      (windows.length > 0 && windows.every((ms, i) => ms >= 1_000 && ms > (windows[i - 1] ?? 0))),
    'windowsMs',
    'durations of at least 1000 ms, ascending',
  );
  count(spec.fallback?.replicas, 'fallback.replicas', 1);
  check(!((spec.fallback?.replicas ?? 0) > spec.maxReplicas), 'fallback.replicas', 'no more than maxReplicas');
  count(spec.fallback?.afterFailures, 'fallback.afterFailures', 1);
  check([undefined, 'Active', 'Recommend'].includes(spec.mode), 'mode', 'Active or Recommend');
  count(spec.pausedReplicas, 'pausedReplicas', 0);
  duration(spec.idleMs, 'idleMs', 0);
  duration(spec.periodMs, 'periodMs', 1_000);
  return problems;
}
