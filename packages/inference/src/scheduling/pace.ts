/** The least time that work can take, learnt from the fastest runs: what cannot be done in time is not begun. */

/** A record fades by this much with each slower run, so that a machine that has become slower is noticed. */
const FADE = 1.01;

/** Learnt from at least this many prompt tokens: below, the cost of a run itself hides the cost of a token. */
const MIN_TOKENS = 16;

export class Pace {
  #prefillMsPerToken = 0;
  #decodeMs = 0;

  prefilled(tokens: number, ms: number): void {
    if (tokens >= MIN_TOKENS) this.#prefillMsPerToken = faster(this.#prefillMsPerToken, ms / tokens);
  }

  decoded(ms: number): void {
    this.#decodeMs = faster(this.#decodeMs, ms);
  }

  /** Milliseconds to compute `promptTokens` and to decode `steps` tokens, if nothing else ran and all went as fast as ever; 0 while unknown. */
  leastMs(promptTokens: number, steps: number): number {
    return promptTokens * this.#prefillMsPerToken + steps * this.#decodeMs;
  }
}

function faster(record: number, ms: number): number {
  return record === 0 ? ms : Math.min(ms, record * FADE);
}
