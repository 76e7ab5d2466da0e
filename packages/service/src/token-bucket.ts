/** May another one pass now, at so many a second? Pure: time is an argument. */

export interface BucketLimits {
  /** Tokens that come in a second; over 0. */
  readonly ratePerSecond: number;
  /** Tokens that it holds at most, so how many may pass at once after a rest; 1 or more, not necessarily whole. */
  readonly burst: number;
}

/**
 * Waiting exactly as long as `take` said must be enough, whatever the rounding of times does: at a hundred thousand a second, after days, that is
 * some millionths of a token. What is let through too early is owed.
 */
const ROUNDING = 1e-4;

export class TokenBucket {
  #limits: BucketLimits;
  #tokens: number;
  #filledAt = Number.NEGATIVE_INFINITY;

  /** Full. @throws RangeError for limits under which nothing would ever pass */
  constructor(limits: BucketLimits) {
    this.#limits = checked(limits);
    this.#tokens = limits.burst;
  }

  /**
   * Takes a token.
   * @param now milliseconds of a monotonic clock
   * @returns 0 when it was taken, otherwise the milliseconds until one is there: nothing was taken then
   */
  take(now: number): number {
    this.#fill(now);
    if (this.#tokens < 1 - ROUNDING) return ((1 - this.#tokens) / this.#limits.ratePerSecond) * 1000;
    this.#tokens -= 1;
    return 0;
  }

  /** Other limits from now on; what has been used up stays used up. @throws as the constructor */
  adjust(limits: BucketLimits, now: number): void {
    this.#fill(now);
    this.#limits = checked(limits);
    this.#tokens = Math.min(limits.burst, this.#tokens);
  }

  #fill(now: number): void {
    const elapsedMs = Math.max(0, now - this.#filledAt);
    const { ratePerSecond, burst } = this.#limits;
    this.#tokens = Math.min(burst, this.#tokens + (elapsedMs * ratePerSecond) / 1000);
    this.#filledAt = Math.max(this.#filledAt, now);
  }
}

function checked(limits: BucketLimits): BucketLimits {
  const { ratePerSecond, burst } = limits;
  if (ratePerSecond > 0 && burst >= 1 && Number.isFinite(ratePerSecond) && Number.isFinite(burst)) return limits;
  throw new RangeError(`not limits of a bucket: ${ratePerSecond} a second, ${burst} at once`);
}
