/** What did the run show? Everything that must hold, each with what was found; pure, so that a report can be judged again. */
import { quantile } from '../../bench/serving/summary.ts';
import { type Account, accountOf } from '../e2e/support/account.ts';
import type { FaultRecord } from './chaos.ts';
import { type Allowance, type Growth, growthOf } from './flatness.ts';
import type { SoakRecord } from './soak-load.ts';
import { type Life, type ReplicaPoint, WATCHED, WATCHED_METRICS, type WatchedMetric } from './watch.ts';

export interface Findings {
  /** How many requests were to be sent. */
  readonly planned: number;
  readonly minutes: number;
  readonly records: readonly SoakRecord[];
  readonly faults: readonly FaultRecord[];
  readonly lives: readonly Life[];
  readonly replicas: readonly ReplicaPoint[];
  /** What was still going on, or not there, when all had been given time to come to rest; empty when all was well. */
  readonly unrest: readonly string[];
}

export interface Check {
  readonly what: string;
  readonly holds: boolean;
  readonly found: string;
}

export interface Latencies {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly longest: number;
}

export interface GrowthOfLife extends Growth {
  readonly name: string;
  readonly metric: WatchedMetric;
}

export interface Verdict {
  readonly passed: boolean;
  readonly account: Account;
  /** Requests that were asked a second time because their proxy was killed. */
  readonly askedAgain: number;
  /** Milliseconds from when a request was due until its last byte, of those that were answered. */
  readonly latencies: Latencies;
  /** How late the 99th of a hundred requests was sent: what the sender owes. */
  readonly lagP99: number;
  readonly growth: readonly GrowthOfLife[];
  readonly checks: readonly Check[];
}

/** What a process may grow by from the middle of its life to the end. */
export const ALLOWED: Readonly<Record<WatchedMetric, Allowance>> = {
  process_resident_memory_bytes: { share: 0.1, least: 16e6 },
  nodejs_heap_size_used_bytes: { share: 0.1, least: 8e6 },
  nodejs_external_memory_bytes: { share: 0.1, least: 8e6 },
  process_open_fds: { share: 0.1, least: 8 },
  nodejs_active_resources_total: { share: 0.1, least: 8 },
};

/** Who lived shorter is still warming up in the second half: this share of the run, or so long. */
const LONG_SHARE = 0.5;
const LONG_MS = 20 * 60_000;

/** Until then code is still being compiled and heaps find their size: memory may grow by so many times as much. */
const YOUNG_MS = 10 * 60_000;
const YOUNG_TIMES = 4;

export function verdictOf(findings: Findings): Verdict {
  const { records, faults, planned, unrest } = findings;
  const account = accountOf(records);
  const growth = growthsOf(findings);
  const growing = growth.filter(({ isFlat }) => !isFlat);
  const { asked, answered, refused, broken, failed } = account;
  const done = faults.filter(({ victim }) => victim !== '');
  const wrong = faults.filter(({ error }) => error !== undefined);
  const checks: Check[] = [
    {
      what: 'every request is accounted for',
      holds: asked === planned && answered + refused + broken + failed === planned && planned > 0,
      found: `${asked} of ${planned}`,
    },
    { what: 'no request failed', holds: failed === 0, found: `${failed} failed` },
    {
      what: 'faults were done, and undone',
      holds: done.length > 0 && wrong.length === 0,
      found: `${done.length} of ${faults.length} were; ${wrong.length} went wrong`,
    },
    {
      what: 'no process grew',
      holds: growth.length > 0 && growing.length === 0,
      found:
        growing.map(inWords).join('; ') ||
        `${growth.length} series of ${new Set(growth.map(({ name }) => name)).size} processes are flat`,
    },
    { what: 'all came to rest', holds: unrest.length === 0, found: unrest.join('; ') || 'nothing waits or runs' },
  ];
  return {
    passed: checks.every(({ holds }) => holds),
    account,
    askedAgain: records.filter(({ askedAgain }) => askedAgain > 0).length,
    latencies: latenciesOf(records),
    lagP99: quantile(
      records.map(({ lagMs }) => lagMs),
      0.99,
    ),
    growth,
    checks,
  };
}

/** What was going on while it was under way, for who looks for the cause. */
export function faultsDuring(record: SoakRecord, faults: readonly FaultRecord[]): FaultRecord[] {
  const endMs = record.dueMs + record.durationMs;
  return faults.filter(({ victim, fromMs, toMs }) => victim !== '' && fromMs <= endMs && toMs >= record.dueMs);
}

function growthsOf({ lives, minutes }: Findings): GrowthOfLife[] {
  const longMs = Math.min(LONG_MS, LONG_SHARE * minutes * 60_000);
  return lives.flatMap(({ name, points }) =>
    WATCHED_METRICS.flatMap((metric) => {
      const series = points[metric];
      const livedMs = series.length === 0 ? 0 : series.at(-1)!.atMs - series[0]!.atMs;
      if (livedMs < longMs) return [];
      const growth = growthOf(series, allowanceOf(metric, livedMs));
      return growth === undefined ? [] : [{ name, metric, ...growth }];
    }),
  );
}

function allowanceOf(metric: WatchedMetric, livedMs: number): Allowance {
  const { share, least } = ALLOWED[metric];
  if (livedMs >= YOUNG_MS || !isMemory(metric)) return { share, least };
  return { share: YOUNG_TIMES * share, least: YOUNG_TIMES * least };
}

function isMemory(metric: WatchedMetric): boolean {
  return metric.endsWith('_bytes');
}

function inWords({ name, metric, grown, allowed }: GrowthOfLife): string {
  return `${WATCHED[metric]} of ${name} by ${amount(metric, grown)}, allowed ${amount(metric, allowed)}`;
}

export function amount(metric: WatchedMetric, value: number): string {
  return isMemory(metric) ? `${(value / 1e6).toFixed(1)} MB` : value.toFixed(1);
}

function latenciesOf(records: readonly SoakRecord[]): Latencies {
  const times = records.filter(({ outcome }) => outcome === 'answered').map(({ durationMs }) => durationMs);
  const [p50, p95, p99, longest] = [0.5, 0.95, 0.99, 1].map((q) => Math.round(quantile(times, q))) as [
    number,
    number,
    number,
    number,
  ];
  return { p50, p95, p99, longest };
}
