/** How long does a run of the models take in a paced pod? As long as in the simulator's pods, which share themselves among all that run. */
import { type ServiceCurve, throughputAt } from '@ragscale/scaling/simulator/service-curve';

export interface PaceOptions {
  /** A step of one answer that has the pod for itself, in milliseconds. */
  readonly stepMs: number;
  /** How much more a pod does that has more to do. */
  readonly curve: ServiceCurve;
  readonly slots: number;
  /** Milliseconds, from whenever. */
  readonly now: () => number;
}

/** What a timer that fires late, on a busy machine, may be late and still be made up for. What was frozen longer has lost that time. */
const MOST_LATE_MS = 1_000;

export class Pace {
  readonly #options: PaceOptions;
  /** When all that was given to it is done. */
  #freeAt = Number.NEGATIVE_INFINITY;
  #isIdle = true;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /** Until `rows` of the `running` answers that share the pod are a step further. */
  async step(rows: number, running: number): Promise<void> {
    const { stepMs, curve, slots, now } = this.#options;
    const at = now();
    const isBehind = !this.#isIdle && at - this.#freeAt < MOST_LATE_MS;
    this.#isIdle = false;
    this.#freeAt = (isBehind ? this.#freeAt : at) + (rows * stepMs) / throughputAt(curve, Math.min(running, slots));
    const waitMs = this.#freeAt - at;
    // Who has no time to wait lets messages in all the same.
    await new Promise<void>((resolve) => (waitMs > 0 ? setTimeout(resolve, waitMs) : setImmediate(resolve)));
  }

  /** Nobody has work: the next run begins when it is asked for. */
  idle(): void {
    this.#isIdle = true;
  }
}
