/** How often is a proxy scraped? As seen from its samples: nobody who only queries is told. */

/** Over which samples are counted: the queries must use the same. */
export const COUNTED_OVER_MS = 120_000;
/** Fewer may be the first ones after a start. */
const ENOUGH_SAMPLES = 5;
/** So many more than at another time tell how long each took, whatever two servers with the same data differ by. */
const ENOUGH_MORE = 3;
/** An interval that seems longer for as long as this is longer: before, scrapes failed or samples were lost. */
const LONGER_AFTER_MS = COUNTED_OVER_MS;
const NOISE = 0.1;
const FORGOTTEN_AFTER_MS = 600_000;

export interface ScrapeSighting {
  /** In the last `COUNTED_OVER_MS`. */
  readonly samples: number;
  /** Of the newest, in milliseconds of the server's clock. */
  readonly newestAt: number;
}

interface Known {
  readonly firstSeenAt: number;
  seenAt: number;
  /** The one with the fewest samples since they became fewer: from there on they grow. */
  fewest: ScrapeSighting;
  newestAt: number;
  intervalMs: number | undefined;
  /** Since when all that was seen is longer than `intervalMs`. */
  longerSince: number | undefined;
}

/**
 * Two estimates, of which neither is shorter than the truth: the window by the samples in it, which a short past makes long, and the time
 * between two sightings by the samples that came in between, which is exact while none leaves the window. The smaller one counts.
 */
export class ScrapeIntervals {
  readonly #known = new Map<string, Known>();

  /** @param now milliseconds, of whatever clock */
  observe(proxy: string, sighting: ScrapeSighting, now: number): void {
    const known = this.#known.get(proxy) ?? {
      firstSeenAt: now,
      seenAt: now,
      fewest: sighting,
      newestAt: Number.NEGATIVE_INFINITY,
      intervalMs: undefined,
      longerSince: undefined,
    };
    this.#known.set(proxy, known);
    known.seenAt = now;
    // What is not scraped says nothing about how often it would be.
    if (sighting.newestAt <= known.newestAt) return;
    known.newestAt = sighting.newestAt;
    if (sighting.samples < known.fewest.samples) known.fewest = sighting;
    const seenMs = estimate(sighting, known.fewest, now - known.firstSeenAt);
    if (seenMs === undefined) return;
    const { intervalMs } = known;
    if (intervalMs !== undefined && seenMs > intervalMs * (1 + NOISE)) {
      known.longerSince ??= now;
      if (now - known.longerSince < LONGER_AFTER_MS) return;
      known.intervalMs = seenMs;
    } else {
      known.intervalMs = Math.min(seenMs, intervalMs ?? seenMs);
    }
    known.longerSince = undefined;
  }

  /** @returns of the one that is scraped least often; undefined while that is not known of any */
  longestOf(proxies: Iterable<string>): number | undefined {
    let longest: number | undefined;
    for (const proxy of proxies) {
      const intervalMs = this.#known.get(proxy)?.intervalMs;
      if (intervalMs !== undefined) longest = Math.max(longest ?? 0, intervalMs);
    }
    return longest;
  }

  /** Those that were not seen for a while. */
  forgetGone(now: number): void {
    for (const [proxy, { seenAt }] of this.#known) if (now - seenAt > FORGOTTEN_AFTER_MS) this.#known.delete(proxy);
  }
}

/** @param knownForMs how long the proxy has been seen */
function estimate(sighting: ScrapeSighting, fewest: ScrapeSighting, knownForMs: number): number | undefined {
  const estimates: number[] = [];
  const { samples, newestAt } = sighting;
  if (samples >= ENOUGH_SAMPLES || (samples > 1 && knownForMs >= COUNTED_OVER_MS)) {
    estimates.push(COUNTED_OVER_MS / samples);
  }
  const more = samples - fewest.samples;
  if (more >= ENOUGH_MORE && newestAt > fewest.newestAt) estimates.push((newestAt - fewest.newestAt) / more);
  return estimates.length === 0 ? undefined : Math.min(...estimates);
}
