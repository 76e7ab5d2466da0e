/** What happens between a termination signal and the end of the process. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lifecycle } from './lifecycle.ts';

export interface ShutdownSteps {
  readonly lifecycle: Lifecycle;
  /** How long readiness fails before new requests are refused: load balancers notice late. */
  readonly drainDelayMs: number;
  /** How long what is in flight may take after that. */
  readonly timeoutMs: number;
  /** Accept no more connections. */
  readonly stopListening: () => void;
  /** End what is still in flight after the timeout. */
  readonly abort: () => void;
  /** Free everything. */
  readonly close: () => Promise<void>;
}

/** Time for aborted requests to be answered. */
const ABORT_GRACE_MS = 1_000;

/**
 * Fails readiness, waits, refuses new work, finishes what is in flight, frees everything.
 * @returns how many requests had to be aborted
 */
export async function shutDown(steps: ShutdownSteps): Promise<number> {
  const { lifecycle } = steps;
  const wasStarting = lifecycle.state === 'starting';
  lifecycle.advance('leaving');
  if (!wasStarting && steps.drainDelayMs > 0) await sleep(steps.drainDelayMs);
  lifecycle.advance('draining');
  steps.stopListening();
  await within(steps.timeoutMs, lifecycle.idle());
  const aborted = lifecycle.inFlight;
  if (aborted > 0) {
    steps.abort();
    await within(ABORT_GRACE_MS, lifecycle.idle());
  }
  await steps.close();
  return aborted;
}

/** Calls `first` at the first SIGTERM or SIGINT and `second` at the next. */
export function onTermination(first: (signal: NodeJS.Signals) => void, second: () => void): void {
  let count = 0;
  const handle = (signal: NodeJS.Signals): void => {
    count += 1;
    if (count === 1) first(signal);
    else second();
  };
  process.on('SIGTERM', handle);
  process.on('SIGINT', handle);
}

async function within(limitMs: number, done: Promise<void>): Promise<void> {
  const timer = new AbortController();
  await Promise.race([done, sleep(limitMs, undefined, { signal: timer.signal }).catch(() => undefined)]);
  timer.abort();
}
