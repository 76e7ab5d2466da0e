/** Which numbers of the law were chosen by trying, and what are they for? */

export interface Tuning {
  /** Of the requests that may be late, the part that is planned to be: the rest is for what nobody can foresee, a first surge above all. */
  steadyPart: number;
  /** How likely, within the horizon, the load is to become one that nothing seen before tells of. */
  surprise: number;
  /** The same at first. It fades within ten minutes: a load that is full of surprises has had one by then. */
  firstSurprise: number;
  surpriseFadeMs: number;
  /** Exponent of the Pareto distribution of what it then becomes, in usual loads: larger ones are the rarer the larger it is. */
  surpriseTail: number;
  /** In how long a queue that stands when new pods are ready shall be gone. */
  drainMs: number;
  /** Down only to the most of so many cold starts, and of no less than the shortest window: what may come back sooner is planned for. */
  windowColdStarts: number;
  shortestWindowMs: number;
  /** Two averages of the load contradict each other when their ranges of so many deviations do not meet. */
  deviations: number;
}

export const TUNING: Readonly<Tuning> = {
  steadyPart: 0.2,
  surprise: 0.005,
  firstSurprise: 0.05,
  surpriseFadeMs: 120_000,
  surpriseTail: 4,
  drainMs: 5_000,
  windowColdStarts: 1,
  shortestWindowMs: 60_000,
  deviations: 2,
};
