/** What did the requests of a chaos run come to, by kind? */
import { quantile } from '../../serving/summary.ts';
import type { ChaosRecord } from './run-chaos.ts';
import { type ChaosEvent, FAULTS, type Fault } from './schedule.ts';

export interface ChaosCounts {
  readonly requests: number;
  readonly answered: number;
  /** By status, of those that ended with another one than 200. */
  readonly statuses: Readonly<Record<string, number>>;
  /** The connection broke: before a status came, or within an answer that is no stream. */
  readonly reset: number;
  readonly timeouts: number;
  /** Streams that broke without an `error` event, and those that ended with one. */
  readonly brokenStreams: number;
  readonly errorEvents: number;
  /**
   * Failures of requests whose answer had not begun: another pod could have answered them, since one in good order was always there.
   * Of what fails else, the pod was lost in the middle of a stream.
   */
  readonly avoidable: number;
  /** Streams that had begun and did not end, without a word of it. */
  readonly lostSilently: number;
  /** Failures, streams that ended with an `error` event among them, by what was going on when the request was due. */
  readonly byFault: Readonly<Record<Fault | 'none', number>>;
  /** Milliseconds to the whole answer of those that are no streams and were answered. */
  readonly p50: number;
  readonly p99: number;
  readonly longestMs: number;
}

/** A failure belongs to the fault that was there when its request was due, or began before it ended. */
export function countOutcomes(records: readonly ChaosRecord[], events: readonly ChaosEvent[]): ChaosCounts {
  const having = (...endings: ChaosRecord['ending'][]) => records.filter(({ ending }) => endings.includes(ending));
  const failed = records.filter(({ ending }) => ending !== 'answered');
  const statuses = Map.groupBy(having('status'), ({ status }) => status);
  const whole = having('answered').filter(({ stream }) => !stream);
  const times = whole.map(({ dueMs, endMs }) => endMs - dueMs);
  const during = Map.groupBy(failed, (record) => faultOf(record, events) ?? 'none');
  return {
    requests: records.length,
    answered: records.length - failed.length,
    statuses: Object.fromEntries([...statuses].map(([status, of]) => [status, of.length])),
    reset: having('reset', 'cut').length,
    timeouts: having('timeout').length,
    brokenStreams: having('broken-stream').length,
    errorEvents: having('error-event').length,
    avoidable: failed.filter(({ began }) => !began).length,
    lostSilently: failed.filter(({ began, ending }) => began && ending !== 'error-event').length,
    byFault: Object.fromEntries(
      [...FAULTS, 'none' as const].map((fault) => [fault, during.get(fault)?.length ?? 0]),
    ) as ChaosCounts['byFault'],
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    longestMs: times.reduce((longest, ms) => Math.max(longest, ms), 0),
  };
}

/** How long after its end a fault still tells: a pod that was asked to leave ends, and one that starts is found. */
const AFTERMATH_MS = 1000;

function faultOf({ dueMs, endMs }: ChaosRecord, events: readonly ChaosEvent[]): Fault | undefined {
  return events.find(({ fromMs, toMs }) => dueMs <= toMs + AFTERMATH_MS && endMs >= fromMs)?.fault;
}
