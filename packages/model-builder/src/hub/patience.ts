/** How often, and after how long, is a request that failed tried again? */
import { type HubError, PassingFailure } from './hub-error.ts';

/** Failures in a row, without a single new byte between them, after which it is over. */
const ATTEMPTS = 5;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;
/** A server that wants to be left alone for longer is told to the person instead of waited for. The hub's windows are 5 minutes. */
const LONGEST_RETRY_AFTER_MS = 300_000;

export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

export class Patience {
  readonly #sleep: Sleep;
  readonly #random: () => number;
  #failures = 0;

  constructor(sleep: Sleep, random: () => number = Math.random) {
    this.#sleep = sleep;
    this.#random = random;
  }

  /** Something arrived: failures are counted from the beginning. */
  renew(): void {
    this.#failures = 0;
  }

  /**
   * Waits before the next attempt: what the server asked for, or twice as long each time, less up to a half at random.
   * @throws HubError of the failure when there is to be no other attempt; anything but a passing failure as it is
   */
  async after(failure: unknown, signal?: AbortSignal): Promise<void> {
    if (!(failure instanceof PassingFailure)) throw failure;
    this.#failures++;
    const { lasting, retryAfterMs } = failure;
    if (this.#failures >= ATTEMPTS || (retryAfterMs ?? 0) > LONGEST_RETRY_AFTER_MS) throw lasting satisfies HubError;
    const doubled = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.#failures - 1));
    await this.#sleep(retryAfterMs ?? doubled * (1 - this.#random() / 2), signal);
  }
}
