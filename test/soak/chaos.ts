/** How is a schedule carried out? Each fault at its time, undone at its end; what came of it is written down, also where nothing could be done. */
import { setTimeout as delay } from 'node:timers/promises';
import type { FaultKind } from './faults.ts';
import type { PlannedFault } from './schedule.ts';
import type { Begun, System } from './system.ts';

export interface FaultRecord {
  readonly kind: FaultKind;
  /** Milliseconds from the start of the load. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Empty where nothing was done. */
  readonly victim: string;
  /** Why nothing was done; undefined where it was. */
  readonly leftOut?: string;
  /** What went wrong while it was done or undone: the soak's own failure. */
  readonly error?: string;
}

export interface Chaos {
  readonly system: System;
  /** By `performance.now()`. */
  readonly start: number;
  readonly onFault: (record: FaultRecord) => void;
  /** Just before a proxy is killed: who is in the middle of an answer of it is to know. */
  readonly onProxyKilled: () => void;
  /** Ends it early: what has begun is undone at once, and no more begins. */
  readonly signal: AbortSignal;
}

/** Resolves when the last is undone. */
export async function carryOut(schedule: readonly PlannedFault[], chaos: Chaos): Promise<void> {
  await Promise.all(schedule.map((planned) => carryOutOne(planned, chaos)));
}

async function carryOutOne({ kind, fromMs, toMs, draw }: PlannedFault, chaos: Chaos): Promise<void> {
  const { system, start, onFault, onProxyKilled, signal } = chaos;
  const until = (ms: number) =>
    delay(Math.max(0, start + ms - performance.now()), undefined, { signal }).catch(() => undefined);
  const now = () => Math.round(performance.now() - start);
  await until(fromMs);
  if (signal.aborted) return;
  const from = now();
  let begun: Begun;
  try {
    if (kind === 'kill-proxy') onProxyKilled();
    const outcome = await system.begin(kind, draw);
    if ('because' in outcome) return onFault({ kind, fromMs: from, toMs: from, victim: '', leftOut: outcome.because });
    begun = outcome;
  } catch (error) {
    return onFault({ kind, fromMs: from, toMs: now(), victim: '', error: inWords(error) });
  }
  await until(toMs);
  const record = { kind, fromMs: from, victim: begun.victim };
  try {
    await begun.undo?.();
    onFault({ ...record, toMs: now() });
  } catch (error) {
    onFault({ ...record, toMs: now(), error: `not undone: ${inWords(error)}` });
  }
}

function inWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
