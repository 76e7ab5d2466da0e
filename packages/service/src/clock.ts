/** What time is it, and how long is waited? Handed in, so that tests move it by hand. */
import { setTimeout as delay } from 'node:timers/promises';

export interface Clock {
  /** Milliseconds; only differences count. */
  now(): number;
  /** Resolves after `ms`, or at once when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const realClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, { signal }).catch(() => undefined),
};

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/**
 * The pause before another attempt: doubled from 0.5 s to 30 s, and of that between half and all, so that many clients of a
 * server that comes back do not ask in step.
 * @param failures how many attempts failed in a row, from 1
 * @param random from 0 to 1
 */
export function pauseMs(failures: number, random: number): number {
  const full = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 16));
  return full * (0.5 + random / 2);
}
