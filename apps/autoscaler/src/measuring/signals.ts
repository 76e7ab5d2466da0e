/** What was counted of one target, and how much of it may be believed? The same rules whoever counted. */
import type { Reading, WindowedReading } from '@ragscale/scaling/observation';
import type { Measured } from '../measurements.ts';
import { few, type PodReadings } from './pod-gauges.ts';
import { FAILED } from './readings.ts';
import type { Windows } from './windows.ts';

export interface Signals {
  readonly windows: Windows;
  /** Requests per second. */
  readonly arrivalRates: readonly WindowedReading[];
  /** Requests that wait in the proxies. */
  readonly proxyWaiting: Reading;
  readonly pods: PodReadings;
  readonly completionRate: Reading;
  readonly serviceMs: Reading;
  readonly serviceP95Ms: Reading;
  readonly badShares: readonly WindowedReading[];
  /** Of the oldest among the proxies' newest samples; undefined where there is none, `failed` where nobody could say. */
  readonly ageMs: number | undefined | 'failed';
  /** Of the oldest among the newest samples of the pods that were counted. */
  readonly podAgeMs: number | undefined;
  /** Proxies that should be scraped and cannot be: requests arrive there that nobody counts. */
  readonly lostProxies: readonly string[];
  readonly scrapeIntervalMs: number | undefined;
  readonly boundMs: number | undefined;
  readonly troubles: readonly (string | undefined)[];
}

/** Scrapes that may fail before the newest sample is too old, and how old it may be at least. */
const SCRAPES_TO_STALE = 3;
const LEAST_STALE_MS = 15_000;

/** How old the newest sample may be at most. */
export function staleAfterMs(scrapeIntervalMs: number | undefined): number {
  return Math.max(SCRAPES_TO_STALE * (scrapeIntervalMs ?? 0), LEAST_STALE_MS);
}

export function judge(signals: Signals): Measured {
  const { ageMs, podAgeMs, pods, lostProxies } = signals;
  const base = {
    ageMs: typeof ageMs !== 'number' ? podAgeMs : Math.max(ageMs, podAgeMs ?? 0),
    scrapeIntervalMs: signals.scrapeIntervalMs,
    isTooCoarse: signals.windows.isTooCoarse,
    boundMs: signals.boundMs,
  };
  if (ageMs === 'failed') {
    return { ...base, observation: allAre(FAILED, signals), trouble: told(signals.troubles) };
  }
  if (ageMs !== undefined && ageMs > staleAfterMs(signals.scrapeIntervalMs)) {
    const trouble = `the newest sample of the proxies is ${Math.round(ageMs / 1_000)} s old`;
    return { ...base, observation: allAre({ kind: 'stale', ageMs }, signals), trouble: told([trouble]) };
  }
  const isLost = lostProxies.length > 0;
  const lost = isLost
    ? `${few(lostProxies)} cannot be scraped: how many requests arrive there is not known`
    : undefined;
  return {
    ...base,
    observation: {
      arrivalRates: isLost ? all(FAILED, signals.arrivalRates) : signals.arrivalRates,
      waiting: sum(signals.proxyWaiting, pods.waiting),
      running: pods.running,
      completionRate: isLost ? FAILED : signals.completionRate,
      serviceMs: signals.serviceMs,
      serviceP95Ms: signals.serviceP95Ms,
      badShares: signals.badShares,
      slots: pods.slots,
    },
    trouble: told([lost, ...signals.troubles, pods.trouble]),
  };
}

/** Known only where both are: half of a queue is no queue. */
function sum(a: Reading, b: Reading): Reading {
  if (a.kind === 'value' && b.kind === 'value') return { kind: 'value', value: a.value + b.value };
  if (a.kind === 'failed' || b.kind === 'failed') return FAILED;
  return a.kind === 'value' ? b : a;
}

function all(reading: Reading, windowed: readonly WindowedReading[]): WindowedReading[] {
  return windowed.map(({ windowMs }) => ({ windowMs, reading }));
}

function allAre(reading: Reading, { windows }: Pick<Signals, 'windows'>): Measured['observation'] {
  const over = (windowsMs: readonly number[]) => windowsMs.map((windowMs) => ({ windowMs, reading }));
  return {
    arrivalRates: over(windows.arrivalsMs),
    waiting: reading,
    running: reading,
    completionRate: reading,
    serviceMs: reading,
    serviceP95Ms: reading,
    badShares: over(windows.badSharesMs),
    slots: reading,
  };
}

/** Each once. */
function told(troubles: readonly (string | undefined)[]): string | undefined {
  const words = [...new Set(troubles.filter((trouble) => trouble !== undefined))];
  return words.length === 0 ? undefined : words.join('; ');
}
