/** Over how long is something counted? As the policy says, or four scrapes where those are too far apart. */
import { DEFAULT_POLICY, type ScalingPolicySpec } from '@ragscale/scaling/policy';

/** A rate needs two samples; a window of four scrapes has them even if one scrape fails. */
const SCRAPES_PER_WINDOW = 4;
/** An interval is only known as far as it was observed: so much less than four scrapes is still taken for four. */
const TOLERANCE = 0.1;

/** The windows that the law was made with (packages/scaling, simulator/defaults.ts). */
const BAD_SHARE_WINDOWS_MS = [60_000, 300_000];

/**
 * Every window is one of these, or whole hours: however many targets there are, and whatever their owners write, there are so many different
 * ones at most, and so many queries.
 */
const RUNGS_S = [
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 40, 45, 50, 60, 75, 90, 100, 120, 150, 180, 240, 300],
  ...[360, 450, 600, 720, 900, 1200, 1500, 1800, 2400, 3600],
];
const HOUR_S = 3_600;

export interface Windows {
  /** Of the arrival rates, ascending, in whole seconds. */
  readonly arrivalsMs: readonly number[];
  /** Of the shares of bad answers, ascending. */
  readonly badSharesMs: readonly number[];
  /** Of everything else: the last of `arrivalsMs`. */
  readonly longestMs: number;
  /** One of the policy's had to be made longer, because scrapes are too far apart. */
  readonly isTooCoarse: boolean;
}

/** @param scrapeIntervalMs undefined while it is not known: then as if scrapes were close enough */
export function windowsFor(policy: ScalingPolicySpec, scrapeIntervalMs: number | undefined): Windows {
  const leastMs = SCRAPES_PER_WINDOW * (scrapeIntervalMs ?? 0);
  const isTooShort = (ms: number) => ms * (1 + TOLERANCE) < leastMs;
  const atLeast = (windowsMs: readonly number[]) => [
    ...new Set(windowsMs.map((ms) => (isTooShort(ms) ? rungAbove(leastMs * (1 - TOLERANCE / 2)) : rungAbove(ms)))),
  ];
  const nominalMs = policy.windowsMs ?? DEFAULT_POLICY.windowsMs;
  const arrivalsMs = atLeast(nominalMs);
  return {
    arrivalsMs,
    badSharesMs: atLeast(BAD_SHARE_WINDOWS_MS),
    longestMs: arrivalsMs.at(-1)!,
    isTooCoarse: nominalMs.some(isTooShort),
  };
}

function rungAbove(ms: number): number {
  const seconds = ms / 1_000;
  return 1_000 * (RUNGS_S.find((rung) => rung >= seconds) ?? Math.ceil(seconds / HOUR_S) * HOUR_S);
}

/**
 * Are there as many samples as a window must have, for a rate over it to mean what it says? `rate()` divides by the whole window even where it
 * saw a part of it only. One may be missing, and a tenth of them.
 * @param samples of a series that was there before the window began
 * @param scrapeIntervalMs undefined while it is not known: then nobody can say
 */
export function isCovered(
  samples: number | undefined,
  windowMs: number,
  scrapeIntervalMs: number | undefined,
): boolean {
  if (samples === undefined || scrapeIntervalMs === undefined) return false;
  const expected = Math.floor(windowMs / scrapeIntervalMs + 0.05);
  return samples >= Math.max(2, expected - Math.max(1, Math.floor(expected * 0.1)));
}
