/**
 * What does k6 count, and under which tags? It keeps the values of a tag apart only where a threshold names the tag, and shows no others in its
 * summary. So everything that the report says of a stage, a window or an outcome is named here, with no condition.
 */
import { OUTCOMES, REASONS } from './outcome.ts';
import { PARTS } from './server-timing.ts';

/** Names of the metrics, as k6's other outputs (a Prometheus, a CSV) show them too. */
export const METRICS = {
  /** Of each request that was answered: from its sending to its last byte, in milliseconds. */
  duration: 'answer_duration',
  firstToken: 'time_to_first_token',
  /** By the server's own account: `part` says of what. */
  serverTime: 'server_time',
  outcomes: 'request_outcomes',
  good: 'good_answers',
  /** How much later than planned a request left. */
  lag: 'arrival_lag_ms',
  /** Requests for which no virtual user was free when they were due. */
  late: 'late_arrivals',
  /** Seen by each request when it left, itself included. */
  inFlight: 'requests_in_flight',
  /** From the start of a stage to the end of each of its requests, in milliseconds. */
  elapsed: 'stage_elapsed',
  /** Requests of earlier stages that were under way when a stage began. */
  carriedOver: 'carried_over',
} as const;

/** Shares of the answers, in percent, whose latency the report knows: enough to draw how it is distributed. */
export const PERCENTILES: readonly number[] = [
  1, 2, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90, 92, 94, 95, 96, 97, 98, 98.5, 99, 99.5,
  99.9,
];

export const TREND_STATS: readonly string[] = [
  'avg',
  'min',
  'max',
  'count',
  ...PERCENTILES.map((share) => `p(${share})`),
];

export const STATUSES: readonly number[] = [0, 200, 400, 401, 404, 405, 408, 413, 415, 429, 431, 500, 502, 503, 504];

/** `name{tag:value,...}`: how k6 calls the values of some tags. */
export function tagged(metric: string, tags: Readonly<Record<string, string | number>>): string {
  return `${metric}{${Object.entries(tags)
    .map(([tag, value]) => `${tag}:${value}`)
    .join(',')}}`;
}

/** Every metric with tags that the report reads. */
export function taggedMetrics(stages: number, windows: number): string[] {
  const { duration, firstToken, serverTime, outcomes, good, elapsed, carriedOver } = METRICS;
  const perStage = range(stages).flatMap((stage) => [
    ...[duration, firstToken, good, elapsed, carriedOver].map((metric) => tagged(metric, { stage })),
    ...PARTS.map((part) => tagged(serverTime, { part, stage })),
    ...OUTCOMES.map((outcome) => tagged(outcomes, { outcome, stage })),
  ]);
  const perWindow = range(windows).flatMap((window) => [
    tagged(duration, { window }),
    ...OUTCOMES.map((outcome) => tagged(outcomes, { outcome, window })),
  ]);
  const ofAll = [
    ...PARTS.map((part) => tagged(serverTime, { part })),
    ...OUTCOMES.flatMap((outcome) => [
      tagged(outcomes, { outcome }),
      ...REASONS.map((reason) => tagged(outcomes, { outcome, reason })),
    ]),
    ...STATUSES.map((status) => tagged(outcomes, { status })),
  ];
  return [...perStage, ...perWindow, ...ofAll];
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
