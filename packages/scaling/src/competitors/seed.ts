/** What would the rule that came before do? One more where requests a second reach a threshold, one fewer below another. */
import type { Decision } from '../decision.ts';
import type { ScalerFactory, SimulatedObservation, SimulatedScaler } from '../simulator/options.ts';
import { type Competitor, clampReplicas, numberOf, type ReplicaLimits } from './competitor.ts';

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
  knobs: {
    upRate: {
      about: 'requests a second of all replicas together, from which on there is one more; 25/29 of it takes one away',
      tries: [2, 4, 6, 8, 10, 12, 15, 18, 22, 26, 29, 32, 36, 40],
    },
    min: { about: 'replicas at least', isWhole: true, tries: [1, 2, 4, 6, 8, 9, 10, 11, 12, 14, 16, 20, 22, 24, 32] },
    max: { about: 'replicas at most', isWhole: true, tries: [3, 6, 8, 10, 12, 16, 20, 24, 28, 32, 40, 48, 64] },
  },
  settings: (_, turned = {}) => {
    const upRate = numberOf(turned, 'upRate', 29);
    const min = numberOf(turned, 'min', 2);
    return {
      upRate,
      downRate: (25 / 29) * upRate,
      min,
      max: Math.max(min, numberOf(turned, 'max', 3)),
      upCooldownMs: 30_000,
      downCooldownMs: 120_000,
      checkMs: 5_000,
    };
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
