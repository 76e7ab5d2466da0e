/** Which numbers of the law were chosen by trying, and what are they for? */

export interface Tuning {
  /**
   * Of the requests that may be late, the part that is planned to be: the rest is for what nobody can foresee, a first surge above all. Twice as
   * much saves a tenth of the replica-seconds and doubles the violations, half as much costs a tenth and saves none.
   */
  steadyPart: number;
  /**
   * A rise beyond all that was seen is as likely as if this many moments had ended in one, among all that were watched: it fades as one over
   * the time. Larger rises are the rarer the larger `cautionTail`, the exponent of their Pareto distribution.
   */
  caution: number;
  cautionTail: number;
  /** In how long a queue that stands when new pods are ready shall be gone. */
  drainMs: number;
  /** Down only to the most of so many cold starts, and of no less than the shortest window: what may come back sooner is planned for. */
  windowColdStarts: number;
  shortestWindowMs: number;
  /** Two averages of the load contradict each other when their ranges of so many deviations do not meet. */
  deviations: number;
}

export const TUNING: Readonly<Tuning> = {
  steadyPart: 0.1,
  caution: 12,
  cautionTail: 4,
  drainMs: 10_000,
  windowColdStarts: 1,
  shortestWindowMs: 60_000,
  deviations: 3,
};
