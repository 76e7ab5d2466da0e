/** The metrics of the proxy, with the verbs its code uses; made for tens of thousands of requests a second. */
import { type Counter, collectDefaultMetrics, type Gauge, Registry } from 'prom-client';
import type { ErrorCode } from './error-catalogue.ts';
import { type HistogramSeries, KeptHistogram } from './kept-histogram.ts';
import {
  durationBuckets,
  ENDPOINT_STATES,
  type EndpointState,
  METRICS,
  RETRY_REASONS,
  type RetryReason,
} from './metric-catalogue.ts';
import { registerCounter, registerGauge } from './metric-registration.ts';

/** A route at one moment. */
export interface RouteGauges {
  /** Requests that are with a pod. */
  readonly inFlight: number;
  /** Requests that wait for a pod. */
  readonly waiting: number;
  /** How many pods are in each state; 0 where it is not named. */
  readonly endpoints: Readonly<Partial<Record<EndpointState, number>>>;
}

export interface ProxyMetricsOptions {
  readonly objectiveSeconds: number;
}

/** Those that any proxy has sooner or later; others appear with their first request. */
const USUAL_STATUSES = [200, 429, 499, 502, 503, 504] as const;
const USUAL_REJECTIONS = [
  'queue_full',
  'rate_limit_exceeded',
  'invalid_api_key',
  'no_backend',
  'upstream_failed',
  'deadline_exceeded',
  'draining',
] as const satisfies readonly ErrorCode[];

/** A count in a plain number, handed to prom-client when somebody reads: its counters join their labels at every call. */
class Tally {
  readonly #counter: Counter.Internal;
  #pending = 0;

  constructor(counter: Counter.Internal) {
    this.#counter = counter;
    // A series that appears with its first event hides that event from `rate()`.
    counter.inc(0);
  }

  add(): void {
    this.#pending += 1;
  }

  handOver(): void {
    if (this.#pending > 0) this.#counter.inc(this.#pending);
    this.#pending = 0;
  }
}

interface StatusSeries {
  readonly requests: Tally;
  readonly durations: HistogramSeries;
}

/** Whatever has a label `route`, at hand for one of them. */
interface RouteSeries {
  readonly arrivals: Tally;
  readonly statuses: Map<number, StatusSeries>;
  readonly upstream: HistogramSeries;
  readonly retries: Readonly<Record<RetryReason, Tally>>;
  readonly ejections: Tally;
  readonly rejections: Map<ErrorCode, Tally>;
  read: () => RouteGauges;
}

/** One registry per instance, so that tests and several apps in one process do not share counts. */
export class ProxyMetrics {
  readonly #registry = new Registry();
  readonly #routes = new Map<string, RouteSeries>();
  readonly #tallies: Tally[] = [];
  readonly #arrivals: Counter<'route'>;
  readonly #requests: Counter<'route' | 'status'>;
  readonly #retries: Counter<'route' | 'reason'>;
  readonly #ejections: Counter<'route'>;
  readonly #rejected: Counter<'route' | 'reason'>;
  readonly #inFlight: Gauge<'route'>;
  readonly #waiting: Gauge<'route'>;
  readonly #endpoints: Gauge<'route' | 'state'>;
  readonly #requestDuration: KeptHistogram;
  readonly #upstreamDuration: KeptHistogram;

  constructor({ objectiveSeconds }: ProxyMetricsOptions) {
    const registry = this.#registry;
    const buckets = durationBuckets(objectiveSeconds);
    this.#arrivals = registerCounter(METRICS.proxyArrivals, registry);
    this.#requests = registerCounter(METRICS.proxyRequests, registry);
    this.#retries = registerCounter(METRICS.proxyRetries, registry);
    this.#ejections = registerCounter(METRICS.proxyEjections, registry);
    this.#rejected = registerCounter(METRICS.proxyRejected, registry);
    this.#inFlight = registerGauge(METRICS.proxyInFlight, registry);
    this.#waiting = registerGauge(METRICS.proxyWaiting, registry);
    this.#endpoints = registerGauge(METRICS.proxyEndpoints, registry);
    this.#requestDuration = new KeptHistogram({ ...METRICS.proxyRequestDuration, buckets });
    this.#upstreamDuration = new KeptHistogram({ ...METRICS.proxyUpstreamDuration, buckets });
    collectDefaultMetrics({ register: registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The exposition in Prometheus' text format; asks every route for its gauges. */
  async render(): Promise<string> {
    for (const tally of this.#tallies) tally.handOver();
    for (const [route, { read }] of this.#routes) this.#setGauges(route, read());
    return `${await this.#registry.metrics()}\n${this.#requestDuration.render()}\n${this.#upstreamDuration.render()}`;
  }

  /** From here on every series of the route is there, at 0. A route that was not added is with its first event. */
  addRoute(route: string): void {
    this.#of(route);
  }

  /** @param read called when somebody reads the metrics; must be quick */
  observe(route: string, read: () => RouteGauges): void {
    this.#of(route).read = read;
  }

  /** Before anything can refuse it. */
  arrived(route: string): void {
    this.#of(route).arrivals.add();
  }

  /** @param status 499 where the client went away; @param durationMs of a stream, to its first token */
  requestEnded(route: string, status: number, durationMs: number): void {
    const { requests, durations } = this.#ofStatus(route, this.#of(route), status);
    requests.add();
    durations.observe(durationMs / 1000);
  }

  /** @param durationMs of the last attempt alone */
  upstreamEnded(route: string, durationMs: number): void {
    this.#of(route).upstream.observe(durationMs / 1000);
  }

  retried(route: string, reason: RetryReason): void {
    this.#of(route).retries[reason].add();
  }

  ejected(route: string): void {
    this.#of(route).ejections.add();
  }

  /** The proxy itself refused; an error that a pod answered with is not one. */
  rejected(route: string, code: ErrorCode): void {
    const { rejections } = this.#of(route);
    this.#ofCode(route, rejections, code).add();
  }

  #of(route: string): RouteSeries {
    return this.#routes.get(route) ?? this.#begin(route);
  }

  #begin(route: string): RouteSeries {
    const series: RouteSeries = {
      arrivals: this.#tally(this.#arrivals.labels(route)),
      statuses: new Map(),
      upstream: this.#upstreamDuration.series({ route }),
      retries: Object.fromEntries(
        RETRY_REASONS.map((reason) => [reason, this.#tally(this.#retries.labels(route, reason))]),
      ) as Record<RetryReason, Tally>,
      ejections: this.#tally(this.#ejections.labels(route)),
      rejections: new Map(),
      read: () => ({ inFlight: 0, waiting: 0, endpoints: {} }),
    };
    for (const status of USUAL_STATUSES) this.#ofStatus(route, series, status);
    for (const code of USUAL_REJECTIONS) this.#ofCode(route, series.rejections, code);
    this.#routes.set(route, series);
    return series;
  }

  #ofStatus(route: string, { statuses }: RouteSeries, status: number): StatusSeries {
    const known = statuses.get(status);
    if (known !== undefined) return known;
    const series = {
      requests: this.#tally(this.#requests.labels(route, String(status))),
      durations: this.#requestDuration.series({ route, status: String(status) }),
    };
    statuses.set(status, series);
    return series;
  }

  #ofCode(route: string, rejections: Map<ErrorCode, Tally>, code: ErrorCode): Tally {
    const known = rejections.get(code);
    if (known !== undefined) return known;
    const tally = this.#tally(this.#rejected.labels(route, code));
    rejections.set(code, tally);
    return tally;
  }

  #tally(counter: Counter.Internal): Tally {
    const tally = new Tally(counter);
    this.#tallies.push(tally);
    return tally;
  }

  #setGauges(route: string, { inFlight, waiting, endpoints }: RouteGauges): void {
    this.#inFlight.set({ route }, inFlight);
    this.#waiting.set({ route }, waiting);
    for (const state of ENDPOINT_STATES) this.#endpoints.set({ route, state }, endpoints[state] ?? 0);
  }
}
