/** Of the time that requests are with a pod, what does it work on them? The rest they wait in it. */

const HALF_LIFE_MS = 300_000;
/** Pods in which less than this part of the slots is taken have nobody waiting in them: what is measured then is chance. */
const LEAST_TAKEN = 0.5;
/** A pod gets one in advance: with one slot, as much waits as runs. */
const LEAST = 0.5;

/** The mean number that pods work on, by the mean number that is with them (Little's law): both of a few minutes, as one look says little. */
export class WorkingShare {
  #running = 0;
  #inPods = 0;
  #taken = 0;

  get share(): number {
    return this.#taken >= LEAST_TAKEN && this.#inPods > 0
      ? Math.max(LEAST, Math.min(1, this.#running / this.#inPods))
      : 1;
  }

  /**
   * @param running what the pods work on now
   * @param inPods rate of completions times their time with a pod
   * @param slots of all pods together
   */
  observe(running: number, inPods: number, slots: number, elapsedMs: number): void {
    const keep = 2 ** (-elapsedMs / HALF_LIFE_MS);
    this.#running = keep * this.#running + running;
    this.#inPods = keep * this.#inPods + inPods;
    this.#taken = inPods / slots;
  }
}
