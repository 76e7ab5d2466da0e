/** A proxy as a whole: two servers that listen at once, routes to pods, and an end in order. */

import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Lifecycle } from '@ragscale/service/lifecycle';
import { ProxyMetrics } from '@ragscale/service/proxy-metrics';
import { shutDown } from '@ragscale/service/shutdown';
import type { Tracing } from '@ragscale/service/tracing';
import type { Logger } from 'pino';
import { AccessLog } from './access-log.ts';
import { createAdministration, type EndpointReport } from './administration.ts';
import { ApiKeyFile } from './api-key-file.ts';
import type { Configuration } from './configuration.ts';
import { Crowd } from './crowd.ts';
import { CombinedDiscovery } from './discovery/combined-discovery.ts';
import { openDiscovery } from './discovery/open-discovery.ts';
import { RegistrationDiscovery } from './discovery/registration-discovery.ts';
import { Exchange } from './exchange.ts';
import type { ExchangeParts } from './exchange-parts.ts';
import { KeyGate } from './key-gate.ts';
import { ProxyCount } from './proxy-count.ts';
import { PublicPaths } from './public-paths.ts';
import { BodyBudget } from './request-body.ts';
import type { Route } from './route.ts';
import { RouteChoice } from './route-choice.ts';
import { OpenRoute } from './route-opening.ts';
import { createPublicServer } from './server.ts';
import { exchangeSettings } from './settings.ts';

export interface ProxyOptions {
  readonly configuration: Configuration;
  readonly logger: Logger;
  /** For a line per request; `logger` without it. */
  readonly requestLogger?: Logger | undefined;
  /** Where traces go; none without it. */
  readonly tracing?: Tracing | undefined;
}

/** Time for the last traces to leave, in milliseconds. */
const TRACES_TIMEOUT_MS = 2_000;

export class RagProxy {
  readonly #options: ProxyOptions;
  readonly #lifecycle = new Lifecycle();
  readonly #metrics: ProxyMetrics;
  readonly #exchanges = new Crowd<Exchange>();
  readonly #bodies: BodyBudget;
  readonly #registration: RegistrationDiscovery | undefined;
  readonly #keyFile: ApiKeyFile | undefined;
  readonly #accessLog: AccessLog;
  readonly #count: ProxyCount;
  readonly #open: readonly OpenRoute[];
  readonly #byRoute: ReadonlyMap<Route, OpenRoute>;
  readonly #public: Server;
  readonly #admin: Server;
  #ending: Promise<number> | undefined;

  /** @throws ApiKeyFileError */
  constructor(options: ProxyOptions) {
    this.#options = options;
    const { configuration, logger, requestLogger = logger, tracing } = options;
    const { apiKeysFile, maxConnections } = configuration;
    this.#bodies = new BodyBudget(configuration.maxBufferedBytes);
    this.#metrics = new ProxyMetrics({ objectiveSeconds: configuration.objectiveSeconds });
    this.#registration = configuration.registration === 'on' ? new RegistrationDiscovery() : undefined;
    this.#count = new ProxyCount(configuration, logger);
    this.#open = this.#openRoutes();
    this.#byRoute = new Map(this.#open.map((open) => [open.route, open]));
    this.#keyFile = apiKeysFile === undefined ? undefined : new ApiKeyFile({ path: apiKeysFile, logger });
    const sampleRate = configuration.accessLogPercent / 100;
    this.#accessLog = new AccessLog({ logger: requestLogger, sampleRate, random: Math.random });
    const parts: ExchangeParts = {
      settings: exchangeSettings(configuration),
      routes: new RouteChoice([...this.#byRoute.keys()], Math.random),
      paths: new PublicPaths(configuration.publicPaths),
      keys: this.#keyGate(),
      bodies: this.#bodies,
      metrics: this.#metrics,
      accessLog: this.#accessLog,
      tracing,
      logger,
      lifecycle: this.#lifecycle,
      exchanges: this.#exchanges,
      onBusy: (route, endpoint, seconds, now) => this.#byRoute.get(route)?.turnedAway(endpoint, seconds, now),
      onFailed: (route, endpoint, kind, now) => this.#byRoute.get(route)?.failed(endpoint, kind, now),
    };
    this.#public = createPublicServer({
      maxConnections,
      onRequest: (request, response) => new Exchange(parts, request, response),
      onClientError: ({ code, status }) => logger.info({ error: code, status }, 'not a request'),
    });
    this.#admin = createAdministration({
      lifecycle: this.#lifecycle,
      metrics: this.#metrics,
      logger,
      endpoints: () => this.#report(),
      registration: this.#registrationCalls(),
    });
  }

  /** Requests that have not ended, and what their bodies take. */
  get held(): { readonly requests: number; readonly bodyBytes: number } {
    return { requests: this.#exchanges.size, bodyBytes: this.#bodies.used };
  }

  /**
   * Listens; probes are answered from now on.
   * @throws what `net.Server.listen` gives, such as EADDRINUSE
   */
  async listen(): Promise<{ readonly port: number; readonly adminPort: number }> {
    const { host, port, adminHost, adminPort } = this.#options.configuration;
    return {
      port: await listen(this.#public, port, host),
      adminPort: await listen(this.#admin, adminPort, adminHost ?? host),
    };
  }

  /**
   * Finds the pods; ready when they are known, whatever their state: with none, requests are held.
   * Rejects with a ConfigurationError where Kubernetes is named and there are no credentials for it.
   */
  async start(): Promise<void> {
    await Promise.all([this.#count.start(), ...this.#open.map((open) => open.start())]);
    this.#lifecycle.advance('ready');
  }

  /**
   * Ends in order, once however often it is called.
   * @returns how many requests had to be aborted
   */
  shutDown(): Promise<number> {
    const { drainDelayMs, shutdownTimeoutMs } = this.#options.configuration;
    this.#ending ??= shutDown({
      lifecycle: this.#lifecycle,
      drainDelayMs,
      timeoutMs: shutdownTimeoutMs,
      stopListening: () => {
        this.#public.close();
        this.#public.closeIdleConnections();
      },
      abort: () => {
        for (const exchange of this.#exchanges.all()) exchange.abort();
      },
      close: () => this.#close(),
    });
    return this.#ending;
  }

  async #close(): Promise<void> {
    this.#public.closeAllConnections();
    this.#admin.close();
    this.#admin.closeAllConnections();
    this.#keyFile?.stop();
    this.#accessLog.close();
    await Promise.all([this.#count.stop(), ...this.#open.map((open) => open.stop())]);
    await this.#options.tracing?.shutDown(TRACES_TIMEOUT_MS);
  }

  #openRoutes(): readonly OpenRoute[] {
    const { configuration, logger } = this.#options;
    return configuration.routes.map((spec, index) => {
      const registration = index === 0 && this.#registration !== undefined ? [this.#registration] : [];
      const sources = spec.sources.length === 0 ? [] : [openDiscovery(spec, { logger, zone: configuration.zone })];
      const discovery = new CombinedDiscovery([...sources, ...registration]);
      const proxies = () => this.#count.proxies;
      return new OpenRoute({ spec, discovery, configuration, metrics: this.#metrics, logger, proxies });
    });
  }

  #keyGate(): KeyGate | undefined {
    const file = this.#keyFile;
    return file === undefined ? undefined : new KeyGate({ keys: () => file.keys, proxies: () => this.#count.proxies });
  }

  #registrationCalls() {
    const registration = this.#registration;
    if (registration === undefined) return undefined;
    return {
      register: (url: string) => registration.register(url),
      unregister: (url: string) => registration.unregister(url),
      assign: () => this.#open[0]?.route.group.pick(undefined, [])?.origin,
    };
  }

  #report(): Record<string, EndpointReport[]> {
    const now = performance.now();
    return Object.fromEntries(
      this.#open.map(({ route }) => [
        route.name,
        route.group.endpoints.map((endpoint) => ({
          id: endpoint.id,
          state: endpoint.stateAt(now),
          inFlight: endpoint.inFlight,
          cap: endpoint.cap,
          weight: endpoint.weight,
          latencyMs: endpoint.latencyMs ?? null,
        })),
      ]),
    );
  }
}

async function listen(server: Server, port: number, host: string): Promise<number> {
  server.listen(port, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
