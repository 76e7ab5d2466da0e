/** How much do requests differ? From the 95th percentile of their times, and slow, bounded feedback from the share that was late. */
import { exceeds } from '../law/pool-model.ts';
import { BUCKET_BOUNDS } from '../observation.ts';

/** Deviation of the logarithm: between answers of one length (0.25) and the lengths of chats (0.7). */
const ASSUMED = Math.log(0.35);
const DEVIATION = 0.5;
const LOWEST = Math.log(0.1);
const HIGHEST = Math.log(1.2);
const HALF_LIFE_MS = 1_200_000;
/** No observation moves it by more. */
const LARGEST_STEP = 0.05;
const DIFFERENCE = 0.02;

/**
 * The logarithm of the spread by recursive maximum likelihood (Ljung and Soederstroem 1983): the difference between seen and predicted
 * shares, weighed with what the data say about the spread (Fisher's information), which fades; a prior holds it where there is none.
 */
export class SizeSpread {
  #logSpread = ASSUMED;
  #information = 0;

  get spread(): number {
    return Math.exp(this.#logSpread);
  }

  /**
   * @param seen share of the requests that took longer than some time
   * @param predict the share that the model gives for a spread
   * @param requests that ended since the last observation
   */
  observe(seen: number, predict: (spread: number) => number, requests: number, elapsedMs: number): void {
    if (!(requests > 0)) return;
    const predicted = predict(Math.exp(this.#logSpread));
    const slope = (predict(Math.exp(this.#logSpread + DIFFERENCE)) - predicted) / DIFFERENCE;
    const variance = Math.max(predicted, 1e-4);
    if (!Number.isFinite(slope) || slope === 0) return;
    const prior = 1 / DEVIATION ** 2;
    this.#information = this.#information * 2 ** (-elapsedMs / HALF_LIFE_MS) + (requests * slope * slope) / variance;
    const score = (requests * (seen - predicted) * slope) / variance;
    const pull = (prior * (ASSUMED - this.#logSpread) * elapsedMs) / HALF_LIFE_MS;
    const step = (score + pull) / (this.#information + prior);
    const bounded = Math.min(LARGEST_STEP, Math.max(-LARGEST_STEP, step));
    this.#logSpread = Math.min(HIGHEST, Math.max(LOWEST, this.#logSpread + bounded));
  }
}

/**
 * Undoes what `histogram_quantile` interpolates between the two bounds of a bucket. @returns by the deviation of the logarithm of times that are
 * lognormal, what such a reading takes for the share of those above it; undefined where it is beyond the buckets
 */
export function shareAbove(
  quantileMs: number,
  meanMs: number,
  objectiveMs: number,
): ((deviation: number) => number) | undefined {
  const above = BUCKET_BOUNDS.findIndex((bound) => bound * objectiveMs >= quantileMs);
  if (above < 1) return undefined;
  const [from, to] = [BUCKET_BOUNDS[above - 1]! * objectiveMs, BUCKET_BOUNDS[above]! * objectiveMs];
  const part = (quantileMs - from) / (to - from);
  return (deviation) => (1 - part) * exceeds(from / meanMs, deviation) + part * exceeds(to / meanMs, deviation);
}
