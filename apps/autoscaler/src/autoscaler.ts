/** What makes an autoscaler of a cluster, in which order does it start, and in which does it end? */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import type { KubeConfig } from '@kubernetes/client-node';
import { KubernetesClient } from '@ragscale/kubernetes/api-client';
import { namespaceOf } from '@ragscale/kubernetes/credentials';
import { AutoscalerMetrics } from '@ragscale/service/autoscaler-metrics';
import { realClock } from '@ragscale/service/clock';
import { Lifecycle } from '@ragscale/service/lifecycle';
import type { Logger } from 'pino';
import { createAdministration } from './administration.ts';
import type { Configuration } from './configuration.ts';
import { ControlLoop } from './control-loop.ts';
import { electionLog } from './election-log.ts';
import { ClusterSide } from './kubernetes/cluster-side.ts';
import { LeaderElection } from './leader-election.ts';
import { ALONE, type Leadership } from './leadership.ts';
import { KubernetesLeaseStore } from './lease.ts';
import { LogReporter } from './log-reporter.ts';
import { PrometheusMeasurements } from './measuring/prometheus-measurements.ts';
import { MetricsReporter } from './metrics-reporter.ts';
import { Reporters } from './reporters.ts';

export interface AutoscalerOptions {
  readonly configuration: Configuration;
  readonly config: KubeConfig;
  readonly logger: Logger;
}

/** Renewals must not wait behind two hundred writes: the election has connections of its own. */
const ELECTION_REQUESTS = 2;

export class Autoscaler {
  readonly #options: AutoscalerOptions;
  readonly #lifecycle = new Lifecycle();
  readonly #metrics = new AutoscalerMetrics();
  readonly #api: KubernetesClient;
  readonly #electionApi: KubernetesClient;
  /** Undefined where there is never another. */
  readonly #election: LeaderElection | undefined;
  readonly #cluster: ClusterSide;
  readonly #measurements: PrometheusMeasurements;
  readonly #loop: ControlLoop;
  readonly #server: Server;
  #ending: Promise<void> | undefined;

  constructor(options: AutoscalerOptions) {
    this.#options = options;
    const { configuration, config, logger } = options;
    const podName = configuration.podName ?? hostname();
    const clock = realClock;
    const periodMs = configuration.periodSeconds * 1_000;
    this.#api = new KubernetesClient(config);
    this.#electionApi = new KubernetesClient(config, { atOnce: ELECTION_REQUESTS });
    this.#election = this.#openElection(podName);
    const leadership: Leadership = this.#election ?? ALONE;
    this.#cluster = new ClusterSide({
      config,
      api: this.#api,
      namespaces: configuration.namespaces ?? [namespaceOf(config)],
      leadership,
      clock,
      logger,
      instance: podName,
    });
    this.#measurements = new PrometheusMeasurements({
      url: configuration.prometheusUrl,
      timeoutMs: configuration.prometheusTimeoutSeconds * 1_000,
      tokenFile: configuration.prometheusTokenFile,
      caFile: configuration.prometheusCaFile,
      clock,
    });
    const reporters = [new MetricsReporter(this.#metrics), new LogReporter(logger), this.#cluster.reporter];
    this.#loop = new ControlLoop({
      fleet: this.#cluster.fleet,
      measurements: this.#measurements,
      reporter: new Reporters(reporters, logger),
      leadership,
      clock,
      periodMs,
      logger,
      onRound: (durationMs) => this.#metrics.roundEnded(durationMs),
    });
    this.#server = createAdministration({
      lifecycle: this.#lifecycle,
      metrics: this.#metrics,
      heartbeat: this.#loop,
      periodMs,
      now: clock.now,
      logger,
    });
    this.#metrics.observeLeader(this.#lease, () => leadership.remainingMs() > 0);
  }

  /**
   * Probes are answered from now on.
   * @returns the port @throws what `net.Server.listen` gives, such as EADDRINUSE
   */
  async listen(): Promise<number> {
    const { host, port } = this.#options.configuration;
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ready when it is known what is to be scaled, and what there is of it; resolves as well when it is told to end before. */
  async start(): Promise<void> {
    await this.#cluster.start((targets) => this.#loop.setTargets(targets));
    if (this.#ending !== undefined) return;
    // Not before: a leader who knows of no targets would only keep others from leading.
    this.#election?.start();
    this.#loop.start();
    this.#lifecycle.advance('ready');
  }

  /** Decides nothing more, finishes what it writes, and gives the Lease back: seconds, whatever answers or not. */
  shutDown(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<void> {
    this.#lifecycle.advance('draining');
    await this.#loop.stop();
    await this.#cluster.stop();
    // Last of all that writes: the next one may begin at once.
    await this.#election?.stop();
    await Promise.all([this.#api.close(), this.#electionApi.close(), this.#measurements.close()]);
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #openElection(podName: string): LeaderElection | undefined {
    const { configuration, logger } = this.#options;
    if (configuration.leaderElection === 'off') return undefined;
    const lease = this.#lease;
    // A pod that was started again under the same name is another process.
    const identity = `${podName}_${randomBytes(4).toString('hex')}`;
    return new LeaderElection({
      store: new KubernetesLeaseStore({ client: this.#electionApi, ...lease }),
      identity,
      ...electionLog(logger, lease, identity),
    });
  }

  get #lease(): { readonly namespace: string; readonly name: string } {
    const { configuration, config } = this.#options;
    return { namespace: configuration.leaseNamespace ?? namespaceOf(config), name: configuration.leaseName };
  }
}
