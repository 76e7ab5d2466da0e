/** What do the records of a run come to? Rates, quantiles, and how late the load itself was. */
import type { RequestRecord, Run, Window } from './load.ts';

export interface LatencySummary {
  readonly p50: number;
  readonly p95: number;
  /** Of fewer than 100 requests, the slowest. */
  readonly p99: number;
}

/** Times in milliseconds. */
export interface RunSummary {
  /** Requests that were due within the window, and those of them that got no complete answer. */
  readonly requests: number;
  readonly failures: number;
  readonly requestsPerSecond: number;
  readonly tokensPerSecond: number;
  readonly latency: LatencySummary;
  readonly firstToken: LatencySummary;
  /** How late the 99th of a hundred requests was sent. */
  readonly lagP99: number;
  readonly cpuSecondsPerRequest: number;
  /** Processors that programs with no part in the bench kept busy, at the mean. */
  readonly processorsTaken: number;
}

/** The smallest value that a share `q` of them do not exceed; NaN of nothing. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] ?? Number.NaN) + (sorted[Math.floor(half)] ?? Number.NaN)) / 2;
}

/**
 * Complete answers within the window, each counted by the share of its time that lies in it: answers that come in bursts, as from
 * a server that batches, are then no matter of where the window happens to begin.
 */
export function completedWithin(
  records: readonly RequestRecord[],
  { from, to }: Window,
  weight: (record: RequestRecord) => number = () => 1,
): number {
  let sum = 0;
  for (const record of records) {
    if (record.status !== 200) continue;
    const overlap = Math.min(record.doneAt, to) - Math.max(record.sentAt, from);
    if (overlap > 0) sum += (weight(record) * overlap) / (record.doneAt - record.sentAt);
  }
  return sum;
}

/** Several runs of one kind are one sample: their requests are put together, their rates averaged over time. */
export function summarize(runs: readonly Run[]): RunSummary {
  const due = runs.flatMap(({ records, window }) =>
    records.filter(({ dueAt }) => dueAt >= window.from && dueAt < window.to),
  );
  const answered = due.filter(({ status }) => status === 200);
  const total = (of: (run: Run) => number) => runs.reduce((sum, run) => sum + of(run), 0);
  const seconds = total(({ window }) => (window.to - window.from) / 1000);
  const completed = total(({ records, window }) => completedWithin(records, window));
  const tokens = total(({ records, window }) => completedWithin(records, window, (record) => record.tokens));
  return {
    requests: due.length,
    failures: due.length - answered.length,
    requestsPerSecond: completed / seconds,
    tokensPerSecond: tokens / seconds,
    latency: latencies(answered.map(({ dueAt, doneAt }) => doneAt - dueAt)),
    firstToken: latencies(answered.map(({ dueAt, firstTokenAt, doneAt }) => (firstTokenAt ?? doneAt) - dueAt)),
    lagP99: quantile(
      due.map(({ dueAt, sentAt }) => sentAt - dueAt),
      0.99,
    ),
    cpuSecondsPerRequest: total(({ cpu }) => cpu.server) / completed,
    processorsTaken: total(({ cpu }) => cpu.others) / seconds,
  };
}

function latencies(values: readonly number[]): LatencySummary {
  return { p50: quantile(values, 0.5), p95: quantile(values, 0.95), p99: quantile(values, 0.99) };
}
