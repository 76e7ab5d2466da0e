/** What would ours cost if it failed as few requests as another does? Interpolated between its percentiles. */

export interface FrontierPoint {
  /** Share of the requests. */
  readonly violations: number;
  readonly cost: number;
}

/** Fewer than one in a hundred thousand is taken for that: a logarithm has no zero. */
const LEAST_SHARE = 1e-5;

export interface EqualCost {
  readonly cost: number;
  /** Ours does not fail as few (`more careful`) or as many (`more careless`) with any percentile: the cost is that of the nearest. */
  readonly beyond: 'more careful' | 'more careless' | undefined;
}

/** Linear in the logarithm of the violations. @param points of ours, in any order; those that cost more and fail more than another do not count */
export function costAtEqualViolations(points: readonly FrontierPoint[], violations: number): EqualCost {
  const frontier = points
    .filter((one) => !points.some((other) => other.cost < one.cost && other.violations <= one.violations))
    .map((point) => ({ ...point, log: logOf(point.violations) }))
    .sort((a, b) => a.log - b.log);
  const wanted = logOf(violations);
  const [careful, careless] = [frontier[0]!, frontier.at(-1)!];
  if (wanted < careful.log) return { cost: careful.cost, beyond: 'more careful' };
  if (wanted > careless.log) return { cost: careless.cost, beyond: 'more careless' };
  const next = frontier.findIndex(({ log }) => log >= wanted);
  const [before, after] = [frontier[Math.max(0, next - 1)]!, frontier[next]!];
  if (after.log === wanted || after === before) return { cost: after.cost, beyond: undefined };
  const share = (wanted - before.log) / (after.log - before.log);
  return { cost: before.cost + share * (after.cost - before.cost), beyond: undefined };
}

function logOf(share: number): number {
  return Math.log(Math.max(LEAST_SHARE, share));
}
