/** Which answers are good, by what a proxy counts? DESIGN: whole, within the objective, and not refused. */

/**
 * Good, if in time. A stream that broke after its head was sent is not among them: the proxy counts it under the status of what broke it.
 * https://prometheus.io/docs/prometheus/latest/querying/basics: the pattern must match all of the label.
 */
export const GOOD_STATUSES = '2..';
/** All that counts. 499 and the other 4xx are the client's doing. */
export const COUNTED_STATUSES = '2..|429|5..';

const GOOD = new RegExp(`^(?:${GOOD_STATUSES})$`);
const COUNTED = new RegExp(`^(?:${COUNTED_STATUSES})$`);

export function isGood(status: string): boolean {
  return GOOD.test(status);
}

export function isCounted(status: string): boolean {
  return COUNTED.test(status);
}

/** Decimal and binary fractions of one number differ by less. */
const SAME = 1e-9;

export function isSameBound(a: number, b: number): boolean {
  return Math.abs(a - b) <= SAME * Math.max(a, b);
}

/**
 * By which bound of a histogram answers count as in time: the one that lies on the objective, or else the next lower one, so that none counts
 * as good that is not.
 * @param boundsSeconds in any order
 * @returns in seconds; undefined where all are higher
 */
export function boundFor(objectiveMs: number, boundsSeconds: Iterable<number>): number | undefined {
  const objective = objectiveMs / 1_000;
  let best: number | undefined;
  for (const bound of boundsSeconds) {
    if (bound <= objective * (1 + SAME) && bound > (best ?? 0)) best = bound;
  }
  return best;
}
