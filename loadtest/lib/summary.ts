/** How does what k6 counted become the report of a run? */
import { METRICS, PERCENTILES, STATUSES, tagged } from './measures.ts';
import { OUTCOMES, REASONS } from './outcome.ts';
import { type Latency, type Outcomes, type Outline, type Report, type Result, sumOf } from './report.ts';
import { PARTS } from './server-timing.ts';
import type { Settings } from './settings.ts';
import type { Windows } from './windows.ts';

/** What k6 hands to `handleSummary`, as far as it is read here. */
export interface SummaryData {
  readonly state: { readonly testRunDurationMs: number };
  readonly metrics: Readonly<
    Record<
      string,
      {
        readonly values: Readonly<Record<string, number>>;
        readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>>;
      }
    >
  >;
}

export interface RunParts {
  readonly test: string;
  readonly settings: Settings;
  readonly outline: Outline;
  readonly windows: Windows;
  readonly data: SummaryData;
  readonly now: Date;
}

export function reportOf({ test, settings, outline, windows, data, now }: RunParts): Report {
  const { apiKey: _secret, ...shown } = settings;
  const values = (name: string) => data.metrics[name]?.values ?? {};
  const count = (name: string) => values(name).count ?? 0;
  const resultOf = (tags: Readonly<Record<string, number>>): Result => ({
    outcomes: outcomesOf(count, tags),
    good: count(keyOf(METRICS.good, tags)),
    latency: latencyOf(values(keyOf(METRICS.duration, tags))),
    firstToken: latencyOf(values(keyOf(METRICS.firstToken, tags))),
    serverTimeMs: Object.fromEntries(
      PARTS.flatMap((part) => {
        const mean = values(tagged(METRICS.serverTime, { part, ...tags })).avg;
        return mean === undefined || count(tagged(METRICS.serverTime, { part, ...tags })) === 0 ? [] : [[part, mean]];
      }),
    ),
  });
  const total = resultOf({});
  const sent = sumOf(total.outcomes);
  const thresholds = Object.entries(data.metrics).flatMap(([metric, { thresholds: conditions = {} }]) =>
    Object.entries(conditions).map(([condition, { ok }]) => ({ metric, condition, holds: ok })),
  );
  return {
    format: 'ragscale-loadtest/1',
    test,
    name: settings.name,
    target: settings.target,
    endedAt: now.toISOString(),
    ranS: data.state.testRunDurationMs / 1000,
    settings: shown,
    stages: outline.stages.map((stage, index) => {
      const result = resultOf({ stage: index });
      const elapsedMs = values(tagged(METRICS.elapsed, { stage: index })).max ?? 0;
      return {
        name: stage.name,
        rate: stage.rate,
        startS: stage.startMs / 1000,
        planned: stage.requests,
        throughput: elapsedMs > 0 ? (1000 * result.outcomes.answered) / elapsedMs : 0,
        carriedOver: values(tagged(METRICS.carriedOver, { stage: index })).max ?? 0,
        ...result,
      };
    }),
    total: { planned: outline.requests, sent, ...total },
    reasons: OUTCOMES.flatMap((outcome) =>
      REASONS.map((reason) => ({ outcome, reason, count: count(tagged(METRICS.outcomes, { outcome, reason })) })),
    ).filter((row) => row.count > 0),
    statuses: STATUSES.map((status) => ({ status, count: count(tagged(METRICS.outcomes, { status })) })).filter(
      (row) => row.count > 0,
    ),
    windows: {
      lengthS: windows.lengthMs / 1000,
      rows: Array.from({ length: windows.count }, (_, window) => {
        const { p50, p95, p99 } = latencyOf(values(tagged(METRICS.duration, { window })));
        return { atS: (window * windows.lengthMs) / 1000, outcomes: outcomesOf(count, { window }), p50, p95, p99 };
      }),
    },
    generator: {
      virtualUsers: outline.virtualUsers,
      mostInFlight: values(METRICS.inFlight).max ?? 0,
      late: count(METRICS.late),
      dropped: outline.requests - sent,
      lagMs: latencyOf(values(METRICS.lag)),
      variation: outline.variation,
    },
    thresholds,
    passed: thresholds.every(({ holds }) => holds) && sent === outline.requests,
  };
}

function keyOf(metric: string, tags: Readonly<Record<string, number>>): string {
  return Object.keys(tags).length === 0 ? metric : tagged(metric, tags);
}

function outcomesOf(count: (name: string) => number, tags: Readonly<Record<string, number>>): Outcomes {
  const numbers = OUTCOMES.map((outcome) => [outcome, count(tagged(METRICS.outcomes, { outcome, ...tags }))]);
  return Object.fromEntries(numbers) as Outcomes;
}

function latencyOf(values: Readonly<Record<string, number>>): Latency {
  const count = values.count ?? 0;
  const at = (name: string): number | null => (count === 0 ? null : (values[name] ?? null));
  return {
    count,
    mean: at('avg'),
    p50: at('p(50)'),
    p95: at('p(95)'),
    p99: at('p(99)'),
    max: at('max'),
    distribution:
      count === 0
        ? []
        : [
            [0, values.min!],
            ...PERCENTILES.map((percent) => [percent, values[`p(${percent})`]!] as const),
            [100, values.max!],
          ],
  };
}
