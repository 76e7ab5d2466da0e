/** When do requests come? What all sources give: times in milliseconds from the start, ascending. */

export interface Arrivals {
  /** Ascending, from 0 on and below `durationMs`. */
  readonly timesMs: Float64Array;
  /** How long the load is watched. */
  readonly durationMs: number;
  /** What each request generates, where the source knows it. */
  readonly tokens?: Float64Array;
}

/** Requests a second. */
export function meanRate({ timesMs, durationMs }: Arrivals): number {
  return (timesMs.length * 1000) / durationMs;
}

/** By intervals of the same length, the last one perhaps cut: requests in each. */
export function countsByInterval({ timesMs, durationMs }: Arrivals, intervalMs: number): Int32Array {
  const counts = new Int32Array(Math.ceil(durationMs / intervalMs));
  for (const at of timesMs) counts[Math.floor(at / intervalMs)]! += 1;
  return counts;
}
