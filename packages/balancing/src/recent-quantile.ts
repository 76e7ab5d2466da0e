/** Below what were a given share of the latest values? */

const DEFAULT_SIZE = 128;

/** Below this a high quantile is just the largest value. */
const MIN_VALUES = 16;

/** Sorting for each request would cost a proxy several percent of its time, and so few values hardly move a quantile. */
const NEW_SHARE = 1 / 16;

export class RecentQuantile {
  readonly #latest: Float64Array;
  #sorted = new Float64Array();
  #added = 0;
  #sortedAt = 0;

  /** @param size values that are remembered, at least 16 */
  constructor(size: number = DEFAULT_SIZE) {
    this.#latest = new Float64Array(Math.max(MIN_VALUES, size));
  }

  /** Takes O(1). */
  add(value: number): void {
    this.#latest[this.#added % this.#latest.length] = value;
    this.#added += 1;
  }

  /**
   * By nearest rank: a value that occurred; undefined below 16 values. The values are sorted again when a sixteenth of them are new, so
   * the last few may not count yet.
   * @param share from 0 to 1
   */
  quantile(share: number): number | undefined {
    const count = Math.min(this.#added, this.#latest.length);
    if (count < MIN_VALUES) return undefined;
    if (this.#added - this.#sortedAt >= count * NEW_SHARE) this.#sort(count);
    return this.#sorted[Math.max(0, Math.ceil(share * this.#sorted.length) - 1)];
  }

  #sort(count: number): void {
    this.#sorted = this.#latest.slice(0, count).sort();
    this.#sortedAt = this.#added;
  }
}
