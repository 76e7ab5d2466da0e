/** One pod as the proxy knows it: its connections, its health, and what is with it. */
import type { EndpointView } from '@ragscale/balancing/endpoint-view';
import { capOf } from '@ragscale/balancing/fair-share';
import { EndpointHealth, type EndpointState, type HealthSettings } from '@ragscale/balancing/health';
import { PeakEwma } from '@ragscale/balancing/peak-ewma';
import { slowStartFactor } from '@ragscale/balancing/slow-start';
import { Pool } from 'undici';
import type { Attempt } from './attempt.ts';
import { Crowd } from './crowd.ts';
import type { FoundEndpoint } from './discovery/discovery.ts';

export interface EndpointSettings {
  readonly health: HealthSettings;
  readonly slowStartMs: number;
  readonly connectTimeoutMs: number;
  /** A response whose body pauses for longer is broken off; 0 for never. */
  readonly streamIdleTimeoutMs: number;
  /** Requests that may be with a pod, whatever it announces. */
  readonly concurrency: number | undefined;
  /** Proxies that share the pods. */
  readonly proxies: () => number;
}

/** Idle connections are given up before a pod with its 75 s could close them under a request. */
const KEEP_ALIVE_MS = 30_000;

/** How long a pod that refused is left alone at most, whatever its Retry-After says, in milliseconds. */
const MAX_PAUSE_MS = 1_000;

export class Endpoint implements EndpointView {
  readonly id: string;
  readonly health: EndpointHealth;
  readonly pool: Pool;
  /** What is with the pod. */
  readonly attempts = new Crowd<Attempt>();
  /** Whether all that is known speaks for it, but for its being full or busy: what `refresh` found last. */
  able = false;
  /** Whether it may be chosen, were it not for its cap. */
  usable = false;
  /** Whether a probe is under way that nobody knows better than. */
  isAsked = false;
  weight = 1;
  cap = 1;
  readonly #settings: EndpointSettings;
  readonly #latency = new PeakEwma();
  #found: FoundEndpoint;
  #before: Endpoint | undefined;
  /** What the pod announces that it can answer at once. */
  #slots: number | undefined;
  #pausedUntil = 0;
  /** Whether discovery and our probes have both found it ready since it was last away for both. */
  #wasReady = false;

  /** @param before the same pod, which was lost and still has requests */
  constructor(found: FoundEndpoint, settings: EndpointSettings, before?: Endpoint) {
    this.id = found.id;
    this.#found = found;
    this.#before = before;
    this.#settings = settings;
    this.health = new EndpointHealth(settings.health);
    this.pool = new Pool(found.origin, {
      allowH2: false,
      pipelining: 1,
      connectTimeout: settings.connectTimeoutMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      headersTimeout: 0,
      bodyTimeout: settings.streamIdleTimeoutMs,
    });
  }

  get inFlight(): number {
    const before = this.#before?.inFlight ?? 0;
    if (before === 0) this.#before = undefined;
    return this.attempts.size + before;
  }

  get available(): boolean {
    return this.usable && this.inFlight < this.cap;
  }

  get latencyMs(): number | undefined {
    return this.#latency.valueAt(performance.now());
  }

  get origin(): string {
    return this.#found.origin;
  }

  /** Whether it is in this zone, or zones are not known. */
  get local(): boolean {
    return this.#found.local;
  }

  rediscovered(found: FoundEndpoint): void {
    this.#found = found;
  }

  /** The pod has told how many it can answer at once. @param announced value of the header, as it came */
  announced(announced: unknown): void {
    if (typeof announced !== 'string' || !/^[1-9][0-9]{0,5}$/.test(announced)) return;
    this.#slots = Number(announced);
  }

  /** It has answered a request to the end. */
  answered(ms: number, now: number): void {
    this.health.served(now);
    this.#latency.observe(ms, now);
  }

  /** It has refused a request with 429 or 503: it gets the next after a while. */
  refusedFor(seconds: number, now: number): void {
    this.#pausedUntil = now + Math.min(seconds * 1000, MAX_PAUSE_MS);
    this.usable = false;
  }

  /** What discovery and health say together. */
  stateAt(now: number): EndpointState {
    if (this.#found.condition === 'terminating') return 'draining';
    const state = this.health.stateAt(now);
    if (this.#found.condition === 'ready' || state === 'draining') return state;
    // A new pod is ready for us first, or for whoever else probes it: the one half of an answer is no reason to give up waiting for the other.
    const isNew = this.health.ableSince === undefined || (state === 'healthy' && !this.#wasReady);
    return isNew ? 'starting' : 'unhealthy';
  }

  mayFailOpenAt(now: number): boolean {
    return this.#found.condition === 'ready' && this.health.mayFailOpenAt(now);
  }

  /** @param failsOpen whether those that only may be bad are used as well */
  refresh(now: number, failsOpen: boolean): void {
    const { slowStartMs, concurrency, proxies } = this.#settings;
    this.able = this.stateAt(now) === 'healthy';
    if (this.able) this.#wasReady = true;
    else if (this.#found.condition !== 'ready' && this.health.ableSince === undefined) this.#wasReady = false;
    this.usable = (this.able || (failsOpen && this.mayFailOpenAt(now))) && now >= this.#pausedUntil;
    this.weight = this.#found.weight * slowStartFactor(this.health.ableSince, now, slowStartMs);
    this.cap = capOf({ configured: concurrency, slots: this.#slots, proxies: proxies() });
  }

  /** It is known no longer: what is with it is finished. */
  retire(): void {
    this.able = false;
    this.usable = false;
    void this.pool.close().catch(() => undefined);
  }
}
