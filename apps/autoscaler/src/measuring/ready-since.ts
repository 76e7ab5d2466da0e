/** Since when are a target's pods known to be ready? One that has just become ready need not have been scraped yet. */
import { DEFAULT_POLICY } from '@ragscale/scaling/policy';
import type { Target } from '../target.ts';

/** One that was ready when its target was seen first may have been for ever. */
const ALWAYS = Number.NEGATIVE_INFINITY;

export class ReadySince {
  readonly #targets = new Map<string, ReadonlyMap<string, number>>();

  /** @returns when each was first seen ready, in milliseconds as `now` */
  observe(targetId: string, readyPods: readonly string[], now: number): ReadonlyMap<string, number> {
    const known = this.#targets.get(targetId);
    const first = known === undefined ? ALWAYS : now;
    const since = new Map(readyPods.map((pod) => [pod, known?.get(pod) ?? first]));
    this.#targets.set(targetId, since);
    return since;
  }

  delete(targetId: string): void {
    this.#targets.delete(targetId);
  }
}

/** Scrapes that a pod may miss at its beginning. */
const SCRAPES_UNTIL_SEEN = 2;

/**
 * By name, whether a pod has been ready for so long that it must have been scraped.
 * @param since when each was first seen ready
 * @param scrapeIntervalMs undefined while it is not known
 */
export function scrapedByNow(
  since: ReadonlyMap<string, number>,
  { policy }: Target,
  scrapeIntervalMs: number | undefined,
  now: number,
): ReadonlyMap<string, boolean> {
  const graceMs = SCRAPES_UNTIL_SEEN * (scrapeIntervalMs ?? 0) + (policy.periodMs ?? DEFAULT_POLICY.periodMs);
  return new Map([...since].map(([pod, at]) => [pod, now - at >= graceMs]));
}
