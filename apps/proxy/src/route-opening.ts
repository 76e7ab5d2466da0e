/** How one route is put together: discovery finds its pods, probes watch them, the group chooses among them, the line waits for them. */
import { createPolicy } from '@ragscale/balancing/create-policy';
import type { FailureKind } from '@ragscale/balancing/health';
import { RecentQuantile } from '@ragscale/balancing/recent-quantile';
import { DEFAULT_RETRY_BUDGET, RetryBudget } from '@ragscale/balancing/retry-budget';
import type { ProxyMetrics } from '@ragscale/service/proxy-metrics';
import type { Logger } from 'pino';
import type { Configuration } from './configuration.ts';
import type { RouteSpec } from './discovery/backends.ts';
import type { Discovery } from './discovery/discovery.ts';
import type { Endpoint } from './endpoint.ts';
import { EndpointGroup } from './endpoint-group.ts';
import { type Probe, Prober } from './prober.ts';
import { Route } from './route.ts';
import { endpointSettings } from './settings.ts';

export interface OpeningParts {
  readonly spec: RouteSpec;
  readonly discovery: Discovery;
  readonly configuration: Configuration;
  readonly metrics: ProxyMetrics;
  readonly logger: Logger;
  readonly proxies: () => number;
}

/** Ejections and pauses end with time: looked at this often, in milliseconds. */
const REFRESH_MS = 100;

export class OpenRoute {
  readonly route: Route;
  readonly #parts: OpeningParts;
  readonly #probers = new Map<Endpoint, Prober>();
  #refreshing: NodeJS.Timeout | undefined;
  #stopped = false;
  /** Whether all pods were asked since no hope is left. */
  #askedAll = false;

  constructor(parts: OpeningParts) {
    this.#parts = parts;
    const { spec, configuration, metrics, proxies } = parts;
    const group = new EndpointGroup({
      policy: createPolicy(configuration.policy),
      settings: endpointSettings(configuration, proxies),
      failOpenBelow: configuration.failOpenPercent / 100,
      random: Math.random,
      onAdded: (endpoint) => this.#added(endpoint),
      onRemoved: (endpoint) => this.#removed(endpoint),
    });
    this.route = new Route({
      name: spec.name,
      weight: spec.weight,
      group,
      limits: {
        requests: configuration.maxQueuedRequests,
        tokens: configuration.maxQueuedBytes,
        objectiveMs:
          configuration.refuseBeyond === 'objective' ? configuration.objectiveSeconds * 1000 : Number.POSITIVE_INFINITY,
        refusesEarly: true,
      },
      retries: new RetryBudget({ ...DEFAULT_RETRY_BUDGET, share: configuration.retryBudgetPercent / 100 }),
      hedges: new RetryBudget({
        ...DEFAULT_RETRY_BUDGET,
        share: configuration.hedgeBudgetPercent / 100,
        minPerSecond: 0,
      }),
      beginnings: new RecentQuantile(),
    });
    metrics.addRoute(spec.name);
    metrics.observe(spec.name, () => ({
      inFlight: this.route.inFlight,
      waiting: this.route.waiting,
      endpoints: group.countStates(performance.now()),
    }));
  }

  /** Resolves when the pods are known and each was probed once, or has had the time for it. */
  async start(): Promise<void> {
    await this.#parts.discovery.start((found) => {
      const now = performance.now();
      this.route.group.update(found);
      this.#parts.logger.info({ route: this.route.name, pods: found.length }, 'pods found');
      this.#refresh(now);
      this.route.pump(now);
    });
    if (this.#stopped) return;
    this.#refreshing = setInterval(() => this.#tick(), REFRESH_MS);
    const { endpoints } = this.route.group;
    await Promise.all(endpoints.map((endpoint) => this.#firstProbe.get(endpoint)?.promise));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#refreshing);
    await this.#parts.discovery.stop();
    for (const prober of this.#probers.values()) prober.stop();
    await Promise.all(this.route.group.endpoints.map(({ pool }) => pool.destroy().catch(() => undefined)));
  }

  /** A pod has turned a request away: it is left alone for a while, and asked whether it leaves. */
  turnedAway(endpoint: Endpoint, retryAfterSeconds: number, now: number): void {
    endpoint.refusedFor(retryAfterSeconds, now);
    this.#probers.get(endpoint)?.probe();
  }

  failed(endpoint: Endpoint, kind: FailureKind, now: number): void {
    const ejected = endpoint.health.failed(kind, now);
    if (ejected) {
      this.#parts.metrics.ejected(this.route.name);
      this.#parts.logger.warn({ route: this.route.name, pod: endpoint.id, reason: kind }, 'a pod is taken out');
    }
    this.#refresh(now);
    // A probe finds out sooner than the next request whether it is back.
    if (kind !== 'status') this.#probers.get(endpoint)?.probe();
  }

  readonly #firstProbe = new Map<Endpoint, PromiseWithResolvers<void>>();

  #added(endpoint: Endpoint): void {
    const { probeIntervalMs: intervalMs, probeTimeoutMs: timeoutMs } = this.#parts.configuration;
    const prober = new Prober(endpoint.origin, { intervalMs, timeoutMs }, (probe) => this.#probed(endpoint, probe));
    this.#firstProbe.set(endpoint, Promise.withResolvers());
    this.#probers.set(endpoint, prober);
    prober.probe();
  }

  #removed(endpoint: Endpoint): void {
    this.#probers.get(endpoint)?.stop();
    this.#probers.delete(endpoint);
    this.#firstProbe.get(endpoint)?.resolve();
    this.#firstProbe.delete(endpoint);
  }

  #probed(endpoint: Endpoint, { result, slots }: Probe): void {
    const now = performance.now();
    const before = endpoint.stateAt(now);
    endpoint.announced(slots);
    endpoint.health.probed(result, now);
    this.#firstProbe.get(endpoint)?.resolve();
    endpoint.isAsked = false;
    this.#refresh(now);
    const after = endpoint.stateAt(now);
    if (after !== before) {
      this.#parts.logger.info(
        { route: this.route.name, pod: endpoint.id, before, after, probe: result },
        'a pod has changed',
      );
    }
    // A pod that does not even answer probes will not answer what has not begun: others may.
    if (after === 'unhealthy') for (const attempt of endpoint.attempts.all()) attempt.silent();
    this.route.pump(now);
  }

  #tick(): void {
    const now = performance.now();
    this.#refresh(now);
    if (this.route.waiting > 0) this.route.pump(now);
  }

  /** Before the last hope goes all are asked once more: one may be back since its latest probe. */
  #refresh(now: number): void {
    const { group } = this.route;
    group.refresh(now);
    if (group.forlorn && !this.#askedAll) {
      for (const [endpoint, prober] of this.#probers) {
        endpoint.isAsked = true;
        prober.probe();
      }
    }
    this.#askedAll = group.forlorn;
  }
}
