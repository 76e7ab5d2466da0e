/** How many replicas does a load need, and all that may come of it, so that no more than a given share of requests is late? */
import { type Effort, lateShare, type PodModel, slowerThan, type Target } from './pool-model.ts';

/** Loads are looked at in steps of 6%: what differs by less is the same load. */
export const LOAD_STEP = 1.06;
/** Beyond any cluster: the search ends. */
const MOST = 10_000;
/** A share of the permitted one that is not worth looking at smaller loads for. */
const NEGLIGIBLE = 1e-3;

/** What the load may become: how likely each step above (below) what it is now; adds up to 1. */
export interface Outlook {
  /** Step of the first share; 0 is the load as it is. */
  readonly lowest: number;
  readonly shares: Float64Array;
}

export const AS_IT_IS: Outlook = { lowest: 0, shares: Float64Array.of(1) };

/** Answers for one load, and remembers what it has computed: the same steps are asked for again and again. */
export class Sizing {
  readonly #model: PodModel;
  readonly #target: Target;
  readonly #perSecond: number;
  readonly #share: number;
  readonly #effort: Effort | undefined;
  readonly #late = new Map<number, number>();

  /** @param share of the requests that may be late, besides those that are late even alone: no number of replicas helps them */
  constructor(model: PodModel, target: Target, perSecond: number, share: number, effort?: Effort) {
    this.#model = model;
    this.#target = target;
    this.#perSecond = perSecond;
    this.#share = share;
    this.#effort = effort;
  }

  /**
   * The smallest number that suffices.
   * @param shift steps by which the load is larger than it is
   * @param guess where to begin to look
   */
  replicasFor(outlook: Outlook, shift = 0, guess = 1): number {
    if (!(this.#perSecond > 0)) return 0;
    let low = 0;
    let high = Math.max(low + 1, Math.min(MOST, guess));
    if (this.#suffices(high, outlook, shift)) {
      for (let step = 1; high - step > low; step *= 2) {
        if (!this.#suffices(high - step, outlook, shift)) {
          low = high - step;
          break;
        }
        high -= step;
      }
    } else {
      for (let step = 1; high < MOST; step *= 2) {
        low = high;
        high = Math.min(MOST, high + step);
        if (this.#suffices(high, outlook, shift)) break;
      }
    }
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#suffices(middle, outlook, shift)) high = middle;
      else low = middle;
    }
    return high;
  }

  #suffices(replicas: number, outlook: Outlook, shift: number): boolean {
    // By the model of as many replicas: one that tells of more unevenness among many must not make more replicas look worse than few.
    const alone = slowerThan(this.#model, this.#target, { replicas, atOnce: 1 }, this.#target.latencyMs);
    let requests = 0;
    let late = 0;
    let isNegligible = false;
    // The largest load first: below one that is served well enough, all are.
    for (let i = outlook.shares.length - 1; i >= 0; i--) {
      const step = outlook.lowest + i;
      const weight = outlook.shares[i]! * LOAD_STEP ** step;
      if (weight === 0) continue;
      requests += weight;
      if (isNegligible) continue;
      const excess = this.#lateAt(step + shift, replicas) - alone;
      late += weight * excess;
      isNegligible = excess < NEGLIGIBLE * this.#share;
    }
    return late <= this.#share * requests;
  }

  #lateAt(step: number, replicas: number): number {
    const key = step * 2 * MOST + replicas;
    let late = this.#late.get(key);
    if (late === undefined) {
      late = lateShare(this.#model, this.#target, this.#perSecond * LOAD_STEP ** step, replicas, this.#effort);
      this.#late.set(key, late);
    }
    return late;
  }
}
