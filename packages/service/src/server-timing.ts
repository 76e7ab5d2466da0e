/** The Server-Timing header of an answer. https://www.w3.org/TR/server-timing/ */
import { STAGES } from './metric-catalogue.ts';
import type { StageTimes } from './pod-metrics.ts';

/** `queue;dur=0.1, embed;dur=2.3, ..., total;dur=40.2`, all in milliseconds. */
export function renderServerTiming(stages: StageTimes, totalMs: number): string {
  return [...STAGES.map((stage) => [stage, stages[stage]] as const), ['total', totalMs] as const]
    .map(([name, ms]) => `${name};dur=${Math.max(0, Number(ms.toFixed(3)))}`)
    .join(', ');
}
