/** What does somebody know who asks Prometheus? Samples of the past, as old as scrapes and queries make them, and what an outage leaves of them. */
import type { Reading, WindowedReading } from '../observation.ts';
import { PROXY_BUCKETS, PROXY_COUNTERS, type ProxyCounter } from './proxy.ts';

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

/** What of a proxy can be scraped. */
interface Scraped {
  readonly counters: Record<ProxyCounter, number>;
  readonly boundsMs: readonly number[];
}

const SERIES: readonly ProxyCounter[] = [...PROXY_COUNTERS, ...PROXY_BUCKETS];

interface Sample {
  readonly at: number;
  /** Of each of `SERIES`, what all proxies counted, as if they never began again; undefined where the proxies could not be scraped. */
  readonly totals: Float64Array | undefined;
  /** Undefined where the pods could not be scraped. */
  readonly gauges: Gauges | undefined;
}

export interface Measured {
  readonly arrivalRates: readonly WindowedReading[];
  readonly waiting: Reading;
  readonly running: Reading;
  readonly completionRate: Reading;
  readonly serviceMs: Reading;
  readonly serviceP95Ms: Reading;
  readonly badShares: readonly WindowedReading[];
  readonly slots: Reading;
}

interface Increase {
  of(counter: ProxyCounter): number;
  readonly elapsedMs: number;
}

export class Monitor {
  readonly #options: MonitorOptions;
  readonly #arrivalWindowsMs: readonly number[];
  readonly #badShareWindowsMs: readonly number[];
  readonly #longestMs: number;
  readonly #keepMs: number;
  #samples: Sample[] = [];
  /** What the proxies had counted when they were scraped last, and what that was in all. */
  #counted: Float64Array | undefined;
  #totals = new Float64Array(SERIES.length);
  #boundsMs: readonly number[] = [];

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

  scrape(now: number, proxies: readonly Scraped[], gauges: Gauges): void {
    const is = (kind: OutageKind) => this.#isIn(kind, now);
    if (is('down') || is('lost') || is('frozen')) return;
    const noProxies = is('targets');
    this.#samples.push({
      at: now,
      totals: noProxies ? undefined : this.#count(proxies),
      gauges: noProxies || is('pods') ? undefined : gauges,
    });
    // The last one stays however old it is: its age is what makes it stale.
    if (this.#samples.length > 64 && this.#samples[32]!.at < now - this.#keepMs) this.#samples.splice(0, 32);
  }

  /** Sees resets as `increase()` of Prometheus does: a counter that is lower than before began again at 0. */
  #count(proxies: readonly Scraped[]): Float64Array {
    this.#boundsMs = proxies[0]?.boundsMs ?? [];
    const counted = Float64Array.from(proxies.flatMap(({ counters }) => SERIES.map((series) => counters[series]!)));
    const before = this.#counted ?? new Float64Array(counted.length);
    this.#totals = this.#totals.slice();
    counted.forEach((count, index) => {
      const grown = count - before[index]!;
      this.#totals[index % SERIES.length]! += grown < 0 ? count : grown;
    });
    this.#counted = counted;
    return this.#totals;
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
        reading: windowed(windowMs, ({ of, elapsedMs }) => value((1000 * of('arrivals')) / elapsedMs)),
      })),
      waiting: gauge(({ waitingInProxies, waitingInPods }) => waitingInProxies + waitingInPods),
      running: gauge(({ running }) => running),
      completionRate: windowed(this.#longestMs, ({ of, elapsedMs }) => value((1000 * of('answers')) / elapsedMs)),
      serviceMs: windowed(this.#longestMs, ({ of }) => ratio(of('upstreamMs'), of('answers'))),
      serviceP95Ms: windowed(this.#longestMs, (increase) => this.#serviceQuantile(0.95, increase)),
      badShares: this.#badShareWindowsMs.map((windowMs) => ({
        windowMs,
        reading: windowed(windowMs, ({ of }) => ratio(of('bad'), of('ended'))),
      })),
      slots: gauge(({ pods, slotsPerPod }) => (pods > 0 ? slotsPerPod : undefined)),
    };
  }

  /** As `increase()` of Prometheus, without its extrapolation. */
  #increase(windowMs: number, at: number): Increase | undefined {
    const isWithin = (sample: Sample) => sample.totals !== undefined && sample.at <= at && sample.at > at - windowMs;
    const first = this.#samples.find(isWithin);
    const last = this.#samples.findLast(isWithin);
    if (first === undefined || last === undefined || first === last) return undefined;
    return {
      of: (counter) => last.totals![SERIES.indexOf(counter)]! - first.totals![SERIES.indexOf(counter)]!,
      elapsedMs: last.at - first.at,
    };
  }

  /** `histogram_quantile`: linear within a bucket; what is beyond the last bound is at it. */
  #serviceQuantile(quantile: number, { of }: Increase): Reading {
    const answers = of('answers');
    if (answers === 0) return { kind: 'nan' };
    let below = 0;
    for (const [index, bucket] of PROXY_BUCKETS.entries()) {
      const within = of(bucket);
      if (below + within >= quantile * answers) {
        const from = this.#boundsMs[index - 1] ?? 0;
        return value(from + ((this.#boundsMs[index]! - from) * (quantile * answers - below)) / within);
      }
      below += within;
    }
    return value(this.#boundsMs.at(-1)!);
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
      serviceP95Ms: failed,
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
