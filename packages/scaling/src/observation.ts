/** What is known of one target at one moment. Whoever measures fills it in: Prometheus, a direct scrape, the simulator. */

/** A number, or why there is none: these four must never be taken for zero, nor for each other. */
export type Reading =
  | { readonly kind: 'value'; readonly value: number }
  /** The query worked and there is no such series: nothing is scraped, or nothing was ever counted. */
  | { readonly kind: 'empty' }
  /** 0 / 0: there were no observations in the window. */
  | { readonly kind: 'nan' }
  /** The newest sample is older than it may be. */
  | { readonly kind: 'stale'; readonly ageMs: number }
  /** The question was not answered, or by several series. */
  | { readonly kind: 'failed' };

/** Bounds of the buckets in which the time that pods take is counted, in objectives: what a quantile of it is interpolated between. */
export const BUCKET_BOUNDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 5, 10, 30,
] as const;

export interface WindowedReading {
  readonly windowMs: number;
  readonly reading: Reading;
}

export interface ReplicaCounts {
  /** What the target is told to have. */
  readonly spec: number;
  /** Able to answer. */
  readonly ready: number;
  /** Of those that exist and are not able yet: milliseconds since they were made, the oldest first. */
  readonly startingAgesMs: readonly number[];
}

export interface Observation {
  readonly replicas: ReplicaCounts;
  /** Requests per second that arrived, counted before anything could refuse them; windows ascending. */
  readonly arrivalRates: readonly WindowedReading[];
  /** Requests that wait: in the proxies and in the pods. */
  readonly waiting: Reading;
  /** Requests that pods work on. */
  readonly running: Reading;
  /** Answers per second that were finished, over the longest window. */
  readonly completionRate: Reading;
  /** Mean time that a pod took for an answer, waiting in its own queue included, over the longest window, in milliseconds. */
  readonly serviceMs: Reading;
  /**
   * 95th percentile of the same time, in milliseconds, as `histogram_quantile` gives it: linear within a bucket, and never above the last finite
   * bound.
   */
  readonly serviceP95Ms: Reading;
  /** Share, from 0 to 1, of the requests that ended in the window and were not good (DESIGN: within the objective, whole, not refused); windows ascending. */
  readonly badShares: readonly WindowedReading[];
  /** What one replica can work on at once. */
  readonly slots: Reading;
}
