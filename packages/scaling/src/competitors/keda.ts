/** What would a ScaledObject with a Prometheus trigger do? KEDA asks Prometheus, and an HPA that it makes decides. */
import type { Observation, Reading } from '../observation.ts';
import type { ScalerFactory } from '../simulator/options.ts';
import { type Competitor, numberOf, SHARES } from './competitor.ts';
import { Hpa, withDownWindow } from './hpa.ts';
import type { HpaBehavior } from './hpa-behavior.ts';

export interface KedaSettings {
  /** `requests`: those that wait or run; `rate`: arrivals a second over the longest window. */
  readonly query: 'requests' | 'rate';
  /** Of the query's result, per replica (AverageValue). */
  readonly threshold: number;
  /** With cached metrics the HPA gets what the last poll found; without, each of its own syncs asks. */
  readonly useCachedMetrics: boolean;
  readonly pollingMs: number;
  /** Without a request for so long, all replicas go (where `min` is 0). Says nothing about other numbers. */
  readonly cooldownMs: number;
  /** An empty result counts as 0; else it is an error. */
  readonly ignoreNullValues: boolean;
  /** After more than `failureThreshold` failed polls in a row the metric asks for so many replicas. */
  readonly fallback:
    | {
        readonly failureThreshold: number;
        readonly replicas: number;
        readonly behavior: 'static' | 'currentReplicas' | 'currentReplicasIfHigher' | 'currentReplicasIfLower';
      }
    | undefined;
  readonly behavior: HpaBehavior;
}

export const KEDA: Competitor<KedaSettings> = {
  name: 'keda',
  source:
    'kedacore/keda pkg/scalers/prometheus_scaler.go, pkg/fallback/fallback.go, pkg/scaling/executor/scale_scaledobjects.go at 8b4f083 (after 2.20), Apache-2.0: polling 30 s, cooldown 300 s, ignoreNullValues true, useCachedMetrics false; and the HPA that it makes',
  knobs: {
    share: { about: 'threshold per replica, by its slots (requests) or by what it finishes (rate)', tries: SHARES },
    query: {
      about: 'what Prometheus is asked: requests that wait or run, or arrivals a second',
      tries: ['requests', 'rate'],
    },
    downWindowS: {
      about: 'horizontalPodAutoscalerConfig.behavior.scaleDown.stabilizationWindowSeconds',
      tries: [30, 60, 120, 300, 600, 1200, 1800, 3600],
    },
    useCachedMetrics: { about: 'yes: the HPA knows what the last poll found', tries: ['no', 'yes'] },
  },
  // The threshold has no default: 80% of the slots, as for the HPA.
  settings: ({ slots, peakRate }, turned = {}) => {
    const query = turned.query === 'rate' ? 'rate' : 'requests';
    return {
      query,
      threshold: numberOf(turned, 'share', 0.8) * (query === 'rate' ? peakRate : slots),
      useCachedMetrics: turned.useCachedMetrics === 'yes',
      pollingMs: 30_000,
      cooldownMs: 300_000,
      ignoreNullValues: true,
      fallback: undefined,
      behavior: withDownWindow(1000 * numberOf(turned, 'downWindowS', 300)),
    };
  },
  create(settings, limits): ScalerFactory {
    return () => {
      const trigger = new PrometheusTrigger(settings);
      const hpa = new Hpa(
        {
          target: settings.threshold,
          metric: 'external',
          tolerance: 0.1,
          syncMs: 15_000,
          behavior: settings.behavior,
        },
        { ...limits, min: Math.max(1, limits.min) },
        (observation, now) => trigger.metric(observation, now),
      );
      return {
        periodMs: hpa.periodMs,
        decide(observation, now) {
          const current = observation.replicas.spec;
          const activation = limits.min === 0 ? trigger.activation(observation, now) : undefined;
          if (activation !== undefined && activation !== current) {
            const reason = activation === 0 ? 'idle' : 'activating';
            return { replicas: activation, recommended: activation, reason, terms: {} };
          }
          return hpa.decide(observation, now);
        },
      };
    };
  },
};

/** One trigger: what it measured last, how often it failed in a row, and when it was last active. */
export class PrometheusTrigger {
  readonly #settings: KedaSettings;
  #cached: number | undefined;
  #polledAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #activeAt: number | undefined;

  constructor(settings: KedaSettings) {
    this.#settings = settings;
  }

  /** In sum over all replicas; undefined where it is an error. */
  metric(observation: Observation, now: number): number | undefined {
    const { useCachedMetrics, pollingMs } = this.#settings;
    if (useCachedMetrics && now - this.#polledAt < pollingMs) return this.#cached;
    this.#polledAt = now;
    const measured = this.#query(observation);
    this.#failures = measured === undefined ? this.#failures + 1 : 0;
    this.#cached = measured ?? this.#fallback(observation);
    return this.#cached;
  }

  /**
   * 0 or 1 where the executor decides: between them, and only there, the HPA has no say. Undefined elsewhere. It looks with each poll; an error
   * is no activity, and takes nothing away.
   */
  activation(observation: Observation, now: number): number | undefined {
    const { pollingMs, cooldownMs } = this.#settings;
    const { spec } = observation.replicas;
    this.#activeAt ??= now;
    if (now - this.#lookedAt < pollingMs) return spec === 0 ? 0 : undefined;
    this.#lookedAt = now;
    const measured = this.#query(observation);
    const active = (measured ?? 0) > 0;
    if (active) this.#activeAt = now;
    if (spec === 0) return active ? 1 : 0;
    return measured === 0 && now - this.#activeAt > cooldownMs ? 0 : undefined;
  }

  #query({ waiting, running, arrivalRates }: Observation): number | undefined {
    if (this.#settings.query === 'rate') return this.#read(arrivalRates.at(-1)!.reading);
    const [waits, runs] = [this.#read(waiting), this.#read(running)];
    return waits === undefined || runs === undefined ? undefined : waits + runs;
  }

  #read(reading: Reading): number | undefined {
    if (reading.kind === 'value') return reading.value;
    if (reading.kind === 'failed') return undefined;
    return this.#settings.ignoreNullValues ? 0 : undefined;
  }

  #fallback({ replicas }: Observation): number | undefined {
    const { fallback, threshold } = this.#settings;
    if (fallback === undefined || this.#failures <= fallback.failureThreshold) return undefined;
    const current = replicas.spec;
    const wanted = {
      static: fallback.replicas,
      currentReplicas: current,
      currentReplicasIfHigher: Math.max(current, fallback.replicas),
      currentReplicasIfLower: Math.min(current, fallback.replicas),
    }[fallback.behavior];
    return wanted * threshold;
  }
}
