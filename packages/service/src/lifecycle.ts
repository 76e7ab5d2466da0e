/** Where a process stands between start and end, and what it may accept there. */

/** `leaving`: readiness fails, so that nobody sends more, but what comes is still answered. */
export type LifecycleState = 'starting' | 'ready' | 'leaving' | 'draining';

const ORDER: readonly LifecycleState[] = ['starting', 'ready', 'leaving', 'draining'];

/** Moves forward only. Counts what is in flight, so that the end can wait for it. */
export class Lifecycle {
  #state: LifecycleState = 'starting';
  #inFlight = 0;
  #whenIdle: (() => void)[] = [];

  get state(): LifecycleState {
    return this.#state;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Later states win: a pod told to leave while it starts never becomes ready. */
  advance(state: LifecycleState): void {
    if (ORDER.indexOf(state) > ORDER.indexOf(this.#state)) this.#state = state;
  }

  /** Runs `work` and counts it until it settles. */
  async track<T>(work: () => Promise<T>): Promise<T> {
    this.begin();
    try {
      return await work();
    } finally {
      this.end();
    }
  }

  /** Counts one more in flight; to each belongs one `end`. */
  begin(): void {
    this.#inFlight += 1;
  }

  end(): void {
    this.#inFlight -= 1;
    if (this.#inFlight === 0) for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** Resolves once nothing is in flight. */
  idle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }
}
