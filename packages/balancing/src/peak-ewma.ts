/**
 * How long do a pod's answers take, the bad ones remembered, and who is faster for what it has to do? As Finagle has it
 * (PeakEwma in finagle-core's load balancers) and Linkerd after it.
 */
import type { EndpointView } from './endpoint-view.ts';
import { requestsPerWeight } from './least-request.ts';
import type { Policy } from './policy.ts';
import { betterOfTwo } from './two-choices.ts';

/** Finagle's and Linkerd's default. */
const DEFAULT_DECAY_MS = 10_000;

/** Milliseconds: without a floor pods that are idle for hours all cost nothing, and what is in flight would not tell them apart. */
const MIN_LATENCY_MS = 1;

/**
 * A moving average that takes a rise at once and lets a fall in with a time constant. Between answers it decays too, as in Finagle:
 * who was slow once and has been avoided since would otherwise never get a chance to show that it is not.
 */
export class PeakEwma {
  readonly #decayMs: number;
  #costMs = 0;
  #observedAt: number | undefined;

  /** @param decayMs in which a peak falls to 1/e */
  constructor(decayMs: number = DEFAULT_DECAY_MS) {
    this.#decayMs = decayMs;
  }

  /** An answer took `ms`. Only of real answers: a pod that refuses at once is not a fast pod. */
  observe(ms: number, now: number): void {
    this.#costMs = ms + Math.max(0, this.#costMs - ms) * this.#kept(now);
    this.#observedAt = now;
  }

  /** In milliseconds, at least 1; undefined before the first answer. */
  valueAt(now: number): number | undefined {
    if (this.#observedAt === undefined) return undefined;
    return Math.max(MIN_LATENCY_MS, this.#costMs * this.#kept(now));
  }

  #kept(now: number): number {
    return Math.exp(-Math.max(0, now - (this.#observedAt ?? now)) / this.#decayMs);
  }
}

/**
 * Of two choices the one whose latency times requests per weight is lower. A pod without a latency counts as being as fast as the
 * other: what is in flight decides between the two, so a new pod gets its share, and no more, until its first answer tells. (Finagle lets
 * such a pod have one request until then, which wastes the slots of a pod whose first answer takes seconds; a latency of zero would
 * send it everything.) Where neither has one, this is two choices.
 */
export const peakEwma: Policy = {
  pick<Endpoint extends EndpointView>(endpoints: readonly Endpoint[], random: () => number): Endpoint | undefined {
    return betterOfTwo(endpoints, random, costsLess);
  },
};

function costsLess(one: EndpointView, other: EndpointView): boolean {
  const oneMs = one.latencyMs ?? other.latencyMs ?? 1;
  const otherMs = other.latencyMs ?? one.latencyMs ?? 1;
  return oneMs * requestsPerWeight(one) < otherMs * requestsPerWeight(other);
}
