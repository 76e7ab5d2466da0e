/** Which bounds have the histograms of a route? They change with a proxy's objective at most, so they are asked for rarely. */
import { boundFor, isSameBound } from './good-answers.ts';
import type { Row } from './prometheus-answer.ts';
import { routeOf, VectorIndex } from './vector-index.ts';

const ASKED_EVERY_MS = 60_000;
/** While a target's route is not known, which may be because its proxies are new. */
const ASKED_EVERY_UNTIL_KNOWN_MS = 10_000;

export interface ChosenBound {
  readonly seconds: number;
  /** As the label `le` is written: `2`, and `2.0` by Prometheus 3. */
  readonly written: readonly string[];
}

export class BoundsMemory {
  #index = new VectorIndex([], routeOf);
  #askedAt: number | undefined;

  /** @param routes namespace and route of each target */
  isDue(routes: Iterable<readonly [namespace: string, route: string]>, now: number): boolean {
    if (this.#askedAt === undefined) return true;
    const age = now - this.#askedAt;
    if (age < ASKED_EVERY_UNTIL_KNOWN_MS) return false;
    return (
      age >= ASKED_EVERY_MS ||
      Iterator.from(routes).some(([namespace, route]) => this.#index.all(namespace, route).length === 0)
    );
  }

  /** @param rows of `QUERIES.bounds` */
  learn(rows: readonly Row[], now: number): void {
    this.#index = new VectorIndex(rows, routeOf);
    this.#askedAt = now;
  }

  /**
   * The bound by which answers are good. While some proxies have other bounds than others, only those count that all have.
   * @returns undefined where none fits; see `isKnown`
   */
  choose(namespace: string, route: string, objectiveMs: number): ChosenBound | undefined {
    const rows = this.#index.all(namespace, route);
    const bounds = rows.map(({ labels, value }) => ({
      written: labels.le ?? '',
      seconds: Number(labels.le),
      proxies: value,
    }));
    // How a bound is written changes at once for all proxies, and then both are there for a while.
    const all = Math.max(...bounds.map(({ proxies }) => proxies));
    const usable = bounds.filter(({ seconds, proxies }) => Number.isFinite(seconds) && proxies === all);
    const seconds = boundFor(
      objectiveMs,
      usable.map((bound) => bound.seconds),
    );
    if (seconds === undefined) return undefined;
    const written = usable.filter((bound) => isSameBound(bound.seconds, seconds)).map((bound) => bound.written);
    return { seconds, written };
  }

  /** Prometheus has told them, whatever they are. */
  get isTold(): boolean {
    return this.#askedAt !== undefined;
  }

  isKnown(namespace: string, route: string): boolean {
    return this.#index.all(namespace, route).length > 0;
  }
}
