/** One holder at a time, first come, first served; whoever gives up only leaves the line. */

export type Release = () => void;

export class FifoLock {
  readonly #line: (() => void)[] = [];
  readonly #onChange: (waiting: number, running: number) => void;
  #held = false;

  /** @param onChange called with the length of the line and the number of holders after each change */
  constructor(onChange: (waiting: number, running: number) => void) {
    this.#onChange = onChange;
  }

  /**
   * Resolves when it is the caller's turn; the release it gives may be called again without effect.
   * @throws the signal's reason when it aborts before that
   */
  async acquire(signal: AbortSignal): Promise<Release> {
    signal.throwIfAborted();
    if (this.#held) await this.#wait(signal);
    this.#held = true;
    this.#changed();
    let released = false;
    return () => {
      if (released) return;
      released = true;
      const next = this.#line.shift();
      // The lock passes from hand to hand, so that nobody who comes now gets in between.
      if (next !== undefined) next();
      else this.#held = false;
      this.#changed();
    };
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#line.splice(this.#line.indexOf(turn), 1);
        this.#changed();
        reject(signal.reason);
      };
      const turn = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#line.push(turn);
      this.#changed();
    });
  }

  #changed(): void {
    this.#onChange(this.#line.length, this.#held ? 1 : 0);
  }
}
