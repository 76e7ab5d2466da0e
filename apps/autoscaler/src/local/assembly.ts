/** How are the parts of a local system put together, and in which order are they opened and closed? */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ScalingPolicySpec } from '@ragscale/scaling/policy';
import { AutoscalerMetrics } from '@ragscale/service/autoscaler-metrics';
import { realClock } from '@ragscale/service/clock';
import { Lifecycle } from '@ragscale/service/lifecycle';
import { createLogger } from '@ragscale/service/logging';
import { explainListening } from '@ragscale/service/start-failures';
import type { Logger } from 'pino';
import { createAdministration } from '../administration.ts';
import { LogReporter } from '../log-reporter.ts';
import { ScrapedMeasurements } from '../measuring/scraped-measurements.ts';
import { MetricsReporter } from '../metrics-reporter.ts';
import { Reporters } from '../reporters.ts';
import { Children, LOCAL_HOST } from './children.ts';
import type { Configuration } from './configuration.ts';
import { freePort } from './free-port.ts';
import { LocalClient } from './local-client.ts';
import { LocalSystem } from './local-system.ts';
import type { LogLine } from './program.ts';
import type { Screen } from './screen.ts';
import { ScreenReporter } from './screen-reporter.ts';
import { StartError } from './start-error.ts';
import type { Addresses } from './system-event.ts';

const PATIENCE_MARGIN_MS = 15_000;

export class Assembly {
  readonly #configuration: Configuration;
  readonly #lifecycle = new Lifecycle();
  readonly #client = new LocalClient();
  readonly #measurements: ScrapedMeasurements;
  readonly #system: LocalSystem;
  readonly #administration: Server;

  private constructor(configuration: Configuration, screen: Screen) {
    const { adminPort, policy, periodSeconds } = configuration;
    const logger = loggerTo(screen, configuration);
    const metrics = new AutoscalerMetrics();
    const proxies = new Map([['proxy', originOf(adminPort)]]);
    this.#configuration = configuration;
    this.#measurements = new ScrapedMeasurements({
      clock: realClock,
      proxies: () => proxies,
      pods: () => new Map(this.#system.pods.map((address) => [address, `http://${address}`])),
    });
    this.#system = new LocalSystem({
      configuration,
      children: new Children({ configuration, env: process.env, client: this.#client, screen }),
      measurements: this.#measurements,
      reporter: new Reporters(
        [
          new ScreenReporter(screen, patienceMs(policy)),
          new MetricsReporter(metrics),
          ...verboseReporters(configuration, logger),
        ],
        logger,
      ),
      onRound: (durationMs) => metrics.roundEnded(durationMs),
      screen,
      logger,
      clock: realClock,
      random: Math.random,
    });
    this.#administration = createAdministration({
      lifecycle: this.#lifecycle,
      metrics,
      heartbeat: this.#system.loop,
      periodMs: policy.periodMs ?? periodSeconds * 1_000,
      now: () => realClock.now(),
      logger,
    });
  }

  /** @throws StartError where something is not built */
  static async of(configuration: Configuration, screen: Screen): Promise<Assembly> {
    return new Assembly(await withPorts(configuration), screen);
  }

  /**
   * Resolves when the system answers, or has been told to end.
   * @throws StartError in words; what has begun still has to be told to end
   */
  async start(): Promise<Addresses> {
    const { port, adminPort, autoscalerPort } = this.#configuration;
    const own = await listen(this.#administration, autoscalerPort);
    this.#measurements.start();
    await this.#system.start();
    this.#lifecycle.advance('ready');
    return { url: urlOf(port), adminUrl: urlOf(adminPort), autoscalerUrl: urlOf(own) };
  }

  /** Everything that was asked is answered first. */
  async stop(): Promise<void> {
    this.#lifecycle.advance('draining');
    await this.#system.stop();
    await this.#close();
  }

  async kill(): Promise<void> {
    await this.#system.kill();
    await this.#close();
  }

  async #close(): Promise<void> {
    await this.#measurements.stop();
    await this.#client.close();
    this.#administration.close();
    this.#administration.closeAllConnections();
  }
}

/** Those that may be any are chosen here: they must stay the same when a process is started again. */
async function withPorts(configuration: Configuration): Promise<Configuration> {
  const chosen = async (port: number) => (port === 0 ? ((await freePort(0, LOCAL_HOST)) ?? 0) : port);
  const [port, adminPort] = await Promise.all([chosen(configuration.port), chosen(configuration.adminPort)]);
  return { ...configuration, port, adminPort };
}

/** Its lines are shown as those of the other processes are. */
function loggerTo(screen: Screen, { logLevel: level }: Configuration): Logger {
  const write = (line: string) => screen.log('autoscaler', JSON.parse(line) as LogLine);
  return createLogger({ level, format: 'json' }, { write });
}

/** When the windows must be full, also after the proxy was started again. */
function patienceMs({ windowsMs = [] }: ScalingPolicySpec): number {
  return Math.max(0, ...windowsMs) + PATIENCE_MARGIN_MS;
}

/** Every new reason, and every trouble at once, for those who want to see all. */
function verboseReporters({ logLevel }: Configuration, logger: Logger): LogReporter[] {
  return ['info', 'debug', 'trace'].includes(logLevel) ? [new LogReporter(logger)] : [];
}

/** @returns the port @throws StartError */
async function listen(server: Server, port: number): Promise<number> {
  try {
    server.listen(port, LOCAL_HOST);
    await once(server, 'listening');
  } catch (cause) {
    const message = explainListening(cause, 'AUTOSCALER_PORT', LOCAL_HOST);
    throw message === undefined ? cause : new StartError(message, { cause });
  }
  return (server.address() as AddressInfo).port;
}

function originOf(port: number): string {
  return `http://${LOCAL_HOST}:${port}`;
}

function urlOf(port: number): string {
  return `http://localhost:${port}`;
}
