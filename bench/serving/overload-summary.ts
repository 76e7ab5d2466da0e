/** What did an overload do? Per phase what was answered in time, and how soon after it answers were as fast as before. */
import type { RequestRecord, Window } from './load.ts';
import { quantile } from './summary.ts';

export interface PhaseSummary {
  /** Requests a second that were due in the phase. */
  readonly offered: number;
  /** Of these, per second of the phase: complete answers within the objective. */
  readonly goodput: number;
  /** How many ended with which status; 0 is no answer in time. */
  readonly statuses: Readonly<Record<number, number>>;
  /** Milliseconds of complete answers. */
  readonly p50: number;
  readonly p99: number;
  /** Milliseconds from sending a request to reading that it is refused (429). */
  readonly refusalP50: number;
  readonly refusalP99: number;
  /** The longest that any request took to end, however it did. */
  readonly longestMs: number;
}

export function summarizePhase(
  records: readonly RequestRecord[],
  { from, to }: Window,
  objectiveMs: number,
): PhaseSummary {
  const seconds = (to - from) / 1000;
  const due = records.filter(({ dueAt }) => dueAt >= from && dueAt < to);
  const answered = due.filter(({ status }) => status === 200).map(({ dueAt, doneAt }) => doneAt - dueAt);
  const refused = due.filter(({ status }) => status === 429).map(({ sentAt, doneAt }) => doneAt - sentAt);
  const counts = Map.groupBy(due, ({ status }) => status);
  return {
    offered: due.length / seconds,
    goodput: answered.filter((ms) => ms <= objectiveMs).length / seconds,
    statuses: Object.fromEntries([...counts].map(([status, of]) => [status, of.length])),
    p50: quantile(answered, 0.5),
    p99: quantile(answered, 0.99),
    refusalP50: quantile(refused, 0.5),
    refusalP99: quantile(refused, 0.99),
    longestMs: due.reduce((longest, { dueAt, doneAt }) => Math.max(longest, doneAt - dueAt), 0),
  };
}

/**
 * Milliseconds from `from` until the first of `inARow` requests, one after the other, that were all answered within `limitMs`;
 * undefined when that did not come about.
 */
export function recoveryMs(
  records: readonly RequestRecord[],
  from: number,
  limitMs: number,
  inARow: number,
): number | undefined {
  const after = records.filter(({ dueAt }) => dueAt >= from).toSorted((a, b) => a.dueAt - b.dueAt);
  let first: RequestRecord | undefined;
  let length = 0;
  for (const record of after) {
    const isGood = record.status === 200 && record.doneAt - record.dueAt <= limitMs;
    length = isGood ? length + 1 : 0;
    if (length === 1) first = record;
    if (length === inARow) return first!.dueAt - from;
  }
  return undefined;
}
