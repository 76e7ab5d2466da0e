/**
 * How long is a pod out that fails its requests? Longer each time, and less again for each time in which it did well: Envoy's outlier
 * detection, with steps that double where Envoy's are as long as the first.
 */

export class Ejections {
  readonly #baseMs: number;
  readonly #maxMs: number;
  /** More would not make an ejection longer, only later to be forgiven. */
  readonly #maxDoublings: number;
  #doublings = 0;
  #until = Number.NEGATIVE_INFINITY;

  /** @param baseMs of the first, over 0 */
  constructor(baseMs: number, maxMs: number) {
    this.#baseMs = baseMs;
    this.#maxMs = maxMs;
    this.#maxDoublings = Math.max(0, Math.ceil(Math.log2(maxMs / baseMs)));
  }

  /** When the latest ends or has ended. */
  get until(): number {
    return this.#until;
  }

  eject(now: number): void {
    this.#until = now + Math.min(this.#maxMs, this.#baseMs * 2 ** this.#doublings);
    this.#doublings = Math.min(this.#maxDoublings, this.#doublings + 1);
  }

  /** A step for each base time that was spent healthy. */
  forgive(healthyMs: number): void {
    this.#doublings = Math.max(0, this.#doublings - Math.floor(healthyMs / this.#baseMs));
  }
}
