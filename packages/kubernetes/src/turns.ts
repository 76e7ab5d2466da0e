/** Who may go on, when only so many may at once? First come, first served. */

export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** @param atOnce how many may go on at once */
  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  /**
   * Runs `work` when it is its turn.
   * @throws the signal's reason when it is aborted before; whatever `work` throws
   */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#turn(signal);
    try {
      return await work();
    } finally {
      this.#pass();
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    const turn = Promise.withResolvers<void>();
    const leave = (): void => {
      const place = this.#waiting.indexOf(turn.resolve);
      // Not there: its turn has come, and whoever waited passes it on.
      if (place >= 0) this.#waiting.splice(place, 1);
      if (place >= 0) turn.reject(signal.reason);
    };
    this.#waiting.push(turn.resolve);
    signal.addEventListener('abort', leave, { once: true });
    try {
      await turn.promise;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  #pass(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free += 1;
  }
}
