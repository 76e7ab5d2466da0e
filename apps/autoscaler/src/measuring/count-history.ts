/** How much was counted in the last minutes? The samples of one route of one proxy, as if it was never restarted. */
import type { RouteCounts } from './scraped-counts.ts';

/** What came in a window, and how much of it was seen. */
export interface Increase {
  readonly counts: Omit<RouteCounts, 'waiting'>;
  /** From the first to the last sample. */
  readonly elapsedMs: number;
  /** There was a sample when the window began. */
  readonly isWhole: boolean;
}

interface Kept {
  readonly at: number;
  readonly totals: Float64Array;
}

export class CountHistory {
  /** The counts of the newest sample. */
  latest: RouteCounts;
  latestAt: number;
  #kept: Kept[];

  constructor(counts: RouteCounts, at: number) {
    this.latest = counts;
    this.latestAt = at;
    this.#kept = [{ at, totals: Float64Array.from(flat(counts)) }];
  }

  /** @param keepMs for how long samples are asked for */
  add(counts: RouteCounts, at: number, keepMs: number): void {
    const before = flat(this.latest);
    const now = flat(counts);
    const isSame =
      before.length === now.length && counts.bounds.every((bound, index) => bound === this.latest.bounds[index]);
    this.latest = counts;
    this.latestAt = at;
    // Other buckets: a proxy with another objective, whose counts have nothing to do with those before.
    if (!isSame) {
      this.#kept = [{ at, totals: Float64Array.from(now) }];
      return;
    }
    // None of them can become less: all began again at 0.
    const isRestarted = now.some((count, index) => count < before[index]!);
    const totals = this.#kept
      .at(-1)!
      .totals.map((total, index) => total + now[index]! - (isRestarted ? 0 : before[index]!));
    this.#kept.push({ at, totals });
    const first = this.#kept.findLastIndex((sample) => sample.at <= at - keepMs);
    if (first > 0) this.#kept.splice(0, first);
  }

  /** @returns undefined where fewer than two samples are in the window, with the one before it */
  increase(windowMs: number, now: number): Increase | undefined {
    const begin = now - windowMs;
    const atBegin = this.#kept.findLastIndex(({ at }) => at <= begin);
    const from = Math.max(0, atBegin);
    const [first, last] = [this.#kept[from], this.#kept.at(-1)];
    if (first === undefined || last === undefined || first === last) return undefined;
    const grown = last.totals.map((total, index) => total - first.totals[index]!);
    return {
      counts: shaped(grown, this.latest.bounds),
      elapsedMs: last.at - first.at,
      isWhole: atBegin >= 0,
    };
  }
}

function flat({ arrivals, upstreamSeconds, counted, upstream, good }: RouteCounts): number[] {
  return [arrivals, upstreamSeconds, counted, ...upstream, ...good];
}

function shaped(numbers: Float64Array, bounds: readonly number[]): Increase['counts'] {
  const [arrivals = 0, upstreamSeconds = 0, counted = 0] = numbers;
  const histograms = [...numbers.subarray(3)];
  return {
    ...{ arrivals, upstreamSeconds, counted, bounds },
    upstream: histograms.slice(0, bounds.length + 1),
    good: histograms.slice(bounds.length + 1),
  };
}
