/** What do the proxies and pods of a local system say of themselves? The same readings as through Prometheus, without one. */
import type { Reading } from '@ragscale/scaling/observation';
import { type Clock, realClock } from '@ragscale/service/clock';
import type { Measured, MeasuredTarget, Measurements } from '../measurements.ts';
import { CountHistory, type Increase } from './count-history.ts';
import { boundFor, isSameBound } from './good-answers.ts';
import { type PodGauges, readPods } from './pod-gauges.ts';
import { quantileOf, SERVICE_QUANTILE } from './quantile.ts';
import { EMPTY, readingOf, windowed } from './readings.ts';
import { ReadySince, scrapedByNow } from './ready-since.ts';
import { podGaugesIn, proxyCountsIn } from './scraped-counts.ts';
import { type Fetch, MetricsFetcher, Scraper } from './scraper.ts';
import { judge } from './signals.ts';
import { windowsFor } from './windows.ts';

export interface ScrapedMeasurementsOptions {
  /** Administration URLs of the proxies, by name. */
  readonly proxies: () => ReadonlyMap<string, string>;
  /** URLs of the pods, by the names that `FleetState.readyPods` has. */
  readonly pods: () => ReadonlyMap<string, string>;
  readonly clock?: Clock;
  /** Between two scrapes; one second unless given. */
  readonly intervalMs?: number;
  /** In place of HTTP. */
  readonly fetch?: Fetch;
}

/** A proxy or pod that was not heard of for so many scrapes is out of reach. */
const SCRAPES_TO_SILENCE = 3;
const TIMEOUT_MS = 1_000;
const KEPT_MS = 300_000;
const SECOND = 1_000;

/** One route of one proxy. */
interface Counted {
  readonly proxy: string;
  readonly history: CountHistory;
  /** It is still one of the proxies. */
  readonly isThere: boolean;
}

export class ScrapedMeasurements implements Measurements {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #fetcher: MetricsFetcher | undefined;
  readonly #proxies: Scraper;
  readonly #pods: Scraper;
  /** By proxy and route. A proxy that has gone counts as long as its requests are in a window. */
  readonly #histories = new Map<string, Map<string, CountHistory>>();
  /** When each proxy answered last. */
  readonly #heardAt = new Map<string, number>();
  readonly #gauges = new Map<string, { readonly at: number; readonly gauges: PodGauges }>();
  readonly #readySince = new ReadySince();
  /** How long samples are kept: for the longest window that was asked for, and before any was. */
  #keepMs = KEPT_MS;

  constructor(options: ScrapedMeasurementsOptions) {
    const { clock = realClock, intervalMs = SECOND } = options;
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#fetcher = options.fetch === undefined ? new MetricsFetcher(TIMEOUT_MS) : undefined;
    const fetch = options.fetch ?? this.#fetcher!.fetch;
    const parts = { fetch, clock, intervalMs };
    this.#proxies = new Scraper({ ...parts, sources: options.proxies, onText: this.#learnProxy });
    this.#pods = new Scraper({ ...parts, sources: options.pods, onText: this.#learnPod });
  }

  /** Scrapes from now on. */
  start(): void {
    this.#proxies.start();
    this.#pods.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#proxies.stop(), this.#pods.stop()]);
    await this.#fetcher?.close();
  }

  measure(targets: readonly MeasuredTarget[]): Promise<ReadonlyMap<string, Measured>> {
    const now = this.#clock.now();
    const measured = new Map(targets.map((target) => [target.target.id, this.#read(target, now)]));
    this.#forgetGone(now);
    return Promise.resolve(measured);
  }

  #read({ target, readyPods }: MeasuredTarget, now: number): Measured {
    const windows = windowsFor(target.policy, this.#intervalMs);
    const { arrivalsMs, badSharesMs, longestMs } = windows;
    this.#keepMs = Math.max(this.#keepMs, ...arrivalsMs, ...badSharesMs);
    const counted = this.#countedOf(target.route);
    const there = counted.filter(({ isThere }) => isThere);
    const bound = boundFor(target.policy.objective.latencyMs, commonBounds(there));
    const since = this.#readySince.observe(target.id, readyPods, now);
    const silent = this.#proxies.names.filter((proxy) => this.#isSilent(this.#heardAt.get(proxy), now));
    const pods = readPods(scrapedByNow(since, target, this.#intervalMs, now), (pod) => this.#gaugesOf(pod, now));
    const ages = there.map(({ history }) => now - history.latestAt);
    const uncovered: string[] = [];
    const rate = (windowMs: number, of: (counts: Increase['counts']) => number): Reading => {
      const increases = increasesOf(counted, windowMs, now);
      const whole = increases.filter(({ isThere, increase }) => isThere && increase.isWhole);
      // Of the time that was seen: where scrapes failed it is an average of less.
      const isCovered = whole.length > 0 && whole.every(({ increase }) => increase.elapsedMs >= windowMs / 2);
      if (!isCovered) {
        uncovered.push(`${windowMs / SECOND} s`);
        return EMPTY;
      }
      return readingOf(
        increases.reduce((sum, { increase, isThere }) => {
          // One that came or went in the window had no requests in the rest of it.
          return sum + (SECOND * of(increase.counts)) / (isThere && increase.isWhole ? increase.elapsedMs : windowMs);
        }, 0),
      );
    };
    const arrivalRates = windowed(arrivalsMs, (windowMs) => rate(windowMs, ({ arrivals }) => arrivals));
    const tooFew =
      uncovered.length === 0 || there.length === 0 ? undefined : `too few samples for the last ${uncovered.join(', ')}`;
    const service = increasesOf(counted, longestMs, now).map(({ increase }) => increase.counts);
    return judge({
      windows,
      arrivalRates,
      proxyWaiting: readingOf(there.length === 0 ? undefined : sum(there, ({ history }) => history.latest.waiting)),
      pods,
      completionRate: rate(longestMs, ({ upstream }) => upstream.at(-1) ?? 0),
      serviceMs: readingOf(meanMs(service)),
      serviceP95Ms: readingOf(quantileMs(service)),
      badShares: windowed(badSharesMs, (windowMs) => {
        const counts = increasesOf(counted, windowMs, now).map(({ increase }) => increase.counts);
        return readingOf(bound === undefined ? undefined : badShare(counts, bound));
      }),
      ageMs: ages.length === 0 ? undefined : Math.max(...ages),
      podAgeMs: undefined,
      lostProxies: silent.map((proxy) => `proxy ${proxy} (${this.#proxies.failureOf(proxy) ?? 'not asked yet'})`),
      scrapeIntervalMs: this.#intervalMs,
      boundMs: bound === undefined ? undefined : SECOND * bound,
      troubles: [
        there.length === 0 && silent.length === 0 ? `no proxy has the route ${target.route}` : undefined,
        tooFew,
        there.length > 0 && bound === undefined
          ? "no bound of the proxy's histogram is as low as the objective"
          : undefined,
      ],
    });
  }

  readonly #learnProxy = (proxy: string, text: string, at: number): void => {
    const counts = proxyCountsIn(text);
    const routes = this.#histories.get(proxy) ?? new Map<string, CountHistory>();
    this.#histories.set(proxy, routes);
    this.#heardAt.set(proxy, at);
    for (const [route, ofRoute] of counts) {
      const history = routes.get(route);
      if (history === undefined) routes.set(route, new CountHistory(ofRoute, at));
      else history.add(ofRoute, at, this.#keepMs);
    }
  };

  readonly #learnPod = (pod: string, text: string, at: number): void => {
    this.#gauges.set(pod, { at, gauges: podGaugesIn(text) });
  };

  #countedOf(route: string): Counted[] {
    const names = new Set(this.#proxies.names);
    return [...this.#histories].flatMap(([proxy, routes]) => {
      const history = routes.get(route);
      return history === undefined ? [] : [{ proxy, history, isThere: names.has(proxy) }];
    });
  }

  #gaugesOf(pod: string, now: number): PodGauges | undefined {
    const found = this.#gauges.get(pod);
    return this.#isSilent(found?.at, now) ? undefined : found?.gauges;
  }

  #isSilent(heardAt: number | undefined, now: number): boolean {
    return heardAt === undefined || now - heardAt > SCRAPES_TO_SILENCE * this.#intervalMs;
  }

  #forgetGone(now: number): void {
    const names = new Set(this.#proxies.names);
    for (const [proxy, at] of this.#heardAt) {
      if (names.has(proxy) || now - at <= this.#keepMs) continue;
      this.#heardAt.delete(proxy);
      this.#histories.delete(proxy);
    }
    const pods = new Set(this.#pods.names);
    for (const pod of this.#gauges.keys()) if (!pods.has(pod)) this.#gauges.delete(pod);
  }
}

function increasesOf(counted: readonly Counted[], windowMs: number, now: number) {
  return counted.flatMap(({ history, isThere }) => {
    const increase = history.increase(windowMs, now);
    return increase === undefined ? [] : [{ increase, isThere }];
  });
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

/** Those that every proxy has. */
function commonBounds(there: readonly Counted[]): number[] {
  const [first, ...others] = there.map(({ history }) => history.latest.bounds);
  return (first ?? []).filter((bound) => others.every((bounds) => bounds.some((other) => isSameBound(other, bound))));
}

function meanMs(counts: readonly Increase['counts'][]): number | undefined {
  if (counts.length === 0) return undefined;
  return (
    (SECOND * sum(counts, ({ upstreamSeconds }) => upstreamSeconds)) /
    sum(counts, ({ upstream }) => upstream.at(-1) ?? 0)
  );
}

/** Only of those with the same bounds as the first: while an objective is changed there are others for a moment. */
function quantileMs(counts: readonly Increase['counts'][]): number | undefined {
  const [first] = counts;
  if (first === undefined) return undefined;
  const alike = counts.filter(
    ({ bounds }) => bounds.length === first.bounds.length && bounds.every((bound, at) => bound === first.bounds[at]),
  );
  const within = first.upstream.map((_, at) => sum(alike, ({ upstream }) => upstream[at]!));
  return SECOND * quantileOf(SERVICE_QUANTILE, first.bounds, within);
}

/** NaN where no request counts. */
function badShare(counts: readonly Increase['counts'][], boundSeconds: number): number | undefined {
  if (counts.length === 0) return undefined;
  const good = sum(
    counts,
    ({ bounds, good }) => good[bounds.findIndex((bound) => isSameBound(bound, boundSeconds))] ?? 0,
  );
  const counted = sum(counts, (of) => of.counted);
  return counted === 0 ? Number.NaN : Math.max(0, 1 - good / counted);
}
