/** How did the requests fare? What is good is what DESIGN says: a whole answer within the objective; refused, expired and broken ones are not. */

export const OUTCOMES = ['answered', 'refused', 'expired', 'failed'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface Latencies {
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export class Accounts {
  readonly counts: Record<Outcome, number> = { answered: 0, refused: 0, expired: 0, failed: 0 };
  late = 0;
  /** Answered ones that did not run at once, and how long they all waited until they did. */
  waited = 0;
  waitMs = 0;
  readonly #objectiveMs: number;
  /** Of those that were answered, in the order of their ends. */
  readonly #durations: Float64Array;
  /** How many had been answered when the window of the last sample began. */
  #windowFrom = 0;
  #windowBad = 0;
  #windowEnded = 0;

  constructor(parts: { objectiveMs: number; requests: number }) {
    this.#objectiveMs = parts.objectiveMs;
    this.#durations = new Float64Array(parts.requests);
  }

  /** @returns whether it was good */
  answered(durationMs: number, waitMs: number): boolean {
    this.#durations[this.counts.answered++] = durationMs;
    if (waitMs > 0) this.waited += 1;
    this.waitMs += waitMs;
    const good = durationMs <= this.#objectiveMs;
    if (!good) this.late += 1;
    this.#ended(good);
    return good;
  }

  lost(outcome: Exclude<Outcome, 'answered'>): void {
    this.counts[outcome] += 1;
    this.#ended(false);
  }

  get violations(): number {
    const { refused, expired, failed } = this.counts;
    return this.late + refused + expired + failed;
  }

  latencies(): Latencies {
    return latenciesOf(this.#durations.slice(0, this.counts.answered));
  }

  /** Of what has ended since the last time this was asked. */
  takeWindow(): { p95Ms: number; ended: number; bad: number } {
    const window = this.#durations.slice(this.#windowFrom, this.counts.answered);
    const taken = { p95Ms: latenciesOf(window).p95, ended: this.#windowEnded, bad: this.#windowBad };
    this.#windowFrom = this.counts.answered;
    this.#windowEnded = 0;
    this.#windowBad = 0;
    return taken;
  }

  #ended(good: boolean): void {
    this.#windowEnded += 1;
    if (!good) this.#windowBad += 1;
  }
}

/** Sorts what it is given. NaN where there is none; a quantile is the smallest value that so large a share does not exceed. */
function latenciesOf(durations: Float64Array): Latencies {
  durations.sort();
  const quantile = (share: number) => durations[Math.max(0, Math.ceil(share * durations.length) - 1)] ?? Number.NaN;
  return {
    mean: durations.reduce((sum, ms) => sum + ms, 0) / durations.length,
    p50: quantile(0.5),
    p95: quantile(0.95),
    p99: quantile(0.99),
    max: durations.at(-1) ?? Number.NaN,
  };
}
