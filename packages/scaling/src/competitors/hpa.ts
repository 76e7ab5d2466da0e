/** What would a HorizontalPodAutoscaler do, with the number of requests that wait or run as its metric? */
import type { Decision, Reason } from '../decision.ts';
import type { Observation } from '../observation.ts';
import type { ScalerFactory, SimulatedScaler } from '../simulator/options.ts';
import { type Competitor, clampReplicas, numberOf, type ReplicaLimits, SHARES } from './competitor.ts';
import { BehaviorMemory, DEFAULT_BEHAVIOR, type HpaBehavior } from './hpa-behavior.ts';

export interface HpaSettings {
  /** Requests that wait or run, per pod. */
  readonly target: number;
  /**
   * `external`: the sum, from outside (AverageValue): no pod has to have a metric. `pods`: what each pod says of itself,
   * those of the line shared among them: unready pods count.
   */
  readonly metric: 'external' | 'pods';
  readonly tolerance: number;
  readonly syncMs: number;
  readonly behavior: HpaBehavior;
}

export const HPA: Competitor<HpaSettings> = {
  name: 'hpa',
  source:
    'kubernetes/kubernetes pkg/controller/podautoscaler/{horizontal,replica_calculator}.go, as with tolerances for each direction (1.33 and later), Apache-2.0: sync 15 s, tolerance 0.1',
  knobs: {
    share: { about: 'requests that wait or run, per pod, by its slots (averageValue)', tries: SHARES },
    downWindowS: {
      about: 'behavior.scaleDown.stabilizationWindowSeconds',
      tries: [30, 60, 120, 300, 600, 1200, 1800, 3600],
    },
    tolerance: { about: 'how far from the target nothing is done', tries: [0.01, 0.05, 0.1, 0.2] },
  },
  // Without metrics an HPA aims at 80% of the processors: the same share of the slots.
  settings: ({ slots }, turned = {}) => ({
    target: numberOf(turned, 'share', 0.8) * slots,
    metric: 'external',
    tolerance: numberOf(turned, 'tolerance', 0.1),
    syncMs: 15_000,
    behavior: withDownWindow(1000 * numberOf(turned, 'downWindowS', 300)),
  }),
  create(settings, limits): ScalerFactory {
    return () => new Hpa(settings, limits, requestsOf);
  },
};

export function withDownWindow(stabilizationMs: number): HpaBehavior {
  return { ...DEFAULT_BEHAVIOR, scaleDown: { ...DEFAULT_BEHAVIOR.scaleDown, stabilizationMs } };
}

/** The metric, in sum over all pods; undefined where there is none, which changes nothing. */
export type MetricSource = (observation: Observation, now: number) => number | undefined;

function requestsOf({ waiting, running }: Observation): number | undefined {
  return waiting.kind === 'value' && running.kind === 'value' ? waiting.value + running.value : undefined;
}

export class Hpa implements SimulatedScaler {
  readonly periodMs: number;
  readonly #settings: HpaSettings;
  readonly #limits: ReplicaLimits;
  readonly #memory: BehaviorMemory;
  readonly #metric: MetricSource;

  constructor(settings: HpaSettings, limits: ReplicaLimits, metric: MetricSource) {
    this.periodMs = settings.syncMs;
    this.#settings = settings;
    this.#limits = limits;
    this.#memory = new BehaviorMemory(settings.behavior, limits);
    this.#metric = metric;
  }

  decide(observation: Observation, now: number): Decision {
    const current = observation.replicas.spec;
    const decided = (replicas: number, recommended: number, reason: Reason, terms = {}): Decision => ({
      replicas,
      recommended,
      reason,
      terms,
    });
    if (current === 0 && this.#limits.min > 0) return decided(0, 0, 'paused');
    const inside = clampReplicas(current, this.#limits);
    if (inside !== current) return decided(inside, inside, inside > current ? 'at-min' : 'at-max');
    const sum = this.#metric(observation, now);
    if (sum === undefined) return decided(current, current, 'no-data');
    const wished = this.#settings.metric === 'pods' ? this.#byPods(sum, observation) : this.#bySum(sum, observation);
    const { replicas, reason } = this.#memory.normalize(wished, current, now);
    return decided(replicas, wished, reason ?? (wished === current ? 'within-tolerance' : 'load'), { sum, wished });
  }

  /** GetExternalPerPodMetricReplicas: by the pods that the scale's status has, ready or not. */
  #bySum(sum: number, { replicas }: Observation): number {
    const { target, tolerance } = this.#settings;
    const existing = replicas.ready + replicas.startingAgesMs.length;
    const ratio = existing === 0 ? Number.POSITIVE_INFINITY : sum / (target * existing);
    if (Math.abs(1 - ratio) <= tolerance) return existing;
    return Math.ceil(sum / target);
  }

  /** calcPlainMetricReplicas: unready pods count as idle on the way up, not at all on the way down, and never turn the direction. */
  #byPods(sum: number, { replicas }: Observation): number {
    const { target, tolerance } = this.#settings;
    const { spec, ready } = replicas;
    const unready = replicas.startingAgesMs.length;
    if (ready === 0) return spec;
    const ratio = sum / ready / target;
    if (unready === 0 || ratio <= 1) return Math.abs(1 - ratio) <= tolerance ? spec : Math.ceil(ratio * ready);
    const counted = ready + unready;
    const newRatio = sum / counted / target;
    if (newRatio < 1 || Math.abs(1 - newRatio) <= tolerance) return spec;
    const wished = Math.ceil(newRatio * counted);
    return wished < spec ? spec : wished;
  }
}
