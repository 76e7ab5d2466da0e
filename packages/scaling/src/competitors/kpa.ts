/** What would Knative's autoscaler do? The concurrency of a minute in calm, of six seconds in panic. */
import type { Decision } from '../decision.ts';
import type { ScalerFactory, ScalerStart, SimulatedObservation, SimulatedScaler } from '../simulator/options.ts';
import { type Competitor, clampReplicas, numberOf, type ReplicaLimits, SHARES } from './competitor.ts';
import { ConcurrencyWindow } from './concurrency-window.ts';

export interface KpaSettings {
  /** containerConcurrency: what a pod works on at once. */
  readonly concurrency: number;
  /** container-concurrency-target-percentage, as a share. */
  readonly utilization: number;
  readonly tickMs: number;
  readonly stableWindowMs: number;
  /** panic-window-percentage, as a share of the stable window. */
  readonly panicWindowShare: number;
  /** panic-threshold-percentage, as a share of what the ready pods should have. */
  readonly panicThreshold: number;
  readonly maxScaleUpRate: number;
  readonly maxScaleDownRate: number;
  readonly scaleDownDelayMs: number;
  /** target-burst-capacity; -1: the activator stays in the path, 0: it is in it from zero replicas only. */
  readonly burstCapacity: number;
}

export const KPA: Competitor<KpaSettings> = {
  name: 'kpa',
  source:
    'knative/serving pkg/autoscaler/scaling/autoscaler.go and config/core/configmaps/autoscaler.yaml at 98e5ef9 (August 2026), Apache-2.0',
  knobs: {
    share: { about: 'container-concurrency-target-percentage, as a share', tries: SHARES },
    stableWindowS: { about: 'stable-window', tries: [15, 30, 60, 120, 300, 600] },
    scaleDownDelayS: { about: 'scale-down-delay', tries: [0, 60, 300, 600, 1200, 1800, 3600] },
    panicThreshold: { about: 'panic-threshold-percentage, as a share', tries: [1.1, 1.5, 2, 4] },
  },
  settings: ({ slots }, turned = {}) => ({
    concurrency: slots,
    utilization: numberOf(turned, 'share', 0.7),
    tickMs: 2_000,
    stableWindowMs: 1000 * numberOf(turned, 'stableWindowS', 60),
    panicWindowShare: 0.1,
    panicThreshold: numberOf(turned, 'panicThreshold', 2),
    maxScaleUpRate: 1000,
    maxScaleDownRate: 2,
    scaleDownDelayMs: 1000 * numberOf(turned, 'scaleDownDelayS', 0),
    burstCapacity: 211,
  }),
  create(settings, limits): ScalerFactory {
    return (start) => new Kpa(settings, limits, start);
  },
};

/**
 * `autoscaler.Scale`, read and written anew. Its metrics come from queue-proxies and activator each second, not from Prometheus: here from the
 * exact integral of concurrency. The activator holds what the pods have no room for, as our proxy's line does: whether it stands in the
 * path makes no difference to the requests, so `excessBurstCapacity` is told and has no effect.
 */
export class Kpa implements SimulatedScaler {
  readonly periodMs: number;
  readonly #settings: KpaSettings;
  readonly #limits: ReplicaLimits;
  readonly #window: ConcurrencyWindow;
  readonly #past: { readonly at: number; readonly replicas: number }[] = [];
  #panicAt: number | undefined;
  #maxPanicPods: number;

  /** It begins in panic where there is more than one pod, so that lost history cannot scale down. */
  constructor(settings: KpaSettings, limits: ReplicaLimits, { now, replicas }: ScalerStart) {
    this.periodMs = settings.tickMs;
    this.#settings = settings;
    this.#limits = limits;
    this.#window = new ConcurrencyWindow(settings.stableWindowMs);
    this.#panicAt = replicas > 1 ? now : undefined;
    this.#maxPanicPods = replicas;
  }

  decide({ replicas, exact }: SimulatedObservation, now: number): Decision {
    const { stableWindowMs, panicWindowShare, utilization, concurrency, burstCapacity } = this.#settings;
    this.#window.record(now, exact.inSystemMs);
    const stable = this.#window.mean(stableWindowMs);
    const panic = this.#window.mean(panicWindowShare * stableWindowMs);
    if (stable === undefined || panic === undefined) {
      return { replicas: replicas.spec, recommended: replicas.spec, reason: 'no-data', terms: {} };
    }
    const target = utilization * concurrency;
    const ready = Math.max(1, replicas.ready);
    const [stablePods, panicPods] = [Math.ceil(stable / target), Math.ceil(panic / target)];
    this.#updatePanic(panicPods / ready, now);
    const wished = this.#wished(this.#withinRates(stablePods, ready), this.#withinRates(panicPods, ready));
    const delayed = this.#delay(wished, now);
    const desired = clampReplicas(delayed, this.#limits);
    const left = Math.floor(replicas.ready * concurrency - burstCapacity - panic);
    const excessBurst = burstCapacity > 0 ? left : Math.max(-1, burstCapacity);
    return {
      replicas: desired,
      recommended: wished,
      reason: desired > delayed ? 'at-min' : desired < delayed ? 'at-max' : delayed !== wished ? 'stabilizing' : 'load',
      terms: { stable, panic, panicking: this.#panicAt === undefined ? 0 : 1, excessBurst },
    };
  }

  #updatePanic(overload: number, now: number): void {
    const { panicThreshold, stableWindowMs } = this.#settings;
    if (overload >= panicThreshold) this.#panicAt = now;
    else if (this.#panicAt !== undefined && this.#panicAt + stableWindowMs < now) {
      this.#panicAt = undefined;
      this.#maxPanicPods = 0;
    }
  }

  #withinRates(pods: number, ready: number): number {
    const { maxScaleUpRate, maxScaleDownRate } = this.#settings;
    return Math.min(Math.max(pods, Math.floor(ready / maxScaleDownRate)), Math.ceil(maxScaleUpRate * ready));
  }

  /** In panic the number never falls. */
  #wished(stablePods: number, panicPods: number): number {
    if (this.#panicAt === undefined) return stablePods;
    this.#maxPanicPods = Math.max(this.#maxPanicPods, stablePods, panicPods);
    return this.#maxPanicPods;
  }

  #delay(wished: number, now: number): number {
    const { scaleDownDelayMs } = this.#settings;
    if (scaleDownDelayMs <= 0) return wished;
    this.#past.push({ at: now, replicas: wished });
    while (now - this.#past[0]!.at >= scaleDownDelayMs && this.#past.length > 1) this.#past.shift();
    return Math.max(...this.#past.map(({ replicas }) => replicas));
  }
}
