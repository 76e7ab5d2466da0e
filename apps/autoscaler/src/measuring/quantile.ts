/** Which time is so large a share of the answers within, by the buckets of a histogram? */

/** Of the times that pods take. */
export const SERVICE_QUANTILE = 0.95;

/**
 * As `histogram_quantile` of Prometheus has it: linear within a bucket, from 0 in the first; the last finite bound for what is beyond it.
 * https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
 * @param bounds ascending, the finite ones
 * @param counts of each bucket with all before it, and last of all there are
 * @returns NaN where there are none
 */
export function quantileOf(quantile: number, bounds: readonly number[], counts: readonly number[]): number {
  const total = counts[bounds.length] ?? 0;
  const last = bounds.at(-1);
  if (!(total > 0) || last === undefined) return Number.NaN;
  const rank = quantile * total;
  const index = bounds.findIndex((_, at) => counts[at]! >= rank);
  if (index < 0) return last;
  const from = bounds[index - 1] ?? 0;
  const before = counts[index - 1] ?? 0;
  const within = counts[index]! - before;
  return within > 0 ? from + ((bounds[index]! - from) * (rank - before)) / within : bounds[index]!;
}
