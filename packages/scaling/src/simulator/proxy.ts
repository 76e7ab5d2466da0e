/** Which pod gets a request, and who waits? As the real proxy has it: one line, first come, first served, before caps on every pod. */
import { BUCKET_BOUNDS } from '../observation.ts';
import type { Pod } from './pod.ts';
import { RequestLine } from './request-line.ts';

export const SPREADS = ['round-robin', 'least-request'] as const;
export type Spread = (typeof SPREADS)[number];

export type Bucket = `bucket${number}`;

/** What it counts, as its metrics do; all only grow, until it is restarted. */
export const PROXY_COUNTERS = ['arrivals', 'answers', 'upstreamMs', 'ended', 'bad'] as const;
/** Answers whose time is in this bucket and in none before it; slower ones than the last bound are in none. */
export const PROXY_BUCKETS: readonly Bucket[] = BUCKET_BOUNDS.map((_, index): Bucket => `bucket${index}`);
export type ProxyCounter = (typeof PROXY_COUNTERS)[number] | Bucket;

export class SimulatedProxy {
  readonly line = new RequestLine();
  readonly counters: Record<ProxyCounter, number> = {
    ...{ arrivals: 0, answers: 0, upstreamMs: 0, ended: 0, bad: 0 },
    ...Object.fromEntries(PROXY_BUCKETS.map((bucket) => [bucket, 0])),
  };
  /** In milliseconds, ascending. */
  readonly boundsMs: readonly number[];
  readonly #index: number;
  readonly #spread: Spread;
  readonly #cap: number;
  #lastId = -1;

  constructor(parts: { index: number; spread: Spread; cap: number; objectiveMs: number }) {
    this.boundsMs = BUCKET_BOUNDS.map((bound) => bound * parts.objectiveMs);
    this.#index = parts.index;
    this.#spread = parts.spread;
    this.#cap = parts.cap;
  }

  /**
   * Who gets the next request; undefined where every pod has as many as it may.
   * Ties of least request take turns, as the real one's do. @param pods able ones, in the order of their ids
   */
  pick(pods: readonly Pod[]): Pod | undefined {
    const start = this.#indexAfterLast(pods);
    let best: Pod | undefined;
    let least = this.#cap;
    for (let step = 0; step < pods.length; step++) {
      const index = start + step;
      const pod = pods[index < pods.length ? index : index - pods.length]!;
      const inFlight = pod.inFlight[this.#index]!;
      if (inFlight >= least) continue;
      best = pod;
      if (this.#spread === 'round-robin' || inFlight === 0) break;
      least = inFlight;
    }
    if (best !== undefined) this.#lastId = best.id;
    return best;
  }

  /** @param upstreamMs time that the pod took, waiting in it included */
  answered(upstreamMs: number): void {
    this.counters.answers += 1;
    this.counters.upstreamMs += upstreamMs;
    const bucket = PROXY_BUCKETS[this.boundsMs.findIndex((bound) => upstreamMs <= bound)];
    if (bucket !== undefined) this.counters[bucket]! += 1;
  }

  #indexAfterLast(pods: readonly Pod[]): number {
    for (let index = 0; index < pods.length; index++) if (pods[index]!.id > this.#lastId) return index;
    return 0;
  }
}
