/** The pictures of results.json: `node --conditions=source bench/autoscaling/draw.ts` draws them again. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { writeChart } from '../lib/chart.ts';
import { aggregatesAt, isAt, movingLoads, OURS, placesOf } from './comparison.ts';
import type { Report } from './report.ts';

const COLORS = {
  ragscale: '#d62728',
  hpa: '#1f77b4',
  keda: '#17becf',
  kpa: '#2ca02c',
  ray: '#9467bd',
  seed: '#8c564b',
  static: '#7f7f7f',
  oracle: '#000000',
} as const;
const COLOR_SCALE = { domain: Object.keys(COLORS), range: Object.values(COLORS) };
/** On a logarithmic axis none has a place too. */
const LEAST_SHARE = 1e-5;

/** Who fails more is not in the picture: it is no way to run a service, and cheap. */
const MOST_SHARE = 0.3;
const TOGETHER = 'together, but for steady';

/** Violations against replica-seconds, a panel for each load and one for them together: left and low is better. */
export async function drawPareto(report: Report, file: string): Promise<void> {
  const { points, oracle, settings } = report;
  const place = placesOf(report).find(({ coldStartS }) => coldStartS === 30) ?? placesOf(report)[0]!;
  const moving = movingLoads(report);
  const planned = oracle.filter(isAt(place));
  const plans = planned.filter(({ load }) => moving.has(load));
  const sum = (read: (plan: (typeof plans)[number]) => number) => plans.reduce((total, plan) => total + read(plan), 0);
  const values = [
    ...aggregatesAt(report, place).map((one) => ({ ...one, load: TOGETHER })),
    ...points.filter(isAt(place)).map(({ violations, replicaSeconds, ...one }) => ({
      ...one,
      violations: violations.mean,
      replicaSeconds: replicaSeconds.mean,
    })),
    ...planned.map((plan) => ({ ...plan, policy: 'oracle', variant: 'default' })),
    ...(plans.length === 0
      ? []
      : [
          {
            load: TOGETHER,
            policy: 'oracle',
            variant: 'default',
            violations: sum(({ violations }) => violations) / plans.length,
            replicaSeconds: sum(({ replicaSeconds }) => replicaSeconds),
          },
        ]),
  ]
    .filter(({ violations }) => violations <= MOST_SHARE)
    .map(({ load, policy, variant, violations, replicaSeconds }) => ({
      load,
      policy,
      variant,
      violations: Math.max(LEAST_SHARE, violations),
      replicaSeconds: replicaSeconds / 1000,
    }));
  const x = {
    field: 'replicaSeconds',
    type: 'quantitative',
    title: 'thousands of replica-seconds',
    scale: { type: 'log', nice: false, padding: 12 },
  } as const;
  const y = {
    field: 'violations',
    type: 'quantitative' as const,
    title: 'violations',
    scale: { type: 'log' as const, domain: [LEAST_SHARE, 1] },
    axis: { format: '~%', values: [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1] },
  };
  await writeChart(file, {
    title: {
      text: 'Requests that were not good, and what it cost',
      subtitle: `${place.kind} pods, cold start ${place.coldStartS} s, objective ${settings.objectiveMs / 1000} s; left and low is better; the red line: ours with other percentiles; none at all is drawn at 0.001%, over ${100 * MOST_SHARE}% is left out; dashes at ${100 * settings.allowed}%`,
      anchor: 'start',
    },
    data: { values },
    columns: 4,
    facet: { field: 'load', type: 'nominal', sort: [TOGETHER, ...settings.loads.map(({ name }) => name)], title: null },
    resolve: { scale: { x: 'independent' } },
    spec: {
      width: 230,
      height: 220,
      layer: [
        {
          mark: { type: 'rule', strokeDash: [4, 4], color: '#999999' },
          encoding: { y: { datum: settings.allowed, type: 'quantitative' } },
        },
        {
          transform: [{ filter: `datum.policy === '${OURS}'` }],
          mark: { type: 'line', color: COLORS.ragscale, strokeWidth: 1 },
          encoding: { x, y, order: { field: 'replicaSeconds', type: 'quantitative' } },
        },
        {
          mark: { type: 'point', filled: true, size: 60, opacity: 0.75 },
          encoding: {
            x,
            y,
            color: { field: 'policy', type: 'nominal', title: null, scale: COLOR_SCALE },
            shape: {
              field: 'variant',
              type: 'nominal',
              title: null,
              scale: {
                domain: ['default', 'tuned', 'fitted', 'other'],
                range: ['circle', 'square', 'diamond', 'triangle-up'],
              },
            },
          },
        },
      ],
    },
  });
}

/** Load, replicas and latency of each policy, one below the other. */
export async function drawTimelines({ timelines, settings }: Report, file: string): Promise<void> {
  const values = timelines.flatMap(({ policy, samples }) =>
    samples.map(({ atMs, arrivalRate, ready, existing, p95Ms }) => ({
      policy,
      minutes: atMs / 60_000,
      arrivalRate,
      ready,
      existing,
      seconds: Number.isFinite(p95Ms) ? p95Ms / 1000 : null,
    })),
  );
  const width = 1200 / Math.max(1, timelines.length);
  const x = { field: 'minutes', type: 'quantitative', title: 'minutes' } as const;
  const line = (field: string, color: string, title: string) =>
    ({
      mark: { type: 'line', color, strokeWidth: 1 },
      encoding: { x, y: { field, type: 'quantitative', title } },
    }) as const;
  const panel = (layer: object[]) =>
    ({
      facet: { field: 'policy', type: 'nominal', title: null, sort: Object.keys(COLORS) },
      columns: 7,
      spec: { width, height: 110, layer },
    }) as const;
  await writeChart(file, {
    title: {
      text: `${settings.loads[0]?.name}: load, replicas, latency`,
      subtitle:
        'the others as tuned; requests a second; replicas that cost (pale) and that are able; seconds within which 95% of the answers came in each 15 s',
      anchor: 'start',
    },
    data: { values },
    vconcat: [
      panel([line('arrivalRate', '#444444', 'requests/s')]),
      panel([line('existing', '#f2a0a1', 'replicas'), line('ready', '#d62728', 'replicas')]),
      panel([
        line('seconds', '#1f77b4', 'p95, s'),
        {
          mark: { type: 'rule', strokeDash: [4, 4], color: '#999999' },
          encoding: { y: { datum: settings.objectiveMs / 1000, type: 'quantitative' } },
        },
      ]),
    ],
  } as Parameters<typeof writeChart>[1]);
}

if (import.meta.main) {
  const file = (name: string) => path.join(import.meta.dirname, name);
  const report = JSON.parse(readFileSync(file('results.json'), 'utf8')) as Report;
  await drawPareto(report, file('pareto.svg'));
  await drawTimelines(report, file('timeline.svg'));
}
