/** Does a process grow that should not? The slope of its floor over the second half of its life, against what it may grow by. */
import { median } from '../../bench/serving/summary.ts';

export interface Point {
  readonly atMs: number;
  readonly value: number;
}

export interface Allowance {
  /** As a share of the median, or in the units of the value, whichever is more; and what its floor goes up and down by anyway is no growth. */
  readonly share: number;
  readonly least: number;
}

export interface Growth {
  /** From the middle of its life to the end, by the slope; negative where it shrank. */
  readonly grown: number;
  readonly allowed: number;
  readonly median: number;
  readonly isFlat: boolean;
}

/** So many stretches: of each only the lowest value counts, since what a garbage collector has not come to yet is no growth. */
const STRETCHES = 12;

/** @returns undefined of fewer points than there are stretches: nothing can be said */
export function growthOf(points: readonly Point[], { share, least }: Allowance): Growth | undefined {
  const second = points.slice(Math.floor(points.length / 2));
  if (second.length < STRETCHES) return undefined;
  const floor = floorOf(second);
  const middle = median(second.map(({ value }) => value));
  const spanMs = second.at(-1)!.atMs - second[0]!.atMs;
  const slope = slopeOf(floor);
  const grown = slope * spanMs;
  const allowed = Math.max(share * middle, least, spreadAbout(slope, floor));
  return { grown, allowed, median: middle, isFlat: grown <= allowed };
}

/** Between the highest and the lowest, if it were not for the slope; the one farthest out at each end does not count. */
function spreadAbout(slope: number, points: readonly Point[]): number {
  const rest = points.map(({ atMs, value }) => value - slope * atMs).toSorted((a, b) => a - b);
  return rest.at(-2)! - rest[1]!;
}

function floorOf(points: readonly Point[]): Point[] {
  return Array.from({ length: STRETCHES }, (_, i) => {
    const from = Math.floor((i * points.length) / STRETCHES);
    const to = Math.floor(((i + 1) * points.length) / STRETCHES);
    return points.slice(from, to).reduce((lowest, point) => (point.value < lowest.value ? point : lowest));
  });
}

/** The median of the slopes between all pairs (Theil 1950, Sen 1968): a quarter of the points may be anything. Per millisecond. */
export function slopeOf(points: readonly Point[]): number {
  const slopes = points.flatMap((a, i) =>
    points.slice(i + 1).flatMap((b) => (b.atMs === a.atMs ? [] : [(b.value - a.value) / (b.atMs - a.atMs)])),
  );
  return slopes.length === 0 ? 0 : median(slopes);
}
