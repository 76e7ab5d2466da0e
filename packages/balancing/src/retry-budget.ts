/**
 * May a request be tried again? Only as a share of what is asked for the first time: where everything fails, retries without a bound
 * multiply the load that made it fail. As in Finagle and Linkerd (RetryBudget: 20% of requests and 10 a second).
 */

export interface RetryBudgetSettings {
  /** Retries by request. */
  readonly share: number;
  /** Retries that are allowed however few requests there are, saved up over the window. */
  readonly minPerSecond: number;
  /** Over which both count, in whole seconds. */
  readonly windowMs: number;
}

/** Finagle's and Linkerd's. */
export const DEFAULT_RETRY_BUDGET: RetryBudgetSettings = { share: 0.2, minPerSecond: 10, windowMs: 10_000 };

const BUCKET_MS = 1_000;

/**
 * Whenever a retry is granted, those of the window that ends there are at most `share` of its requests and `minPerSecond` for each of its
 * seconds. Buckets are whole seconds, so requests are counted in those that lie in the window and retries in those that touch
 * it: what is granted may be a tenth less than allowed, and never more. Memory is constant.
 */
export class RetryBudget {
  readonly #share: number;
  readonly #reserve: number;
  /** Which second a bucket counts, by the second modulo their number. */
  readonly #seconds: Float64Array;
  readonly #requests: Float64Array;
  readonly #retries: Float64Array;
  #latest = 0;

  constructor({
    share = DEFAULT_RETRY_BUDGET.share,
    minPerSecond = DEFAULT_RETRY_BUDGET.minPerSecond,
    windowMs = DEFAULT_RETRY_BUDGET.windowMs,
  }: Partial<RetryBudgetSettings> = {}) {
    const seconds = Math.max(1, Math.floor(windowMs / BUCKET_MS));
    this.#share = share;
    this.#reserve = minPerSecond * seconds;
    this.#seconds = new Float64Array(seconds + 1).fill(Number.NEGATIVE_INFINITY);
    this.#requests = new Float64Array(seconds + 1);
    this.#retries = new Float64Array(seconds + 1);
  }

  /** A request was made, for the first time: counting retries too would let them pay for each other. */
  requested(now: number): void {
    this.#requests[this.#bucketAt(now)]! += 1;
  }

  /** Takes one from the budget if there is one. */
  tryRetry(now: number): boolean {
    const bucket = this.#bucketAt(now);
    const window = this.#seconds.length - 1;
    let retries = 1;
    let requests = 0;
    for (let i = 0; i <= window; i++) {
      const age = this.#latest - this.#seconds[i]!;
      if (age <= window) retries += this.#retries[i]!;
      if (age < window) requests += this.#requests[i]!;
    }
    if (retries > this.#share * requests + this.#reserve) return false;
    this.#retries[bucket]! += 1;
    return true;
  }

  #bucketAt(now: number): number {
    this.#latest = Math.max(this.#latest, Math.floor(now / BUCKET_MS));
    const bucket = this.#latest % this.#seconds.length;
    if (this.#seconds[bucket] !== this.#latest) {
      this.#seconds[bucket] = this.#latest;
      this.#requests[bucket] = 0;
      this.#retries[bucket] = 0;
    }
    return bucket;
  }
}
