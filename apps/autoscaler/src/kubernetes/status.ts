/** What stands in the status of a LatencyAutoscaler? */

import { explain } from '@ragscale/scaling/explain';
import type { Reading } from '@ragscale/scaling/observation';
import { z } from 'zod';
import type { Report } from '../report.ts';
import type { Problem } from '../target.ts';
import { conditionSchema, findingsOf, findingsOfRefusal, mergedConditions } from './conditions.ts';
import { durationText } from './durations.ts';

export const statusSchema = z.object({
  observedGeneration: z.number().optional(),
  currentReplicas: z.number().optional(),
  readyReplicas: z.number().optional(),
  desiredReplicas: z.number().optional(),
  recommendedReplicas: z.number().optional(),
  lastScaleTime: z.string().optional(),
  /** Such as `99.2%`. */
  good: z.string().optional(),
  waitingFor: z.string().optional(),
  lastDecision: z.object({ time: z.string(), reason: z.string(), explanation: z.string() }).optional(),
  /** With units. */
  estimates: z.record(z.string(), z.string()).optional(),
  conditions: z.array(conditionSchema).optional(),
});
export type Status = Readonly<z.output<typeof statusSchema>>;

/** Of what is estimated: more would be noise. */
const DIGITS = 2;

/** @param previous what it was; what this round knows nothing of stays */
export function statusOf(report: Report, previous: Status, observedGeneration: number): Status {
  const { state, measured, decision, estimates, target } = report;
  const time = timeText(report.at);
  const known = new Set(previous.conditions?.map(({ type }) => type));
  const conditions = mergedConditions(previous.conditions ?? [], findingsOf(report, known), observedGeneration, time);
  const { waitingFor: _was, good: _before, ...kept } = previous;
  const good = measured && goodText(measured.observation.badShares);
  return {
    ...kept,
    observedGeneration,
    ...(state && { currentReplicas: state.replicas.spec, readyReplicas: state.replicas.ready }),
    ...(state?.waitingFor !== undefined && { waitingFor: state.waitingFor }),
    ...(good !== undefined && { good }),
    ...(decision && {
      desiredReplicas: decision.replicas,
      recommendedReplicas: decision.recommended,
      lastDecision: { time, reason: decision.reason, explanation: explain(decision, target.policy.objective) },
    }),
    ...(report.scaled && { lastScaleTime: time }),
    ...(estimates && { estimates: estimateTexts(estimates) }),
    conditions,
  };
}

/** Of a resource that cannot be taken up: it has no decision, and no numbers that somebody could believe. */
export function statusOfRefusal(problem: Problem, previous: Status, observedGeneration: number, at: number): Status {
  const { lastScaleTime, conditions = [] } = previous;
  return {
    observedGeneration,
    ...(lastScaleTime !== undefined && { lastScaleTime }),
    conditions: mergedConditions(conditions, findingsOfRefusal(problem), observedGeneration, timeText(at)),
  };
}

/** What is told at once: the rest moves all the time under load, and the API server is not for that. */
export function pressingPart(status: Status): string {
  const { observedGeneration, currentReplicas, readyReplicas, desiredReplicas, recommendedReplicas } = status;
  const conditions = status.conditions?.map(({ type, status: is, reason }) => `${type} ${is} ${reason}`).sort();
  return JSON.stringify([
    ...[observedGeneration, currentReplicas, readyReplicas, desiredReplicas, recommendedReplicas],
    ...[status.lastScaleTime, status.lastDecision?.reason, status.waitingFor !== undefined, conditions],
  ]);
}

/** All that somebody might want to read; the time of a decision that says the same as the one before is nothing new. */
export function wholePart(status: Status): string {
  const { lastDecision, ...rest } = status;
  return JSON.stringify([rest, lastDecision?.explanation], (_, value: unknown) => sorted(value));
}

/** Whole seconds, as Kubernetes writes times. */
export function timeText(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
}

function goodText(badShares: readonly { readonly reading: Reading }[]): string | undefined {
  const known = badShares.flatMap(({ reading }) => (reading.kind === 'value' ? [reading.value] : []));
  const bad = known.at(-1);
  // Down, so that 100% means all.
  return bad === undefined ? undefined : `${Math.floor(Math.max(0, 1 - bad) * 1_000) / 10}%`;
}

function estimateTexts(estimates: NonNullable<Report['estimates']>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(estimates).flatMap(([name, value]) => {
      if (value === undefined || !Number.isFinite(value)) return [];
      const rounded = Number(value.toPrecision(DIGITS));
      return [name.endsWith('Ms') ? [name.slice(0, -2), durationText(rounded)] : [name, `${rounded}`]];
    }),
  );
}

/** The API server gives objects back in another order. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
