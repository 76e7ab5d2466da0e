/** How many requests wait and run in a target's pods, where some of them may not tell? */
import type { Reading } from '@ragscale/scaling/observation';
import { EMPTY, FAILED, readingOf } from './readings.ts';

/** What one pod says of itself, all of it numbers of at least 0. */
export interface PodGauges {
  readonly waiting: number;
  readonly running: number;
  /** 0 until it is ready. */
  readonly slots: number;
}

export interface PodReadings {
  readonly waiting: Reading;
  readonly running: Reading;
  /** Of one pod: the most that any has. */
  readonly slots: Reading;
  readonly trouble: string | undefined;
}

export const PODS_FAILED: PodReadings = { waiting: FAILED, running: FAILED, slots: FAILED, trouble: undefined };

/**
 * A pod without metrics counts as fully busy; where more than half of them have none, nobody knows.
 * @param readyPods by name, whether it was ready long enough to have been scraped
 * @param gaugesOf undefined where the pod has no metrics that are new enough
 */
export function readPods(
  readyPods: ReadonlyMap<string, boolean>,
  gaugesOf: (pod: string) => PodGauges | undefined,
): PodReadings {
  const silent: string[] = [];
  let [waiting, running, slots, expected] = [0, 0, 0, 0];
  for (const [pod, wasScraped] of readyPods) {
    const gauges = gaugesOf(pod);
    if (wasScraped || gauges !== undefined) expected += 1;
    if (gauges !== undefined) {
      waiting += gauges.waiting;
      running += gauges.running;
      slots = Math.max(slots, gauges.slots);
    } else if (wasScraped) silent.push(pod);
  }
  const trouble =
    silent.length === 0 ? undefined : `${silent.length} of ${expected} ready pods have no metrics (${few(silent)})`;
  if (silent.length > expected / 2) return { waiting: EMPTY, running: EMPTY, slots: EMPTY, trouble };
  return {
    waiting: readingOf(waiting),
    running: readingOf(running + silent.length * slots),
    slots: slots > 0 ? readingOf(slots) : EMPTY,
    trouble,
  };
}

const NAMED = 3;

/** The first few, for a sentence that people read. */
export function few(names: readonly string[]): string {
  const more = names.length - NAMED;
  return names.slice(0, NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
