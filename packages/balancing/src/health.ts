/**
 * May a pod get requests? What its probes say and what became of its requests, as one state. Pure: time is an argument.
 *
 * Probes and requests are two witnesses. What a probe saw, a later one corrects. A pod may answer probes and fail requests, so an
 * ejection for failed answers ends by time alone (Envoy's outlier detection), after which one more failure is enough.
 */

import { Ejections } from './ejections.ts';

export type EndpointState = 'starting' | 'healthy' | 'unhealthy' | 'ejected' | 'draining';

/**
 * `ready`: 200; `starting`: 503 from a pod that still loads; `draining`: 503 from one that was told to leave; `refused`: nothing listens
 * there; `silent`: no answer in time; `failing`: any other answer.
 */
export type ProbeResult = 'ready' | 'starting' | 'draining' | 'refused' | 'silent' | 'failing';

/** `refused`: nothing listens there; `silent`: no answer in time; `broken`: the connection broke; `status`: an answer that blames the pod. */
export type FailureKind = 'refused' | 'silent' | 'broken' | 'status';

export interface HealthSettings {
  /** Probes in a row that are silent or failing, until the pod is out. */
  readonly failedProbes: number;
  /** Ready probes in a row until an unhealthy pod is back; one that starts or drains needs one. */
  readonly readyProbes: number;
  /** Requests in a row that fail, until the pod is out. */
  readonly failedRequests: number;
  /** Of the first ejection, over 0; each further one doubles it, each such time spent healthy halves it again. */
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
}

/**
 * Five failures and 300 s are Envoy's (consecutive_5xx, max_ejection_time). Envoy's first ejection is 30 s; with few and expensive pods
 * 5 s are enough to see whether it was a hiccup, since the doubling soon finds those that it was not.
 */
export const DEFAULT_HEALTH_SETTINGS: HealthSettings = {
  failedProbes: 2,
  readyProbes: 1,
  failedRequests: 5,
  baseEjectionMs: 5_000,
  maxEjectionMs: 300_000,
};

/** Why a pod is out until a probe says otherwise; `new`: it was never probed. */
type Exclusion = 'new' | Exclude<ProbeResult, 'ready'>;

/** Of one pod. */
export class EndpointHealth {
  readonly #settings: HealthSettings;
  #exclusion: Exclusion | undefined = 'new';
  #includedAt = 0;
  #readyProbes = 0;
  readonly #probes = new Failures();
  readonly #requests = new Failures();
  readonly #ejections: Ejections;
  /** Whether it was taken out for failed requests and has served none since. */
  #halfOpen = false;

  constructor(settings: HealthSettings = DEFAULT_HEALTH_SETTINGS) {
    this.#settings = settings;
    this.#ejections = new Ejections(settings.baseEjectionMs, settings.maxEjectionMs);
  }

  probed(result: ProbeResult, now: number): void {
    if (result === 'ready') {
      this.#probedReady(now);
      return;
    }
    this.#readyProbes = 0;
    if (result === 'draining') this.#exclude(result, now);
    // One that leaves falls silent and refuses in the end: that is no news.
    else if (this.#exclusion === 'draining') return;
    else if (result === 'starting' || result === 'refused') this.#exclude(result, now);
    else this.#probedInVain(result, now);
  }

  /** A request was answered well. An answer from before the ejection is no proof that the pod has recovered. */
  served(now: number): void {
    this.#requests.clear();
    if (this.ableAt(now)) this.#halfOpen = false;
  }

  /**
   * A request failed, and the pod is to blame.
   * @returns whether this has just taken the pod out
   */
  failed(kind: FailureKind, now: number): boolean {
    if (this.#exclusion === 'new' || this.#exclusion === 'starting' || this.#exclusion === 'draining') return false;
    const wasAble = this.ableAt(now);
    if (kind === 'refused') {
      this.#exclude('refused', now);
      return wasAble;
    }
    // What was sent before the ejection, or because all were out, says nothing new.
    if (!wasAble) return false;
    this.#requests.count(kind);
    if (!this.#halfOpen && this.#requests.inRow < this.#settings.failedRequests) return false;
    if (this.#requests.onlySilent) this.#exclude('silent', now);
    else this.#eject(now);
    this.#halfOpen = true;
    return true;
  }

  stateAt(now: number): EndpointState {
    if (this.#exclusion === 'draining') return 'draining';
    if (this.#exclusion === 'new' || this.#exclusion === 'starting') return 'starting';
    if (this.#exclusion !== undefined) return 'unhealthy';
    return now < this.#ejections.until ? 'ejected' : 'healthy';
  }

  ableAt(now: number): boolean {
    return this.#exclusion === undefined && now >= this.#ejections.until;
  }

  /**
   * Whether it is out and may get requests when too many are (fail-open.ts): ejected, or only silent, as all pods seem to be to a proxy that
   * stalls. What refuses, starts, leaves or fails its probes has said so itself.
   */
  mayFailOpenAt(now: number): boolean {
    return this.#exclusion === 'silent' || (this.#exclusion === undefined && now < this.#ejections.until);
  }

  /** For the slow start; of an ejected pod when its ejection will end, undefined while a probe must say that it is back. */
  get ableSince(): number | undefined {
    return this.#exclusion === undefined ? Math.max(this.#includedAt, this.#ejections.until) : undefined;
  }

  #probedReady(now: number): void {
    this.#probes.clear();
    this.#readyProbes += 1;
    if (this.#exclusion === undefined) return;
    const said = this.#exclusion === 'new' || this.#exclusion === 'starting' || this.#exclusion === 'draining';
    if (!said && this.#readyProbes < this.#settings.readyProbes) return;
    this.#exclusion = undefined;
    this.#includedAt = now;
    this.#requests.clear();
  }

  #probedInVain(result: 'silent' | 'failing', now: number): void {
    this.#probes.count(result);
    if (this.#exclusion === undefined) {
      if (this.#probes.inRow < this.#settings.failedProbes) return;
      this.#exclude(this.#probes.onlySilent ? 'silent' : 'failing', now);
    } else if (this.#exclusion === 'new' || result === 'failing') {
      // Silence takes nothing back: a pod that loads a model may be too busy to say again that it does.
      this.#exclusion = result;
    }
  }

  #exclude(exclusion: Exclusion, now: number): void {
    if (this.#exclusion === undefined) this.#forgive(now);
    this.#exclusion = exclusion;
  }

  #eject(now: number): void {
    this.#forgive(now);
    this.#ejections.eject(now);
  }

  #forgive(now: number): void {
    this.#ejections.forgive(Math.max(0, now - (this.ableSince ?? now)));
  }
}

/** Failures in a row, and whether they were anything but silence. */
class Failures {
  inRow = 0;
  onlySilent = true;

  count(kind: ProbeResult | FailureKind): void {
    this.inRow += 1;
    this.onlySilent &&= kind === 'silent';
  }

  clear(): void {
    this.inRow = 0;
    this.onlySilent = true;
  }
}
