/** How do two that were measured in turns compare? */
import { median } from '../serving/summary.ts';

/** The median over the rounds of a / b, each measured one after the other: what slows a machine down does it to both. */
export function pairedRatio(a: readonly number[], b: readonly number[]): number {
  return median(a.flatMap((value, round) => (b[round] === undefined ? [] : [value / b[round]])));
}

/** The median over the rounds of a - b. */
export function pairedDifference(a: readonly number[], b: readonly number[]): number {
  return median(a.flatMap((value, round) => (b[round] === undefined ? [] : [value - b[round]])));
}
