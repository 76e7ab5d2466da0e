/** Where does the search for the best schedule begin? With the cheapest of some simple ones. */
import type { Arrivals } from '../arrivals/arrivals.ts';
import type { PodOptions } from '../simulator/options.ts';
import { throughputAt } from '../simulator/service-curve.ts';
import { clampReplicas, type ReplicaLimits } from './competitor.ts';

/** Of the schedules that the search may begin with. */
const WIDTHS_MS = [5_000, 15_000, 45_000, 125_000];
const SPREADS = [0, 0.7];
const BISECTIONS = 8;

interface Judged {
  readonly failed: number;
  readonly replicaSeconds: number;
}

export interface StartParts {
  readonly arrivals: Arrivals;
  readonly pods: PodOptions;
  readonly limits: ReplicaLimits;
  readonly stepMs: number;
  /** Requests that may fail, and how many of them the fixed number may, where none of the others is enough. */
  readonly budget: number;
  readonly allowed: number;
  /** Simulates a schedule of able pods. */
  judge(able: Int32Array): Judged;
  /** Called with the share that is done. */
  onProgress(share: number): void;
}

/**
 * The cheapest of simple schedules: in proportion to what the requests around each step keep busy, with a share for chance, for several widths
 * of "around"; by how much, bisection finds for each. Where none is enough, the smallest fixed number that is.
 */
export function startSchedule(parts: StartParts): Int32Array {
  let best: { able: Int32Array; replicaSeconds: number } | undefined;
  WIDTHS_MS.forEach((widthMs, index) => {
    parts.onProgress(index / WIDTHS_MS.length);
    const busy = busyPods(parts, widthMs);
    for (const spread of SPREADS) {
      let [low, high] = [0.5, 12];
      for (let step = 0; step < BISECTIONS; step++) {
        const margin = Math.sqrt(low * high);
        const able = busy.map((pods) => margin * pods + spread * Math.sqrt(pods));
        const wanted = Int32Array.from(able, (pods) => clampReplicas(Math.ceil(pods), parts.limits));
        const { failed, replicaSeconds } = parts.judge(wanted);
        if (failed > parts.budget) low = margin;
        else {
          high = margin;
          if (best === undefined || replicaSeconds < best.replicaSeconds) best = { able: wanted, replicaSeconds };
        }
      }
    }
  });
  return best?.able ?? fixedSchedule(parts);
}

export function stepCount({ durationMs }: Arrivals, stepMs: number): number {
  return Math.max(1, Math.ceil(durationMs / stepMs));
}

/** The smallest fixed number that is enough, the largest where none is. */
function fixedSchedule({ arrivals, stepMs, limits, allowed, judge }: StartParts): Int32Array {
  let { min: low, max: high } = limits;
  const always = (pods: number) => new Int32Array(stepCount(arrivals, stepMs)).fill(pods);
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (judge(always(middle)).failed > allowed) low = middle + 1;
    else high = middle;
  }
  return always(high);
}

/** By step: what the requests that come in `widthMs` around it would keep busy with all slots taken. */
function busyPods({ arrivals, pods, stepMs }: StartParts, widthMs: number): Float64Array {
  const sums = new Float64Array(stepCount(arrivals, stepMs) + 1);
  const busy = pods.meanServiceMs / throughputAt(pods.curve, pods.slots) / stepMs;
  for (const at of arrivals.timesMs) sums[Math.floor(at / stepMs) + 1]! += busy;
  for (let step = 1; step < sums.length; step++) sums[step]! += sums[step - 1]!;
  const half = Math.max(0, Math.round((widthMs / stepMs - 1) / 2));
  return Float64Array.from({ length: sums.length - 1 }, (_, step) => {
    const [from, to] = [Math.max(0, step - half), Math.min(sums.length - 1, step + half + 1)];
    return (sums[to]! - sums[from]!) / (to - from);
  });
}
