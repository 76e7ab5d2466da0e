/** How much does chance play in a schedule? Two numbers that are 1 for a Poisson process and 0 for even arrivals. */
import type { Stage } from './plan.ts';

/** Deviation by mean of the gaps, each counted in the mean gap of its stage. NaN where there are not two of them. */
export function variationOf(dueMs: readonly number[], stages: readonly Stage[]): number {
  return deviationOf(
    stages.flatMap(({ first, requests }) => {
      const gaps = dueMs.slice(first + 1, first + requests).map((at, index) => at - dueMs[first + index]!);
      const mean = meanOf(gaps);
      return mean > 0 ? gaps.map((gap) => gap / mean) : [];
    }),
  );
}

/** Variance by mean of how many requests come in each of `count` equal pieces of time. */
export function indexOfDispersion(dueMs: readonly number[], durationMs: number, count: number): number {
  const counts = new Array<number>(count).fill(0);
  for (const at of dueMs) counts[Math.min(count - 1, Math.floor((at * count) / durationMs))]! += 1;
  return deviationOf(counts) ** 2 / meanOf(counts);
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function deviationOf(values: readonly number[]): number {
  if (values.length < 2) return Number.NaN;
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
