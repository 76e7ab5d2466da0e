/** How many pods shall be able, and when must they be ordered for it? */
import type { ScalerFactory } from '../simulator/options.ts';

/** Pods wanted able, one number for each step. */
export interface Schedule {
  readonly stepMs: number;
  readonly able: Int32Array;
}

/** Orders what a schedule wants able by the time that pods take to get able. */
export function scheduledScaler(schedule: Schedule, coldStartMs: number): ScalerFactory {
  const orders = ordersOf(schedule, coldStartMs);
  return () => ({
    periodMs: schedule.stepMs,
    decide(_, now) {
      const replicas = orders[Math.min(orders.length - 1, Math.round(now / schedule.stepMs))]!;
      return { replicas, recommended: replicas, reason: 'load', terms: {} };
    },
  });
}

/** A pod has to be there for the largest number that is wanted from now until one that is ordered now is able. */
export function ordersOf({ able, stepMs }: Schedule, coldStartMs: number): Int32Array {
  const ahead = Math.ceil(coldStartMs / stepMs);
  return able.map((_, step) => {
    let most = 0;
    for (let next = step; next <= step + ahead && next < able.length; next++) most = Math.max(most, able[next]!);
    return most;
  });
}
