/** What do people read of the comparison? results.md. */
import type { Estimate } from '@ragscale/scaling/simulator/repeat';
import {
  aggregatesAt,
  atEqualViolations,
  type EqualViolations,
  isAt,
  keyOf,
  movingLoads,
  OURS,
  type Place,
  placesOf,
} from './comparison.ts';
import type { EqualCost } from './frontier.ts';
import { gapsAt } from './gap.ts';
import type { Report } from './report.ts';

export function tablesOf(report: Report): string {
  const { settings } = report;
  const places = placesOf(report);
  return `${[
    `An answer is good within ${settings.objectiveMs / 1000} s; means of ${settings.seeds.length} seeds with 95% confidence intervals; the objective of ragscale is 95% within it where no other is named. Tuned: the setting with the fewest replica-seconds at no more than ${percent(settings.allowed)} of violations over all loads that are not steady together, in seeds of its own; fitted: the same for this load alone.`,
    settings.loads.map(({ name, about }) => `* **${name}**: ${about}`).join('\n'),
    '## Cost at equal violations',
    `Over the loads that are not steady together. Ours at as many violations is interpolated between its percentiles on the logarithm of the violations; where none fails as many or as few, the nearest counts (> : ours would cost more; < : less). Over the oracle: the mean over the loads of the cost by the oracle's (${percent(settings.allowed)} of violations, seeds ${settings.oracleSeeds.join(', ')}).`,
    ...places.map((place) => equalTable(report, place)),
    '## In aggregate over the loads that are not steady',
    aggregateTable(report, places),
    '## Who is better in both',
    dominationList(report),
    ...places.map((place) => placeTable(report, place)),
    ...(report.oracle.length > 0 ? [gapSection(report, places)] : []),
    ...(report.proxies.length > 0 ? [proxySection(report, places)] : []),
  ].join('\n\n')}\n`;
}

function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(heading), `|${heading.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

function equalTable(report: Report, place: Place): string {
  const rows = atEqualViolations(report, place).map((one) => {
    const ratio = one.replicaSeconds / one.oursCost.cost;
    return [
      one.key,
      percent(one.violations),
      inThousands(one.replicaSeconds),
      bounded(one.oursCost, inThousands),
      `${ratio.toFixed(2)} x`,
      one.overOracle?.toFixed(2) ?? '',
      one.oursOverOracle === undefined ? '' : bounded(one.oursOverOracle, (cost) => cost.toFixed(2)),
      cheaperOf(one),
    ];
  });
  const heading = ['', 'fails', 'cost', 'ours at as many', 'theirs / ours', 'over the oracle', 'ours', 'cheaper'];
  return [`### ${nameOf(place)}`, table(heading, rows)].join('\n\n');
}

/** Where ours does not fail as few, or as many, it is not always known. */
function cheaperOf({ policy, replicaSeconds, oursCost: { cost, beyond } }: EqualViolations): string {
  const isOurs = cost < replicaSeconds;
  if ((isOurs && beyond === 'more careful') || (!isOurs && beyond === 'more careless')) return '';
  return isOurs ? OURS : policy;
}

function bounded({ cost, beyond }: EqualCost, show: (cost: number) => string): string {
  return `${beyond === undefined ? '' : beyond === 'more careful' ? '> ' : '< '}${show(cost)}`;
}

function aggregateTable(report: Report, places: readonly Place[]): string {
  const all = places.map((place) => aggregatesAt(report, place));
  const keys = [...new Set(all.flat().map(({ key }) => key))];
  const rows = keys.map((key) => [
    key,
    ...all.map((aggregates) => {
      const one = aggregates.find((each) => each.key === key);
      return one === undefined ? '' : `${percent(one.violations)}, ${inThousands(one.replicaSeconds)}`;
    }),
  ]);
  return [
    'Violations by requests, thousands of replica-seconds in sum.',
    table(['', ...places.map(nameOf)], rows),
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
          isAt(mine)(point) &&
          point.load === mine.load &&
          point.violations.mean < mine.violations.mean &&
          point.replicaSeconds.mean < mine.replicaSeconds.mean,
      )
      .map(
        (point) =>
          `* ${nameOf(mine)}, ${mine.load}: ${keyOf(point)} with ${share(point.violations)} at ${thousands(point.replicaSeconds)}, ours ${share(mine.violations)} at ${thousands(mine.replicaSeconds)}`,
      ),
  );
  return lines.length === 0 ? 'Nobody, on any load.' : lines.join('\n');
}

function placeTable({ points, oracle, settings }: Report, place: Place): string {
  const here = points.filter(isAt(place));
  const names = settings.loads.map(({ name }) => name);
  const keys = [...new Set(here.filter(({ variant }) => variant !== 'other').map(keyOf))];
  const rows = keys.map((key) => [
    key,
    ...names.map((load) => {
      const point = here.find((one) => one.load === load && keyOf(one) === key);
      return point === undefined ? '' : `${share(point.violations)}, ${thousands(point.replicaSeconds)}`;
    }),
  ]);
  const plans = names.map((load) => {
    const plan = oracle.filter(isAt(place)).find((one) => one.load === load);
    return plan === undefined ? '' : `${percent(plan.violations)}, ${inThousands(plan.replicaSeconds)}`;
  });
  if (plans.some((plan) => plan !== '')) rows.push([`oracle (seeds ${settings.oracleSeeds.join(', ')})`, ...plans]);
  return [`## Pods: ${nameOf(place)}`, 'Violations, thousands of replica-seconds.', table(['', ...names], rows)].join(
    '\n\n',
  );
}

function gapSection(report: Report, places: readonly Place[]): string {
  const rows = places.flatMap((place) =>
    gapsAt(report, place).map(({ load, work, oracle, ours, violations, ...parts }) => [
      nameOf(place),
      load,
      inThousands(work),
      inThousands(oracle),
      inThousands(parts.requestsKnown),
      inThousands(parts.coldStart),
      inThousands(parts.failsFewer),
      inThousands(parts.rest),
      inThousands(ours),
      `${(ours / oracle).toFixed(2)} x`,
      percent(violations),
    ]),
  );
  const heading = [
    'pods',
    'load',
    'work',
    'oracle',
    'requests known',
    'cold start',
    'fails fewer',
    'the rest',
    'ours',
    'ours / oracle',
    'violations',
  ];
  return [
    '## The way from the oracle to ours',
    [
      `Thousands of replica-seconds, in the oracle's seeds; the four between its cost and ours sum up to the difference; chance may make one negative.`,
      '* **work**: no schedule costs less; every slot of every pod taken all the time, and the largest requests failed',
      `* **oracle**: somebody who knows every request, at ${percent(report.settings.allowed)} of violations`,
      '* **requests known**: what it saves to know every request over knowing the rate ahead (the cheapest schedule in proportion to the rate, with a reserve), both with pods that are able at once',
      '* **cold start**: what ours would save with pods that are able at once, beyond what the oracle would',
      '* **fails fewer**: what ours pays for failing fewer than the oracle does, or saves by failing more',
      '* **the rest**: to learn what the load and the pods are, caution, holding on to replicas',
    ].join('\n'),
    table(heading, rows),
  ].join('\n\n');
}

function proxySection(report: Report, places: readonly Place[]): string {
  const names = [...new Set(report.proxies.map(({ proxies }) => proxies))];
  const rows = names.map((name) => [
    name,
    ...places.map((place) => {
      const runs = report.proxies.filter(isAt(place)).filter(({ proxies }) => proxies === name);
      if (runs.length === 0) return '';
      const requests = runs.reduce((sum, run) => sum + run.requests, 0);
      const failed = runs.reduce((sum, run) => sum + run.violations * run.requests, 0);
      const cost = runs.reduce((sum, run) => sum + run.replicaSeconds, 0);
      return `${percent(failed / requests)}, ${inThousands(cost)}`;
    }),
  ]);
  return [
    '## What two proxies and round robin cost',
    `Ours, 95% within the objective, over the ${movingLoads(report).size} loads that are not steady, in the oracle's seeds: violations, thousands of replica-seconds. The law computes with one line before all pods; one-line.md has the same for a fixed number of pods.`,
    table(['', ...places.map(nameOf)], rows),
  ].join('\n\n');
}

function nameOf({ kind, coldStartS }: Place): string {
  return `${kind}, cold start ${coldStartS} s`;
}

function percent(value: number): string {
  return `${(100 * value).toFixed(2)}%`;
}

function inThousands(value: number): string {
  return (value / 1000).toFixed(1);
}

function share({ mean, ci95 }: Estimate): string {
  return `${(100 * mean).toFixed(2)}${Number.isFinite(ci95) ? ` ± ${(100 * ci95).toFixed(2)}` : ''}%`;
}

function thousands({ mean, ci95 }: Estimate): string {
  return `${(mean / 1000).toFixed(1)}${Number.isFinite(ci95) ? ` ± ${(ci95 / 1000).toFixed(1)}` : ''}`;
}
