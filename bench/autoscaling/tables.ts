/** What do people read of the comparison? results.md. */
import type { Estimate } from '@ragscale/scaling/simulator/repeat';
import type { Point, Report, Variant } from './report.ts';

const OURS = 'ragscale';

export function tablesOf(report: Report): string {
  const { settings, points } = report;
  const places = [...new Set(points.map(({ kind, coldStartS }) => `${kind} ${coldStartS}`))];
  const sections = places.map((place) => {
    const [kind, coldStartS] = place.split(' ') as [string, string];
    return placeTable(report, kind, Number(coldStartS));
  });
  return `${[
    `An answer is good within ${settings.objectiveMs / 1000} s; means of ${settings.seeds.length} seeds with 95% confidence intervals; the objective of ragscale is 95% within it where no other is named. Tuned: the setting with the fewest replica-seconds at no more than ${percent(settings.allowed)} of violations over all loads together, in seeds of its own; fitted: the same for this load alone.`,
    settings.loads.map(({ name, about }) => `* **${name}**: ${about}`).join('\n'),
    '## In aggregate over the loads that are not steady',
    aggregateTable(report),
    '## Who is better in both',
    dominationList(report),
    ...sections,
    report.oracle.length > 0 ? gapTable(report) : '',
  ].join('\n\n')}\n`;
}

function placeTable({ points, oracle, settings }: Report, kind: string, coldStartS: number): string {
  const here = points.filter((point) => point.kind === kind && point.coldStartS === coldStartS);
  const names = settings.loads.map(({ name }) => name);
  const keys = [...new Set(here.filter(({ variant }) => variant !== 'other').map(keyOf))];
  const rows = keys.map((key) => {
    const cells = names.map((load) => {
      const point = here.find((one) => one.load === load && keyOf(one) === key);
      return point === undefined ? '' : `${share(point.violations)}, ${thousands(point.replicaSeconds)}`;
    });
    return `| ${key} | ${cells.join(' | ')} |`;
  });
  const bounds = names.map((load) => {
    const plan = oracle.find((one) => one.load === load && one.kind === kind && one.coldStartS === coldStartS);
    return plan === undefined ? '' : `${percent(plan.violations)}, ${(plan.replicaSeconds / 1000).toFixed(1)}`;
  });
  return [
    `## Pods: ${kind}, cold start ${coldStartS} s`,
    'Violations, thousands of replica-seconds.',
    [
      `| | ${names.join(' | ')} |`,
      `|---|${names.map(() => '---|').join('')}`,
      ...rows,
      `| oracle (seed 1) | ${bounds.join(' | ')} |`,
    ].join('\n'),
  ].join('\n\n');
}

function aggregateTable({ points, settings }: Report): string {
  const moving = new Set(settings.loads.filter(({ isStationary }) => !isStationary).map(({ name }) => name));
  const places = [...new Set(points.map(({ kind, coldStartS }) => `${kind} ${coldStartS}`))];
  const keys = [...new Set(points.map(keyOf))];
  const rows = keys.map((key) => {
    const cells = places.map((place) => {
      const runs = points.filter(
        (point) => keyOf(point) === key && `${point.kind} ${point.coldStartS}` === place && moving.has(point.load),
      );
      if (runs.length === 0) return '';
      const violations = runs.reduce((sum, run) => sum + run.violations.mean, 0) / runs.length;
      const cost = runs.reduce((sum, run) => sum + run.replicaSeconds.mean, 0);
      return `${percent(violations)}, ${(cost / 1000).toFixed(0)}`;
    });
    return `| ${key} | ${cells.join(' | ')} |`;
  });
  return [
    'Mean of the violations of these loads, thousands of replica-seconds in sum.',
    [`| | ${places.join(' s | ')} s |`, `|---|${places.map(() => '---|').join('')}`, ...rows].join('\n'),
  ].join('\n\n');
}

/** Whoever has both fewer violations and fewer replica-seconds than ours has there. */
function dominationList({ points }: Report): string {
  const ours = points.filter(({ policy, variant }) => policy === OURS && variant === 'default');
  const lines = ours.flatMap((mine) =>
    points
      .filter(
        (point) =>
          point.policy !== OURS &&
          point.kind === mine.kind &&
          point.coldStartS === mine.coldStartS &&
          point.load === mine.load &&
          point.violations.mean < mine.violations.mean &&
          point.replicaSeconds.mean < mine.replicaSeconds.mean,
      )
      .map(
        (point) =>
          `* ${mine.kind}, ${mine.coldStartS} s, ${mine.load}: ${keyOf(point)} with ${share(point.violations)} at ${thousands(point.replicaSeconds)}, ours ${share(mine.violations)} at ${thousands(mine.replicaSeconds)}`,
      ),
  );
  return lines.length === 0 ? 'Nobody, on any load.' : lines.join('\n');
}

/** What of the cost is work, chance, cold start, and ours; seed 1 for the oracle, the mean of all for ours. */
function gapTable({ points, oracle }: Report): string {
  const rows = oracle
    .filter(({ coldStartS }) => coldStartS > 0)
    .map(({ kind, load, coldStartS, lowerBound, replicaSeconds }) => {
      const warm = oracle.find((one) => one.kind === kind && one.load === load && one.coldStartS === 0);
      const mine = points.find(
        (one) =>
          one.policy === OURS &&
          one.variant === 'default' &&
          one.kind === kind &&
          one.load === load &&
          one.coldStartS === coldStartS,
      );
      if (warm === undefined || mine === undefined) return '';
      const cells = [
        lowerBound,
        warm.replicaSeconds - lowerBound,
        replicaSeconds - warm.replicaSeconds,
        mine.replicaSeconds.mean - replicaSeconds,
      ].map((seconds) => (seconds / 1000).toFixed(1));
      return `| ${kind} | ${coldStartS} | ${load} | ${cells.join(' | ')} | ${(mine.replicaSeconds.mean / replicaSeconds).toFixed(2)} x | ${share(mine.violations)} |`;
    });
  return [
    '## The way to the oracle',
    'Thousands of replica-seconds: the work itself with all slots of every pod taken; what chance and the objective add for somebody who knows the future and waits for no pod (such slots are slow); what the cold start adds for him; what it costs not to know the future, ours.',
    [
      '| pods | cold start, s | load | work | objective and chance | cold start | ours | ours / oracle | violations |',
      '|---|---|---|---|---|---|---|---|---|',
      ...rows.filter((row) => row !== ''),
    ].join('\n'),
  ].join('\n\n');
}

function keyOf({ policy, variant, settings }: Pick<Point, 'policy' | 'settings'> & { variant: Variant }): string {
  if (policy !== OURS) return `${policy}, ${variant}`;
  const { percentile } = settings as { percentile: number };
  return variant === 'default' ? OURS : `${OURS}, ${percentile}%`;
}

function percent(value: number): string {
  return `${(100 * value).toFixed(2)}%`;
}

function share({ mean, ci95 }: Estimate): string {
  return `${(100 * mean).toFixed(2)}${Number.isNaN(ci95) ? '' : ` ± ${(100 * ci95).toFixed(2)}`}%`;
}

function thousands({ mean, ci95 }: Estimate): string {
  return `${(mean / 1000).toFixed(1)}${Number.isNaN(ci95) ? '' : ` ± ${(ci95 / 1000).toFixed(1)}`}`;
}
