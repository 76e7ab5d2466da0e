/** What would Ray Serve do? Ongoing requests per replica, averaged, and a wish that must last before it counts. */
import type { Decision } from '../decision.ts';
import type { ScalerFactory, SimulatedObservation, SimulatedScaler } from '../simulator/options.ts';
import { type Competitor, clampReplicas, numberOf, type ReplicaLimits, SHARES } from './competitor.ts';
import { ConcurrencyWindow } from './concurrency-window.ts';

export interface RaySettings {
  /** target_ongoing_requests, per replica; those that wait in handles count. */
  readonly target: number;
  readonly lookBackMs: number;
  /** How often handles tell what they have (metrics_interval_s). */
  readonly pushMs: number;
  readonly upDelayMs: number;
  readonly downDelayMs: number;
  /** Share of the way that one decision goes. */
  readonly upFactor: number;
  readonly downFactor: number;
  /** Ray decides each 0.1 s; what it knows changes with the pushes. */
  readonly controlMs: number;
}

export const RAY: Competitor<RaySettings> = {
  name: 'ray',
  source:
    'ray-project/ray python/ray/serve/autoscaling_policy.py at 00590c4, config.py (AutoscalingConfig) at 00239d4, _private/autoscaling_state.py at 0021519, Apache-2.0: target 2, look-back 30 s, up 30 s, down 600 s',
  knobs: {
    share: { about: 'target_ongoing_requests, by the slots of a replica (2 requests unless given)', tries: SHARES },
    upDelayS: { about: 'upscale_delay_s', tries: [0, 10, 30] },
    downDelayS: { about: 'downscale_delay_s', tries: [30, 60, 120, 300, 600, 1200, 1800, 3600] },
    lookBackS: { about: 'look_back_period_s', tries: [5, 10, 30] },
    pushS: { about: 'metrics_interval_s', tries: [1, 10] },
  },
  settings: ({ slots }, turned = {}) => ({
    target: typeof turned.share === 'number' ? turned.share * slots : 2,
    lookBackMs: 1000 * numberOf(turned, 'lookBackS', 30),
    pushMs: 1000 * numberOf(turned, 'pushS', 10),
    upDelayMs: 1000 * numberOf(turned, 'upDelayS', 30),
    downDelayMs: 1000 * numberOf(turned, 'downDelayS', 600),
    upFactor: 1,
    downFactor: 1,
    controlMs: 1_000,
  }),
  create(settings, limits): ScalerFactory {
    return () => new Ray(settings, limits);
  },
};

/** `replica_queue_length_autoscaling_policy` with its wrapper, read and written anew. */
export class Ray implements SimulatedScaler {
  readonly periodMs: number;
  readonly #settings: RaySettings;
  readonly #limits: ReplicaLimits;
  readonly #window: ConcurrencyWindow;
  #pushedAt = Number.NEGATIVE_INFINITY;
  #ongoing: number | undefined;
  /** Decisions in a row that wished more (positive) or fewer. */
  #inARow = 0;

  constructor(settings: RaySettings, limits: ReplicaLimits) {
    this.periodMs = settings.controlMs;
    this.#settings = settings;
    this.#limits = limits;
    this.#window = new ConcurrencyWindow(settings.lookBackMs);
  }

  decide({ replicas, exact }: SimulatedObservation, now: number): Decision {
    const { spec, ready } = replicas;
    this.#window.record(now, exact.inSystemMs);
    if (now - this.#pushedAt >= this.#settings.pushMs) {
      this.#ongoing = this.#window.mean(this.#settings.lookBackMs);
      this.#pushedAt = now;
    }
    const ongoing = this.#ongoing;
    if (ongoing === undefined) return { replicas: spec, recommended: spec, reason: 'no-data', terms: {} };
    if (ready === 0) {
      // From nothing to something there is no delay.
      const woken = exact.waiting > 0 ? Math.max(Math.ceil(this.#settings.upFactor), spec) : spec;
      return { replicas: woken, recommended: woken, reason: 'activating', terms: { ongoing } };
    }
    const wished = clampReplicas(this.#smooth(ongoing / this.#settings.target, ready), this.#limits);
    const decided = this.#delay(wished, spec);
    const reason = decided !== wished ? 'stabilizing' : wished === spec ? 'within-tolerance' : 'load';
    return { replicas: decided, recommended: wished, reason, terms: { ongoing } };
  }

  #smooth(desired: number, current: number): number {
    const { upFactor, downFactor } = this.#settings;
    const scaled = Math.ceil(current + (desired > current ? upFactor : downFactor) * (desired - current));
    return Math.ceil(desired) < current && scaled === current ? scaled - 1 : scaled;
  }

  #delay(wished: number, target: number): number {
    const { upDelayMs, downDelayMs, controlMs } = this.#settings;
    if (wished === target) {
      this.#inARow = 0;
      return target;
    }
    const direction = wished > target ? 1 : -1;
    this.#inARow = Math.sign(this.#inARow) === direction ? this.#inARow + direction : direction;
    const needed = Math.trunc((direction > 0 ? upDelayMs : downDelayMs) / controlMs);
    if (Math.abs(this.#inARow) <= needed) return target;
    this.#inARow = 0;
    // To nothing it goes from one only.
    return direction < 0 && target > 1 ? Math.max(1, wished) : wished;
  }
}
