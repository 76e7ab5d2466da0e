/** What does somebody know who asks Prometheus? Samples of the past, as old as scrapes and queries make them, and what an outage leaves of them. */
import type { Reading, WindowedReading } from '../observation.ts';
import { PROXY_COUNTERS, type ProxyCounter } from './proxy.ts';

/**
 * - `unanswered`: queries fail, scrapes go on
 * - `down`: Prometheus is gone: queries fail, there are no scrapes, and what it had is there again afterwards
 * - `lost`: the same, and it comes back with an empty database
 * - `frozen`: queries are answered, and nothing new is written
 * - `targets`: no target can be scraped: their series end at once, windows run dry
 * - `pods`: the pods cannot be scraped, the proxies can
 */
export const OUTAGE_KINDS = ['unanswered', 'down', 'lost', 'frozen', 'targets', 'pods'] as const;
export type OutageKind = (typeof OUTAGE_KINDS)[number];

/** Prometheus's lookback (--query.lookback-delta): an instant query finds no sample that is older. */
export const LOOKBACK_MS = 300_000;

/** A rate needs two samples; a window of four scrapes has them even if one scrape fails. */
const SCRAPES_PER_WINDOW = 4;

export interface MonitorOptions {
  readonly scrapeIntervalMs: number;
  readonly queryLagMs: number;
  readonly arrivalWindowsMs: readonly number[];
  readonly badShareWindowsMs: readonly number[];
  readonly outages: readonly { readonly kind: OutageKind; readonly fromMs: number; readonly toMs: number }[];
}

/** Of all proxies and pods together. */
export interface Gauges {
  readonly waitingInProxies: number;
  readonly waitingInPods: number;
  readonly running: number;
  /** Able pods that can be scraped. */
  readonly pods: number;
  readonly slotsPerPod: number;
}

interface Sample {
  readonly at: number;
  /** All counters of the first proxy, then those of the next; undefined where the proxies could not be scraped. */
  readonly counters: Float64Array | undefined;
  /** Undefined where the pods could not be scraped. */
  readonly gauges: Gauges | undefined;
}

export interface Measured {
  readonly arrivalRates: readonly WindowedReading[];
  readonly waiting: Reading;
  readonly running: Reading;
  readonly completionRate: Reading;
  readonly serviceMs: Reading;
  readonly badShares: readonly WindowedReading[];
  readonly slots: Reading;
}

interface Increase {
  readonly sums: Record<ProxyCounter, number>;
  readonly elapsedMs: number;
}

export class Monitor {
  readonly #options: MonitorOptions;
  readonly #arrivalWindowsMs: readonly number[];
  readonly #badShareWindowsMs: readonly number[];
  readonly #longestMs: number;
  readonly #keepMs: number;
  #samples: Sample[] = [];

  constructor(options: MonitorOptions) {
    this.#options = options;
    const atLeast = (windowsMs: readonly number[]) => [
      ...new Set(windowsMs.map((ms) => Math.max(ms, SCRAPES_PER_WINDOW * options.scrapeIntervalMs))),
    ];
    this.#arrivalWindowsMs = atLeast(options.arrivalWindowsMs);
    this.#badShareWindowsMs = atLeast(options.badShareWindowsMs);
    this.#longestMs = this.#arrivalWindowsMs.at(-1)!;
    this.#keepMs = Math.max(...this.#arrivalWindowsMs, ...this.#badShareWindowsMs) + options.queryLagMs;
  }

  scrape(now: number, proxies: readonly { readonly counters: Record<ProxyCounter, number> }[], gauges: Gauges): void {
    const is = (kind: OutageKind) => this.#isIn(kind, now);
    if (is('down') || is('lost') || is('frozen')) return;
    const counters = new Float64Array(proxies.length * PROXY_COUNTERS.length);
    proxies.forEach((proxy, index) => {
      PROXY_COUNTERS.forEach((name, place) => {
        counters[index * PROXY_COUNTERS.length + place] = proxy.counters[name];
      });
    });
    const noProxies = is('targets');
    this.#samples.push({
      at: now,
      counters: noProxies ? undefined : counters,
      gauges: noProxies || is('pods') ? undefined : gauges,
    });
    // The last one stays however old it is: its age is what makes it stale.
    if (this.#samples.length > 64 && this.#samples[32]!.at < now - this.#keepMs) this.#samples.splice(0, 32);
  }

  /** The database is empty. */
  loseData(): void {
    this.#samples = [];
  }

  measure(now: number): Measured {
    if (this.#isIn('unanswered', now) || this.#isIn('down', now) || this.#isIn('lost', now)) return this.#nothing();
    const at = now - this.#options.queryLagMs;
    const latest = this.#samples.findLast((sample) => sample.at <= at);
    const gauge = (read: (gauges: Gauges) => number | undefined): Reading => {
      if (latest === undefined) return { kind: 'empty' };
      if (at - latest.at > LOOKBACK_MS) return { kind: 'stale', ageMs: now - latest.at };
      const number = latest.gauges && read(latest.gauges);
      return number === undefined ? { kind: 'empty' } : value(number);
    };
    const missing: Reading =
      latest !== undefined && at - latest.at > LOOKBACK_MS
        ? { kind: 'stale', ageMs: now - latest.at }
        : { kind: 'empty' };
    const windowed = (windowMs: number, read: (increase: Increase) => Reading): Reading => {
      const increase = this.#increase(windowMs, at);
      return increase === undefined ? missing : read(increase);
    };
    return {
      arrivalRates: this.#arrivalWindowsMs.map((windowMs) => ({
        windowMs,
        reading: windowed(windowMs, ({ sums, elapsedMs }) => value((1000 * sums.arrivals) / elapsedMs)),
      })),
      waiting: gauge(({ waitingInProxies, waitingInPods }) => waitingInProxies + waitingInPods),
      running: gauge(({ running }) => running),
      completionRate: windowed(this.#longestMs, ({ sums, elapsedMs }) => value((1000 * sums.answers) / elapsedMs)),
      serviceMs: windowed(this.#longestMs, ({ sums }) => ratio(sums.upstreamMs, sums.answers)),
      badShares: this.#badShareWindowsMs.map((windowMs) => ({
        windowMs,
        reading: windowed(windowMs, ({ sums }) => ratio(sums.bad, sums.ended)),
      })),
      slots: gauge(({ pods, slotsPerPod }) => (pods > 0 ? slotsPerPod : undefined)),
    };
  }

  /** As `increase()` of Prometheus sees resets (a counter that is lower than before began again at 0), without its extrapolation. */
  #increase(windowMs: number, at: number): Increase | undefined {
    const within = this.#samples.filter(
      (sample) => sample.counters !== undefined && sample.at <= at && sample.at > at - windowMs,
    );
    if (within.length < 2) return undefined;
    const sums: Record<ProxyCounter, number> = { arrivals: 0, answers: 0, upstreamMs: 0, ended: 0, bad: 0 };
    for (let i = 1; i < within.length; i++) {
      const [before, after] = [within[i - 1]!.counters!, within[i]!.counters!];
      for (let series = 0; series < after.length; series++) {
        const grown = after[series]! - before[series]!;
        sums[PROXY_COUNTERS[series % PROXY_COUNTERS.length]!] += grown < 0 ? after[series]! : grown;
      }
    }
    return { sums, elapsedMs: within.at(-1)!.at - within[0]!.at };
  }

  #isIn(kind: OutageKind, now: number): boolean {
    return this.#options.outages.some((outage) => outage.kind === kind && now >= outage.fromMs && now < outage.toMs);
  }

  #nothing(): Measured {
    const failed: Reading = { kind: 'failed' };
    const all = (windowsMs: readonly number[]) => windowsMs.map((windowMs) => ({ windowMs, reading: failed }));
    return {
      arrivalRates: all(this.#arrivalWindowsMs),
      waiting: failed,
      running: failed,
      completionRate: failed,
      serviceMs: failed,
      badShares: all(this.#badShareWindowsMs),
      slots: failed,
    };
  }
}

function value(number: number): Reading {
  return { kind: 'value', value: number };
}

function ratio(part: number, whole: number): Reading {
  return whole === 0 ? { kind: 'nan' } : value(part / whole);
}
