/** What would the rule that came before do? One more where requests a second reach a threshold, one fewer below another. */
import type { Decision } from '../decision.ts';
import type { ScalerFactory, SimulatedObservation, SimulatedScaler } from '../simulator/options.ts';
import { type Competitor, clampReplicas, combinations, type ReplicaLimits } from './competitor.ts';

export interface SeedSettings {
  /** Requests a second of all replicas together: from here on one more; below, one fewer. */
  readonly upRate: number;
  readonly downRate: number;
  readonly min: number;
  readonly max: number;
  readonly upCooldownMs: number;
  readonly downCooldownMs: number;
  readonly checkMs: number;
}

export const SEED: Competitor<SeedSettings> = {
  name: 'seed',
  source:
    'the design that ragscale began with: 29 and 25 requests/s, 2 to 3 replicas, cooldown 30 s up and 120 s down, checked each 5 s',
  defaults: () => ({
    upRate: 29,
    downRate: 25,
    min: 2,
    max: 3,
    upCooldownMs: 30_000,
    downCooldownMs: 120_000,
    checkMs: 5_000,
  }),
  grid(pod) {
    return combinations({
      replicas: [
        [1, 3],
        [2, 6],
        [4, 8],
        [4, 12],
        [6, 12],
        [8, 16],
        [8, 24],
        [16, 32],
      ] as const,
      share: [0.3, 0.45, 0.6],
    }).map(({ replicas: [min, max], share }) => {
      const upRate = ((min + max) / 2) * share * pod.peakRate;
      return { ...SEED.defaults(pod), min, max, upRate, downRate: (25 / 29) * upRate };
    });
  },
  create(settings, limits): ScalerFactory {
    return () => new Seed(settings, limits);
  },
};

export class Seed implements SimulatedScaler {
  readonly periodMs: number;
  readonly #settings: SeedSettings;
  readonly #limits: ReplicaLimits;
  #arrivals: number | undefined;
  #changedAt = Number.NEGATIVE_INFINITY;

  constructor(settings: SeedSettings, limits: ReplicaLimits) {
    this.periodMs = settings.checkMs;
    this.#settings = settings;
    this.#limits = limits;
  }

  decide({ replicas: { spec }, exact }: SimulatedObservation, now: number): Decision {
    const { upRate, downRate, min, max, upCooldownMs, downCooldownMs, checkMs } = this.#settings;
    const rate = this.#arrivals === undefined ? undefined : ((exact.arrivals - this.#arrivals) * 1000) / checkMs;
    this.#arrivals = exact.arrivals;
    const decided = (replicas: number, reason: Decision['reason']): Decision => ({
      replicas,
      recommended: replicas,
      reason,
      terms: rate === undefined ? {} : { rate },
    });
    const inside = clampReplicas(Math.min(max, Math.max(min, spec)), this.#limits);
    if (inside !== spec) return decided(inside, inside > spec ? 'at-min' : 'at-max');
    if (rate === undefined) return decided(spec, 'no-data');
    const change = rate >= upRate ? 1 : rate < downRate ? -1 : 0;
    if (change === 0) return decided(spec, 'within-tolerance');
    const wished = clampReplicas(Math.min(max, Math.max(min, spec + change)), this.#limits);
    if (wished === spec) return decided(spec, change > 0 ? 'at-max' : 'at-min');
    if (now - this.#changedAt < (change > 0 ? upCooldownMs : downCooldownMs)) return decided(spec, 'rate-limited');
    this.#changedAt = now;
    return decided(wished, 'load');
  }
}
