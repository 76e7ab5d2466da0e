/** How much load is there? The longest average that what came last does not contradict. */
import { TUNING } from '../tuning.ts';

/** Averages of its own, beyond the windows that are measured: steady load is known the better the longer it lasts. */
const LONG_WINDOWS_MS = [120_000, 300_000, 600_000, 1_200_000, 2_400_000];

interface Mean {
  readonly windowMs: number;
  readonly perSecond: number;
}

/**
 * Intersection of confidence intervals (Goldenshluger and Nemirovski 1997): from the shortest window to the longest, as long as the ranges
 * of all have a rate in common; the last one's mean. A Poisson count has the variance of its mean. So steady load gives a steady number, and a
 * change that is significant is followed at once, however long it was steady before.
 */
export class ArrivalRate {
  readonly #samples: { at: number; perSecond: number }[] = [];
  #level: Mean = { windowMs: 0, perSecond: 0 };
  #shortest: Mean = this.#level;
  #longest: Mean = this.#level;

  get known(): boolean {
    return this.#samples.length > 0;
  }

  get perSecond(): number {
    return this.#level.perSecond;
  }

  /** It did not change while what is measured was measured. */
  get isSteady(): boolean {
    return this.#level.windowMs >= this.#longest.windowMs;
  }

  /** What it will be if it goes on rising as it does, if it does. */
  perSecondIn(aheadMs: number): number {
    // A mean stands for the middle of its window.
    const betweenMs = (this.#longest.windowMs - this.#shortest.windowMs) / 2;
    const rise = this.#shortest.perSecond - this.#longest.perSecond;
    if (this.isSteady || !(rise > 0 && betweenMs > 0)) return this.perSecond;
    const risen = this.#shortest.perSecond + (rise * (this.#shortest.windowMs / 2 + aheadMs)) / betweenMs;
    return Math.max(this.perSecond, risen);
  }

  observe(rates: readonly Mean[], now: number): void {
    const longest = rates.at(-1);
    const shortest = rates[0];
    if (longest === undefined || shortest === undefined) return;
    this.#longest = longest;
    this.#shortest = shortest;
    this.#samples.push({ at: now, perSecond: shortest.perSecond });
    const keep = now - LONG_WINDOWS_MS.at(-1)!;
    let gone = 0;
    while (this.#samples[gone]!.at < keep) gone += 1;
    if (gone > 0) this.#samples.splice(0, gone);
    this.#level = consistentMean(shortest, [...rates, ...this.#means(now, longest.windowMs)]);
  }

  #means(now: number, beyondMs: number): Mean[] {
    const means: Mean[] = [];
    let index = this.#samples.length - 1;
    let sum = 0;
    let count = 0;
    const oldest = this.#samples[0]!.at;
    for (const windowMs of LONG_WINDOWS_MS) {
      if (windowMs <= beyondMs || now - oldest < windowMs * 0.9) continue;
      for (; index >= 0 && this.#samples[index]!.at >= now - windowMs; index--) {
        sum += this.#samples[index]!.perSecond;
        count += 1;
      }
      if (count > 0) means.push({ windowMs, perSecond: sum / count });
    }
    return means;
  }
}

function consistentMean(shortest: Mean, means: readonly Mean[]): Mean {
  let low = 0;
  let high = Number.POSITIVE_INFINITY;
  let level = shortest;
  for (const mean of means) {
    const seconds = mean.windowMs / 1_000;
    // At least as uncertain as a window in which one request came: none seen does not mean none to come.
    const range = (TUNING.deviations * Math.sqrt(Math.max(mean.perSecond * seconds, 1))) / seconds;
    low = Math.max(low, mean.perSecond - range);
    high = Math.min(high, mean.perSecond + range);
    if (low > high) break;
    level = mean;
  }
  return level;
}
