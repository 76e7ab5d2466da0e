/** Times as logs and answers show them: milliseconds with three decimals, so whole microseconds. */
import { STAGES, type Stage } from '@ragscale/service/metric-catalogue';
import type { StageTimes } from '@ragscale/service/pod-metrics';

export function roundedMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** In order, the known ones only. */
export function roundedStages<Times extends Partial<StageTimes>>(
  stages: Times,
): { [Name in Stage & keyof Times]: number } {
  const known = STAGES.flatMap((stage) => (stages[stage] === undefined ? [] : [[stage, roundedMs(stages[stage])]]));
  return Object.fromEntries(known);
}
