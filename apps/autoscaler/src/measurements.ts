/** What is measured of the targets: by Prometheus, or by scraping directly. */
import type { Observation } from '@ragscale/scaling/observation';
import type { Target } from './target.ts';

export interface MeasuredTarget {
  readonly target: Target;
  /** `FleetState.readyPods`: whose metrics count. */
  readonly readyPods: readonly string[];
}

export interface Measured {
  readonly observation: Omit<Observation, 'replicas'>;
  /** Of the oldest of the newest samples that this is made of; undefined where there is none. */
  readonly ageMs: number | undefined;
  /** How often the proxies are scraped, as far as observed. */
  readonly scrapeIntervalMs: number | undefined;
  /** The windows had to be longer than the policy says, because scrapes are too far apart. */
  readonly isTooCoarse: boolean;
  /** The bound of the histogram by which an answer counts as good; lower than the objective where no bound lies on it. */
  readonly boundMs: number | undefined;
  /** Why something is missing, in words; undefined where all is there. */
  readonly trouble: string | undefined;
}

export interface Measurements {
  /**
   * One round for all targets, in a number of requests that does not grow with them. Never rejects: what is not known is a reading that says so.
   * @returns an entry for each target, by its id
   */
  measure(targets: readonly MeasuredTarget[], signal: AbortSignal): Promise<ReadonlyMap<string, Measured>>;
}
