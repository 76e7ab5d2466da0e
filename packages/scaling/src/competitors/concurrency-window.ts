/** How many requests were there on average lately? From the integral of their number over time. */

interface Mark {
  readonly at: number;
  readonly inSystemMs: number;
}

export class ConcurrencyWindow {
  readonly #longestMs: number;
  #marks: Mark[] = [];

  constructor(longestMs: number) {
    this.#longestMs = longestMs;
  }

  /** @param inSystemMs integral since any one moment, in milliseconds */
  record(at: number, inSystemMs: number): void {
    this.#marks.push({ at, inSystemMs });
    const second = this.#marks[1];
    // The last one that is as old as the window, or older, is its beginning.
    if (second !== undefined && at - second.at >= this.#longestMs) this.#marks.shift();
  }

  /** Over the window, or since the first record where that is later; undefined with one record. */
  mean(windowMs: number): number | undefined {
    const last = this.#marks.at(-1);
    if (last === undefined || this.#marks.length < 2) return undefined;
    const from = this.#marks.findLast(({ at }) => last.at - at >= windowMs) ?? this.#marks[0]!;
    return from.at === last.at ? undefined : (last.inSystemMs - from.inSystemMs) / (last.at - from.at);
  }
}
