/** How far may an HPA go at once, and what does it remember? `spec.behavior` of autoscaling/v2. */
import type { Reason } from '../decision.ts';
import { clampReplicas, type ReplicaLimits } from './competitor.ts';

/** At most `value` pods, or per cent of the pods at the beginning, in each `periodMs`. */
export interface ScalingPolicy {
  readonly type: 'Pods' | 'Percent';
  readonly value: number;
  readonly periodMs: number;
}

export interface ScalingRules {
  readonly stabilizationMs: number;
  /** The one that allows most decides (selectPolicy Max). */
  readonly policies: readonly ScalingPolicy[];
}

export interface HpaBehavior {
  readonly scaleUp: ScalingRules;
  readonly scaleDown: ScalingRules;
}

/** kubernetes/kubernetes pkg/apis/autoscaling/v2/defaults.go, and --horizontal-pod-autoscaler-downscale-stabilization of 5 minutes. */
export const DEFAULT_BEHAVIOR: HpaBehavior = {
  scaleUp: {
    stabilizationMs: 0,
    policies: [
      { type: 'Pods', value: 4, periodMs: 15_000 },
      { type: 'Percent', value: 100, periodMs: 15_000 },
    ],
  },
  scaleDown: { stabilizationMs: 300_000, policies: [{ type: 'Percent', value: 100, periodMs: 15_000 }] },
};

interface Past {
  readonly at: number;
  readonly replicas: number;
}

/**
 * normalizeDesiredReplicasWithBehaviors of kubernetes/kubernetes pkg/controller/podautoscaler/horizontal.go (1.33 and later, Apache-2.0), read and
 * written anew: first the recommendations of the windows (the lowest of the window up, the highest of the window down), then the rates, then
 * the limits. The current number is the first recommendation, so a controller that was restarted remembers nothing else. An HPA that has
 * no `behavior` at all goes up to the larger of 4 and twice what there is in each sync, which is less only below four pods.
 */
export class BehaviorMemory {
  readonly #behavior: HpaBehavior;
  readonly #limits: ReplicaLimits;
  #recommendations: Past[] = [];
  /** Changes made, positive up. */
  #changes: Past[] = [];

  constructor(behavior: HpaBehavior, limits: ReplicaLimits) {
    this.#behavior = behavior;
    this.#limits = limits;
  }

  /** What becomes of a wish, and which rule changed it last. */
  normalize(desired: number, current: number, now: number): { replicas: number; reason: Reason | undefined } {
    const stabilized = this.#stabilize(desired, current, now);
    const limited = this.#limitRate(stabilized, current, now);
    const replicas = clampReplicas(limited, this.#limits);
    const reason =
      replicas !== limited
        ? replicas === this.#limits.max
          ? 'at-max'
          : 'at-min'
        : limited !== stabilized
          ? 'rate-limited'
          : stabilized !== desired
            ? 'stabilizing'
            : undefined;
    if (replicas !== current) this.#changes.push({ at: now, replicas: replicas - current });
    return { replicas, reason };
  }

  #stabilize(desired: number, current: number, now: number): number {
    const { scaleUp, scaleDown } = this.#behavior;
    const longest = Math.max(scaleUp.stabilizationMs, scaleDown.stabilizationMs);
    if (this.#recommendations.length === 0) this.#recommendations.push({ at: now, replicas: current });
    this.#recommendations = this.#recommendations.filter(({ at }) => now - at <= longest);
    let [lowest, highest] = [desired, desired];
    for (const { at, replicas } of this.#recommendations) {
      if (now - at < scaleUp.stabilizationMs) lowest = Math.min(lowest, replicas);
      if (now - at < scaleDown.stabilizationMs) highest = Math.max(highest, replicas);
    }
    this.#recommendations.push({ at: now, replicas: desired });
    return Math.min(Math.max(current, lowest), highest);
  }

  #limitRate(wanted: number, current: number, now: number): number {
    const { scaleUp, scaleDown } = this.#behavior;
    const longest = Math.max(...[...scaleUp.policies, ...scaleDown.policies].map(({ periodMs }) => periodMs));
    this.#changes = this.#changes.filter(({ at }) => now - at <= longest);
    if (wanted > current) {
      const most = Math.max(...scaleUp.policies.map((policy) => this.#upTo(policy, current, now)));
      return Math.min(wanted, Math.max(current, most));
    }
    if (wanted < current) {
      const least = Math.min(...scaleDown.policies.map((policy) => this.#downTo(policy, current, now)));
      return Math.max(wanted, Math.min(current, least));
    }
    return wanted;
  }

  #upTo({ type, value, periodMs }: ScalingPolicy, current: number, now: number): number {
    const atStart = this.#atStartOf(periodMs, current, now);
    return type === 'Pods' ? atStart + value : Math.ceil(atStart * (1 + value / 100));
  }

  #downTo({ type, value, periodMs }: ScalingPolicy, current: number, now: number): number {
    const atStart = this.#atStartOf(periodMs, current, now);
    return type === 'Pods' ? atStart - value : Math.trunc(atStart * (1 - value / 100));
  }

  #atStartOf(periodMs: number, current: number, now: number): number {
    let replicas = current;
    for (const change of this.#changes) if (now - change.at < periodMs) replicas -= change.replicas;
    return replicas;
  }
}
