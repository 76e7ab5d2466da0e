/** What came, half a cold start and a whole one after moments like this one? */
import { AS_IT_IS, LOAD_STEP, type Outlook } from '../law/feed-forward.ts';
import { TUNING } from '../tuning.ts';

const HALF_LIFE_MS = 3_600_000;
const REMEMBERED = 5_760;
/** Parts of the horizon at which is looked what has become of the load. */
const LOOKS = [0.5, 1];
/** Moments whose load was this close (deviation of the logarithm) are alike. */
const LIKENESS = 0.2;
/** Changes are sorted into the steps in which loads are looked at: from a quarter to 16 times. */
const STEP = Math.log(LOAD_STEP);
const LOWEST = -24;
const HIGHEST = 48;
/** Of surprises, what is larger than 6 times the usual is not provided for. */
const LARGEST_SURPRISE = 30;

interface Moment {
  readonly at: number;
  readonly logLevel: number;
  readonly change: number;
}

/** The distribution of the load to come by the load that is, weighted by likeness and age. */
export class BurstHeadroom {
  readonly #levels: { at: number; logLevel: number }[] = [];
  readonly #moments: Moment[] = [];
  /** Mean of the levels, and what it weighs. */
  #usual = 0;
  #weight = 0;
  /** When the first level was seen. */
  #since: number | undefined;

  observe(level: number, horizonMs: number, now: number): void {
    if (!(level > 0)) return;
    this.#since ??= now;
    const keep = 2 ** (((this.#levels.at(-1)?.at ?? now) - now) / HALF_LIFE_MS);
    this.#weight = keep * this.#weight + 1;
    this.#usual += (level - this.#usual) / this.#weight;
    const logLevel = Math.log(level);
    for (const part of LOOKS) {
      const then = this.#levels.findLast(({ at }) => at <= now - part * horizonMs);
      if (then === undefined || then.at < now - 2 * horizonMs) continue;
      this.#moments.push({ at: then.at, logLevel: then.logLevel, change: logLevel - then.logLevel });
    }
    if (this.#moments.length > REMEMBERED) this.#moments.splice(0, this.#moments.length - REMEMBERED);
    this.#levels.push({ at: now, logLevel });
    while (this.#levels.length > 1 && this.#levels[1]!.at <= now - horizonMs) this.#levels.shift();
  }

  /** What the load may become. */
  after(level: number, now: number): Outlook {
    if (!(level > 0)) return AS_IT_IS;
    const logLevel = Math.log(level);
    const shares = new Float64Array(HIGHEST - LOWEST + 1);
    let alike = 0;
    for (const { at, logLevel: from, change } of this.#moments) {
      const off = (from - logLevel) / LIKENESS;
      if (off > 4 || off < -4) continue;
      const weight = (2 ** ((at - now) / HALF_LIFE_MS) * Math.exp((-off * off) / 2)) / LOOKS.length;
      shares[Math.max(LOWEST, Math.min(HIGHEST, Math.round(change / STEP))) - LOWEST]! += weight;
      alike += weight;
    }
    // A load unlike any before: nothing is known of what it becomes.
    if (alike < 1) shares[-LOWEST]! += 1 - alike;
    const seen = (1 - this.#surprise(now)) / Math.max(1, alike);
    // A surprise leads to a level, wherever it comes from: where the load is high already, that is no rise.
    const usual = Math.min(1, this.#weight > 0 ? this.#usual / level : 1);
    const exceeds = (step: number) =>
      step > LARGEST_SURPRISE
        ? 0
        : step <= 0
          ? 1
          : Math.min(1, usual * LOAD_STEP ** (0.5 - step)) ** TUNING.surpriseTail;
    const unseen = (step: number) => (step < 0 ? 0 : this.#surprise(now) * (exceeds(step) - exceeds(step + 1)));
    return { lowest: LOWEST, shares: shares.map((weight, i) => seen * weight + unseen(i + LOWEST)) };
  }

  /** Likely at first; a load that is full of surprises has had one soon. */
  #surprise(now: number): number {
    const calmMs = now - (this.#since ?? now);
    return Math.max(TUNING.surprise, TUNING.firstSurprise * Math.exp(-calmMs / TUNING.surpriseFadeMs));
  }
}
