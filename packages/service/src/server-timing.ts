/** The Server-Timing header of an answer. https://www.w3.org/TR/server-timing/ */
import { STAGES } from './metric-catalogue.ts';
import type { StageTimes } from './pod-metrics.ts';

/**
 * `queue;dur=0.1, embed;dur=2.3, ..., total;dur=40.2`, all in milliseconds.
 * @param stages those that are known: the head of a stream leaves before the last ones
 */
export function renderServerTiming(stages: Partial<StageTimes>, totalMs?: number): string {
  const times = { ...stages, total: totalMs };
  return [...STAGES, 'total' as const]
    .flatMap((name) => {
      const ms = times[name];
      return ms === undefined ? [] : [`${name};dur=${Math.max(0, Number(ms.toFixed(3)))}`];
    })
    .join(', ');
}
