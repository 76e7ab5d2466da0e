/** How long does a replica take for a request, by how many it works on? A line through logarithms, from what was finished under load. */

/** Of our own pods (docs/measurements.md, "Serving beside others"): 0.42 to 0.56. */
const ASSUMED_GROWTH = 0.5;
const GROWTH_DEVIATION = 0.15;
/** Deviation of the logarithm of one request's time around its mean: sizes of answers differ by about their mean. */
const REQUEST_DEVIATION = 0.8;
/** What is learnt fades by half in this time of load. */
const HALF_LIFE_MS = 1_800_000;
/** A mean this many deviations off is a change, not chance: the past counts half. */
const SURPRISE = 4;
/** Nothing that is measured over HTTP takes less. */
const FASTEST_MS = 0.01;
/** No line is better than this, whatever the number of requests: curves of pods follow a power within 5%. */
const MODEL_DEVIATION = 0.04;

/** ln S = ln alone + growth * ln k, least squares with a prior for the growth; each point weighs as many requests as it stands for. */
export class ServiceCurve {
  #weight = 0;
  #x = 0;
  #y = 0;
  #xx = 0;
  #xy = 0;
  #growth = ASSUMED_GROWTH;
  #intercept: number | undefined;

  get known(): boolean {
    return this.#intercept !== undefined;
  }

  get growth(): number {
    return this.#growth;
  }

  /** Undefined until something was finished. */
  get aloneMs(): number | undefined {
    return this.#intercept === undefined ? undefined : Math.exp(this.#intercept);
  }

  /**
   * @param atOnce mean number that a replica works on (Little's law: rate of completions times their time by ready replicas)
   * @param requests finished since the last observation
   */
  observe(serviceMs: number, atOnce: number, slots: number, requests: number, elapsedMs: number): void {
    if (!(serviceMs >= FASTEST_MS && requests > 0 && atOnce >= 0)) return;
    const x = Math.log(Math.min(slots, experienced(atOnce)));
    const y = Math.log(serviceMs);
    let keep = 2 ** (-elapsedMs / HALF_LIFE_MS);
    if (this.#intercept !== undefined && this.#weight > 0) {
      const off = Math.abs(y - this.#intercept - this.#growth * x);
      if (off > SURPRISE * Math.hypot(MODEL_DEVIATION, REQUEST_DEVIATION / Math.sqrt(Math.max(1, requests))))
        keep *= 0.5;
    }
    this.#weight = keep * this.#weight + requests;
    this.#x = keep * this.#x + requests * x;
    this.#y = keep * this.#y + requests * y;
    this.#xx = keep * this.#xx + requests * x * x;
    this.#xy = keep * this.#xy + requests * x * y;
    const [meanX, meanY] = [this.#x / this.#weight, this.#y / this.#weight];
    const precision = Math.min(1 / REQUEST_DEVIATION ** 2, 1 / MODEL_DEVIATION ** 2 / this.#weight);
    const spread = precision * Math.max(0, this.#xx - this.#weight * meanX * meanX);
    const shared = precision * (this.#xy - this.#weight * meanX * meanY);
    const prior = 1 / GROWTH_DEVIATION ** 2;
    this.#growth = Math.min(1, Math.max(0, (prior * ASSUMED_GROWTH + shared) / (prior + spread)));
    this.#intercept = meanY - this.#growth * meanX;
  }
}

/** What a request finds, itself included, where a replica has this many in the mean: never less than itself. */
function experienced(atOnce: number): number {
  return Math.cbrt(1 + atOnce ** 3);
}
