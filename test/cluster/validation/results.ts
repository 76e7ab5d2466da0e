/** What did the comparison find? The one value that is written as JSON, drawn and printed. */
import type { Measured } from './on-cluster.ts';
import * as settings from './settings.ts';
import type { Simulated } from './simulated.ts';

/** What was so at a time. */
export interface Timeline {
  readonly replicas: readonly {
    readonly minutes: number;
    /** That cost, ready or not. */
    readonly existing: number;
    readonly ready: number;
  }[];
  /** Seconds within which 95% of the answers came; none where nothing was answered. */
  readonly latency: readonly { readonly minutes: number; readonly p95: number }[];
}

export interface Results {
  readonly settings: {
    readonly minutes: number;
    readonly objectiveS: number;
    readonly percentile: number;
    readonly meanServiceMs: number;
    readonly slots: number;
    /** Of the cluster, mean; simulated with it. */
    readonly coldStartS: number;
    readonly initial: number;
  };
  readonly cluster: {
    readonly requests: number;
    readonly good: number;
    readonly goodShare: number;
    readonly outcomes: Measured['load']['total']['outcomes'];
    readonly replicaSeconds: number;
    readonly coldStartsS: readonly number[];
    readonly generatorPassed: boolean;
    readonly timeline: Timeline;
  };
  readonly simulator: Pick<Simulated, 'command' | 'replicaSeconds' | 'violations'> & {
    readonly timeline: Timeline;
  };
  /** Requests a second that came to both. */
  readonly arrivals: readonly { readonly minutes: number; readonly rate: number }[];
  /** Replica-seconds of the cluster by the simulator's. */
  readonly ratio: number;
}

const MINUTE_MS = 60_000;

export function resultsOf(
  { fleet, startedAt, load, replicaSeconds, coldStartsMs }: Measured,
  { command, violations, timeline, ...simulator }: Simulated,
  { minutes, initial, coldStartMs }: { minutes: number; initial: number; coldStartMs: number },
): Results {
  const { total, windows, generator, passed } = load;
  const lasts = minutes * MINUTE_MS;
  const seen = fleet.filter(({ at }) => at >= startedAt && at <= startedAt + lasts);
  return {
    settings: {
      minutes,
      objectiveS: settings.OBJECTIVE_S,
      percentile: settings.PERCENTILE,
      meanServiceMs: settings.MEAN_SERVICE_MS,
      slots: settings.SLOTS,
      coldStartS: rounded(coldStartMs / 1_000),
      initial,
    },
    cluster: {
      requests: total.planned,
      good: total.good,
      goodShare: total.good / total.planned,
      outcomes: total.outcomes,
      replicaSeconds: rounded(replicaSeconds),
      coldStartsS: coldStartsMs.map((ms) => ms / 1_000),
      generatorPassed: passed && generator.dropped === 0,
      timeline: {
        replicas: seen.map(({ at, existing, ready }) => ({ minutes: minutesOf(at - startedAt), existing, ready })),
        latency: windows.rows.flatMap(({ atS, p95 }) =>
          p95 === null ? [] : [{ minutes: minutesOf(1_000 * atS), p95: rounded(p95 / 1_000) }],
        ),
      },
    },
    simulator: {
      command,
      replicaSeconds: simulator.replicaSeconds,
      violations,
      timeline: {
        replicas: timeline.map(({ atMs, existing, ready }) => ({ minutes: minutesOf(atMs), existing, ready })),
        latency: timeline.flatMap(({ atMs, p95Ms }) =>
          Number.isFinite(p95Ms) ? [{ minutes: minutesOf(atMs), p95: rounded(p95Ms / 1_000) }] : [],
        ),
      },
    },
    arrivals: timeline.map(({ atMs, arrivalRate }) => ({ minutes: minutesOf(atMs), rate: rounded(arrivalRate) })),
    ratio: rounded(replicaSeconds / simulator.replicaSeconds.mean),
  };
}

const minutesOf = (ms: number) => rounded(ms / MINUTE_MS);

/** Three decimals are enough. */
const rounded = (value: number) => Math.round(1_000 * value) / 1_000;
