/** How far may the number of replicas go at once? */
import type { RatePolicy } from '../policy.ts';

/** What the target had, as it was seen: also what others changed. Two questions are asked of it: how many there were, and since when. */
export class ReplicaLog {
  readonly #records: { at: number; replicas: number }[] = [];

  record(now: number, replicas: number, keepMs: number): void {
    const last = this.#records.at(-1);
    if (last?.replicas !== replicas) this.#records.push({ at: now, replicas });
    while (this.#records.length > 1 && this.#records[1]!.at <= now - keepMs) this.#records.shift();
  }

  /** What there was `ago` ms before; the oldest known where that is longer than anything is known. */
  before(now: number, ago: number): number {
    let found = this.#records[0]?.replicas ?? 0;
    for (const { at, replicas } of this.#records) if (at <= now - ago) found = replicas;
    return found;
  }

  /** The mean over a window, or over what is known of it. */
  mean(now: number, windowMs: number): number {
    let sum = 0;
    let until = now;
    for (let i = this.#records.length - 1; i >= 0 && until > now - windowMs; i--) {
      const from = Math.max(this.#records[i]!.at, now - windowMs);
      sum += this.#records[i]!.replicas * (until - from);
      until = from;
    }
    return until < now ? sum / (now - until) : (this.#records.at(-1)?.replicas ?? 0);
  }

  get lastChangeAt(): number | undefined {
    return this.#records.length > 1 ? this.#records.at(-1)!.at : undefined;
  }
}

/** The policy that allows most counts, as in an HPA. @returns the most that the target may have now */
export function mostAllowed(log: ReplicaLog, policies: readonly RatePolicy[], now: number): number {
  if (policies.length === 0) return Number.POSITIVE_INFINITY;
  return Math.max(
    ...policies.map(({ type, value, periodMs }) => {
      const base = log.before(now, periodMs);
      return type === 'pods' ? base + Math.floor(value) : Math.ceil(base * (1 + value / 100));
    }),
  );
}

/** @returns the least that the target may have now */
export function leastAllowed(log: ReplicaLog, policies: readonly RatePolicy[], now: number): number {
  if (policies.length === 0) return 0;
  return Math.min(
    ...policies.map(({ type, value, periodMs }) => {
      const base = log.before(now, periodMs);
      return Math.max(0, type === 'pods' ? base - Math.floor(value) : Math.floor(base * (1 - value / 100)));
    }),
  );
}
