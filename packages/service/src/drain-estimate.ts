/** How long those who wait will wait, and how long their service takes: learnt from those who leave. Pure: time is an argument. */

/** Departures that the drain rate remembers at least, and turns of the whole window: answers of one batch leave in bursts. */
const MIN_DEPARTURES = 32;
const WINDOWS = 2;

/** Times of service that quantiles are taken of: the latest. */
const SAMPLES = 64;

/** Nothing is known from what was seen longer ago than this or than twice the slowest of the latest services, in milliseconds. */
const MIN_FRESH_MS = 1_000;

interface Service {
  readonly ms: number;
  readonly done: boolean;
}

export class DrainEstimate {
  /** Departures and the time they took, both fading with each departure. */
  #departures = 0;
  #drainingMs = 0;
  #lastDepartureAt = Number.NEGATIVE_INFINITY;
  #lastServedAt = Number.NEGATIVE_INFINITY;
  readonly #latest: Service[] = [];
  /** The same by their length; undefined until somebody asks. */
  #sorted: readonly Service[] | undefined;

  /**
   * Somebody who was served has left.
   * @param fullSince since when as many were served as can be, undefined when there were fewer: only a full server shows its rate
   * @param window how many are served at once
   */
  departed(now: number, fullSince: number | undefined, window: number): void {
    if (fullSince !== undefined && fullSince <= this.#lastDepartureAt) {
      const fading = 1 - 1 / Math.max(MIN_DEPARTURES, WINDOWS * window);
      this.#departures = this.#departures * fading + 1;
      this.#drainingMs = this.#drainingMs * fading + now - this.#lastDepartureAt;
    }
    this.#lastDepartureAt = now;
  }

  /** Somebody was served for so long, to the end or until it broke off: then it would have taken longer. */
  served(now: number, ms: number, done: boolean): void {
    this.#latest.push({ ms, done });
    if (this.#latest.length > SAMPLES) this.#latest.shift();
    this.#sorted = undefined;
    if (done) this.#lastServedAt = now;
  }

  /** Milliseconds between two departures, however old; undefined when none were seen from a full server. The next that is full corrects it. */
  get intervalMs(): number | undefined {
    return this.#departures === 0 ? undefined : this.#drainingMs / this.#departures;
  }

  /**
   * A quantile of the latest times of service in milliseconds, unless none was done lately. Those that broke off count as Kaplan and Meier
   * have it: left out, only the short ones would be seen of those that a deadline ends.
   * @param share from 0 to 1
   */
  freshServiceMs(share: number, now: number): number | undefined {
    if (!this.#isFresh(this.#lastServedAt, now)) return undefined;
    const sorted = this.#byLength();
    let longer = 1;
    const quantile = sorted.find(({ done }, index) => {
      if (done) longer *= 1 - 1 / (sorted.length - index);
      return longer <= 1 - share;
    });
    return (quantile ?? sorted.at(-1))?.ms;
  }

  #isFresh(seenAt: number, now: number): boolean {
    return now - seenAt <= Math.max(MIN_FRESH_MS, 2 * (this.#byLength().at(-1)?.ms ?? 0));
  }

  #byLength(): readonly Service[] {
    this.#sorted ??= this.#latest.toSorted((a, b) => a.ms - b.ms);
    return this.#sorted;
  }
}
