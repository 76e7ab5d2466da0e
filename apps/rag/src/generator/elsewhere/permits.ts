/** Who may go next where only so many may at once? In the order that they were given, or that they came in. */

interface Waiter {
  readonly order: number;
  readonly begin: () => void;
}

export class Permits {
  #free: number;
  #waiting: Waiter[] = [];
  #arrivals = 0;

  constructor(count: number) {
    this.#free = count;
  }

  /** @param order lower goes first @throws the signal's reason when it aborts while waiting */
  async with<T>(work: () => Promise<T>, signal: AbortSignal | undefined, order = this.#arrivals): Promise<T> {
    this.#arrivals += 1;
    await this.#take(order, signal);
    try {
      return await work();
    } finally {
      this.#giveBack();
    }
  }

  async #take(order: number, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter = { order, begin: resolve };
    const after = this.#waiting.findIndex((other) => other.order > order);
    this.#waiting.splice(after < 0 ? this.#waiting.length : after, 0, waiter);
    const onAbort = (): void => {
      this.#waiting = this.#waiting.filter((other) => other !== waiter);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    await promise.finally(() => signal?.removeEventListener('abort', onAbort));
  }

  #giveBack(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next.begin();
  }
}
