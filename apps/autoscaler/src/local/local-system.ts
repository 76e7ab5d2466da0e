/** What makes the whole system on one computer, in which order does it start, and in which does it end? */
import type { Clock } from '@ragscale/service/clock';
import type { Logger } from 'pino';
import { ControlLoop } from '../control-loop.ts';
import { ALONE } from '../leadership.ts';
import type { Measurements } from '../measurements.ts';
import type { Reporter } from '../report.ts';
import type { Target } from '../target.ts';
import type { Configuration } from './configuration.ts';
import { type Death, KeptProcess, type Started } from './kept-process.ts';
import { ProcessPool, type StartedPod } from './process-pool.ts';
import type { Screen } from './screen.ts';
import { StartError } from './start-error.ts';
import { howItEnded } from './system-event.ts';

export interface LocalSystemParts {
  readonly configuration: Pick<
    Configuration,
    'minReplicas' | 'policy' | 'periodSeconds' | 'drainDelayMs' | 'shutdownTimeoutMs'
  >;
  readonly children: { startProxy(): Promise<Started>; startPod(): Promise<StartedPod> };
  readonly measurements: Measurements;
  readonly reporter: Reporter;
  readonly onRound?: (durationMs: number) => void;
  readonly screen: Screen;
  readonly logger: Logger;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** The proxy has one, and the metrics name it. */
const ROUTE = 'default';
/** For a process to end after all is answered. */
const STOP_MARGIN_MS = 5_000;

export class LocalSystem {
  readonly loop: ControlLoop;
  readonly #parts: LocalSystemParts;
  readonly #pool: ProcessPool;
  readonly #started = Promise.withResolvers<void>();
  #proxy: KeptProcess | undefined;
  #isStarting = true;
  #ending: Promise<void> | undefined;

  constructor(parts: LocalSystemParts) {
    const { children, configuration, measurements, reporter, onRound, clock, logger } = parts;
    this.#parts = parts;
    this.#pool = new ProcessPool({
      ...this.#kept(() => this.#podBecameAble()),
      startPod: () => children.startPod(),
      drainTimeoutMs: this.#stopTimeoutMs,
    });
    const periodMs = configuration.periodSeconds * 1_000;
    this.loop = new ControlLoop({
      fleet: this.#pool,
      measurements,
      reporter,
      leadership: ALONE,
      clock,
      periodMs,
      logger,
      ...(onRound === undefined ? {} : { onRound }),
    });
    this.loop.setTargets([this.#target]);
  }

  /** Addresses of the pods that are able. */
  get pods(): readonly string[] {
    return this.#pool.addresses;
  }

  /** Every pod that there must be answers. */
  get isReady(): boolean {
    return this.#proxy?.isAble === true && this.#pool.able >= this.#parts.configuration.minReplicas;
  }

  /**
   * Resolves when the system answers, or has been told to end.
   * @throws StartError with the last words of what ended; all else still has to be told to end
   */
  async start(): Promise<void> {
    const { children, configuration, screen } = this.#parts;
    screen.tell({ kind: 'starting', pods: configuration.minReplicas });
    this.#proxy = new KeptProcess({
      ...this.#kept(() => this.#proxyBecameAble()),
      start: () => children.startProxy(),
      stopTimeoutMs: this.#stopTimeoutMs,
    });
    this.#pool.resize(configuration.minReplicas);
    // From the beginning, for it sees how long pods take.
    this.loop.start();
    try {
      await this.#started.promise;
    } finally {
      this.#isStarting = false;
    }
  }

  /** Nothing is decided any more; the proxy answers what it has and ends, then the pods. */
  stop(): Promise<void> {
    this.#ending ??= this.#stop();
    return this.#ending;
  }

  /** At once, also while it ends. */
  async kill(): Promise<void> {
    await Promise.all([this.#proxy?.kill(), this.#pool.kill()]);
  }

  async #stop(): Promise<void> {
    this.#started.resolve();
    await this.loop.stop();
    await this.#proxy?.stop();
    await this.#pool.stop();
  }

  get #target(): Target {
    const { policy } = this.#parts.configuration;
    return { id: 'local', namespace: '', name: 'local', generation: 1, route: ROUTE, policy };
  }

  get #stopTimeoutMs(): number {
    const { drainDelayMs, shutdownTimeoutMs } = this.#parts.configuration;
    return drainDelayMs + shutdownTimeoutMs + STOP_MARGIN_MS;
  }

  #kept(onAble: () => void) {
    const { clock, random, screen } = this.#parts;
    return {
      clock,
      random,
      onAble,
      onDied: (death: Death) => this.#died(death),
      onKilled: (name: string, afterMs: number) => screen.tell({ kind: 'killed', name, afterMs }),
    };
  }

  #proxyBecameAble(): void {
    // It has been told of no pod yet.
    this.#pool.checkSoon();
    if (this.isReady) this.#started.resolve();
  }

  #podBecameAble(): void {
    const { minReplicas: pods } = this.#parts.configuration;
    if (this.#isStarting) {
      this.#parts.screen.tell({ kind: 'progress', ready: Math.min(this.#pool.able, pods), pods });
    }
    if (this.isReady) this.#started.resolve();
  }

  #died(death: Death): void {
    if (!this.#isStarting) {
      this.#parts.screen.tell({ kind: 'died', death });
      return;
    }
    const { name, end } = death;
    const words = end.lastWords === '' ? '' : `:\n${end.lastWords}`;
    this.#started.reject(new StartError(`${name} ${howItEnded(end, death.silentForMs)}${words}`));
  }
}
