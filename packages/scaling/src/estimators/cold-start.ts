/** How long does a pod take from its creation until it answers? */

/** Until one was seen. */
export const ASSUMED_COLD_START_MS = 30_000;
const REMEMBERED = 32;
/** A late pod is late; the slowest of ten is nothing unusual. */
const QUANTILE = 0.9;
/** Times the usual, and at least so much more, before a pod counts as stuck. */
const STUCK_FACTOR = 2;
const STUCK_MARGIN_MS = 15_000;

/** Learnt from the ages at which starting pods are no longer seen; what the spec says wins. */
export class ColdStart {
  /** What the owner says. */
  given: number | undefined;
  readonly #seen: number[] = [];
  #ages: readonly number[] = [];
  #ready = 0;
  #at: number | undefined;
  #lastReadyAt = Number.NEGATIVE_INFINITY;

  constructor(given: number | undefined) {
    this.given = given;
  }

  get known(): boolean {
    return this.given !== undefined || this.#seen.length > 0;
  }

  get ms(): number {
    if (this.given !== undefined) return this.given;
    if (this.#seen.length === 0) return ASSUMED_COLD_START_MS;
    const sorted = this.#seen.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(QUANTILE * sorted.length))]!;
  }

  /** From which age on a pod is no longer expected to come. */
  get stuckAfterMs(): number {
    return this.ms * STUCK_FACTOR + STUCK_MARGIN_MS;
  }

  get lastReadyAt(): number {
    return this.#lastReadyAt;
  }

  /** Pods that vanish while the number of ready ones grows became ready, the oldest first; others were deleted. */
  observe(ready: number, startingAgesMs: readonly number[], now: number): void {
    if (this.#at !== undefined) {
      const elapsed = now - this.#at;
      const gone = this.#ages.length - startingAgesMs.filter((age) => age >= elapsed).length;
      const became = Math.min(Math.max(0, gone), Math.max(0, ready - this.#ready));
      // Somewhere between the two looks.
      for (const age of this.#ages.slice(0, became)) this.#remember(age + elapsed / 2);
      if (ready > this.#ready) this.#lastReadyAt = now;
    }
    this.#ages = startingAgesMs.toSorted((a, b) => b - a);
    this.#ready = ready;
    this.#at = now;
  }

  #remember(ms: number): void {
    this.#seen.push(ms);
    if (this.#seen.length > REMEMBERED) this.#seen.shift();
  }
}
