/** What became of the requests of a load, all together? */
import type { Reply } from './ask.ts';

export interface RequestRecord extends Reply {
  readonly streamed: boolean;
  /** Milliseconds of Unix time. */
  readonly dueAt: number;
  /** How much later it left: what the sender owes, not the system. */
  readonly lagMs: number;
  /** From when it was due until its last byte. */
  readonly durationMs: number;
}

export interface Account {
  readonly asked: number;
  readonly answered: number;
  readonly refused: number;
  /** Streams that began, and ended with an error event. */
  readonly broken: number;
  readonly failed: number;
  /** How often each reason was given, as `refused 429 queue_full`. */
  readonly reasons: Readonly<Record<string, number>>;
}

export function accountOf(records: readonly RequestRecord[]): Account {
  const count = (outcome: Reply['outcome']) => records.filter((record) => record.outcome === outcome).length;
  const reasons: Record<string, number> = {};
  for (const { outcome, status, reason, streamed } of records) {
    if (outcome === 'answered') continue;
    const words = `${outcome} ${status} ${reason}${streamed ? ' (stream)' : ''}`;
    reasons[words] = (reasons[words] ?? 0) + 1;
  }
  return {
    asked: records.length,
    answered: count('answered'),
    refused: count('refused'),
    broken: count('broken'),
    failed: count('failed'),
    reasons,
  };
}

/** Every one was answered, and there were some. */
export function allAnswered({ asked }: Account): Account {
  return { asked: Math.max(1, asked), answered: Math.max(1, asked), refused: 0, broken: 0, failed: 0, reasons: {} };
}

/** Share of the requests that were answered in time. @returns NaN of none */
export function goodShare(records: readonly RequestRecord[], withinMs: number): number {
  const good = records.filter(({ outcome, durationMs }) => outcome === 'answered' && durationMs <= withinMs);
  return good.length / records.length;
}
