/** Who is cheapest? Of results.json: every policy over the loads that are not steady together, and what ours costs where it fails as few. */
import { costAtEqualViolations, type EqualCost } from './frontier.ts';
import type { OraclePoint, Point, Report } from './report.ts';

export const OURS = 'ragscale';

export interface Place {
  readonly kind: string;
  readonly coldStartS: number;
}

export function placesOf({ points }: Report): Place[] {
  const keys = [...new Set(points.map(({ kind, coldStartS }) => `${kind} ${coldStartS}`))];
  return keys.map((key) => {
    const [kind, coldStartS] = key.split(' ') as [string, string];
    return { kind, coldStartS: Number(coldStartS) };
  });
}

export function isAt<One extends Place>({ kind, coldStartS }: Place): (one: One) => boolean {
  return (one) => one.kind === kind && one.coldStartS === coldStartS;
}

/** Those that change with time: what they have in common is told of them together. */
export function movingLoads({ settings }: Report): Set<string> {
  return new Set(settings.loads.filter(({ isStationary }) => !isStationary).map(({ name }) => name));
}

export interface Aggregate {
  readonly key: string;
  readonly policy: string;
  readonly variant: Point['variant'];
  /** By requests, over all loads. */
  readonly violations: number;
  /** In sum. */
  readonly replicaSeconds: number;
  /** Mean over the loads of the cost by that of the oracle, in its seeds; undefined without an oracle. */
  readonly overOracle: number | undefined;
}

export function keyOf({ policy, variant, settings }: Pick<Point, 'policy' | 'settings' | 'variant'>): string {
  if (policy !== OURS) return `${policy}, ${variant}`;
  const { percentile } = settings as { percentile: number };
  return variant === 'default' ? OURS : `${OURS}, ${percentile}%`;
}

/** One for each policy and variant, in the order of the points. */
export function aggregatesAt(report: Report, place: Place): Aggregate[] {
  const moving = movingLoads(report);
  const here = report.points.filter(isAt(place)).filter(({ load }) => moving.has(load));
  const oracle = report.oracle.filter(isAt(place));
  return [...new Set(here.map(keyOf))].map((key) => {
    const runs = here.filter((point) => keyOf(point) === key);
    return { key, policy: runs[0]!.policy, variant: runs[0]!.variant, ...together(runs, oracle) };
  });
}

function together(runs: readonly Point[], oracle: readonly OraclePoint[]) {
  const requests = runs.reduce((sum, run) => sum + run.requests, 0);
  const ratios = runs.flatMap(({ load, onOracleSeeds }) => {
    const plan = oracle.find((one) => one.load === load);
    return plan === undefined ? [] : [onOracleSeeds.replicaSeconds / plan.replicaSeconds];
  });
  return {
    violations: runs.reduce((sum, run) => sum + run.violations.mean * run.requests, 0) / Math.max(1, requests),
    replicaSeconds: runs.reduce((sum, run) => sum + run.replicaSeconds.mean, 0),
    overOracle:
      ratios.length === 0 ? undefined : ratios.reduce((sum, ratio) => sum + ratio, 0) / Math.max(1, ratios.length),
  };
}

export interface EqualViolations extends Aggregate {
  readonly oursCost: EqualCost;
  readonly oursOverOracle: EqualCost | undefined;
}

/** Everybody but ours, each beside ours at as many violations; the cheapest beside ours first. */
export function atEqualViolations(report: Report, place: Place): EqualViolations[] {
  const all = aggregatesAt(report, place);
  const ours = all.filter(({ policy }) => policy === OURS);
  const byCost = ours.map(({ violations, replicaSeconds }) => ({ violations, cost: replicaSeconds }));
  const byRatio = ours.flatMap(({ violations, overOracle }) =>
    overOracle === undefined ? [] : [{ violations, cost: overOracle }],
  );
  return all
    .filter(({ policy, variant }) => policy !== OURS && variant !== 'fitted')
    .map((one) => ({
      ...one,
      oursCost: costAtEqualViolations(byCost, one.violations),
      oursOverOracle: byRatio.length === 0 ? undefined : costAtEqualViolations(byRatio, one.violations),
    }))
    .sort((a, b) => a.replicaSeconds / a.oursCost.cost - b.replicaSeconds / b.oursCost.cost);
}
