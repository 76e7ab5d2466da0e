/** What holds of a LatencyAutoscaler? Its conditions, as https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md defines them. */
import { factsOf } from '@ragscale/scaling/missing-data';
import { z } from 'zod';
import type { Report } from '../report.ts';
import type { Problem } from '../target.ts';
import { durationText } from './durations.ts';

export const conditionSchema = z.object({
  type: z.string(),
  status: z.enum(['True', 'False', 'Unknown']),
  observedGeneration: z.number().optional(),
  lastTransitionTime: z.string(),
  reason: z.string(),
  message: z.string(),
});
export type Condition = Readonly<z.output<typeof conditionSchema>>;

type Finding = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

/** Somebody else was faster; the next round looks again. */
const PASSING = 'Conflict';

/**
 * @param previous those that nothing is found about stay as they are
 * @param time as it is to stand there
 */
export function mergedConditions(
  previous: readonly Condition[],
  findings: readonly Finding[],
  observedGeneration: number,
  time: string,
): Condition[] {
  const merged = new Map(previous.map((condition) => [condition.type, condition]));
  for (const finding of findings) {
    const before = merged.get(finding.type);
    const lastTransitionTime = before?.status === finding.status ? before.lastTransitionTime : time;
    merged.set(finding.type, { ...finding, observedGeneration, lastTransitionTime });
  }
  return [...merged.values()];
}

/** Of a resource that cannot be taken up. */
export function findingsOfRefusal({ reason, message }: Problem): Finding[] {
  return [
    { type: 'Ready', status: 'False', reason, message },
    { type: 'AbleToScale', status: 'False', reason, message },
    { type: 'ScalingActive', status: 'False', reason, message },
  ];
}

/** @param known the types that stand in the status already: what is rarely the case is only told where it is, or was */
export function findingsOf(report: Report, known: ReadonlySet<string>): Finding[] {
  const rare = [pausedFinding(report), tooCoarseFinding(report), boundFinding(report), reachFinding(report)].filter(
    (finding) => finding !== undefined && (finding.status === 'True' || known.has(finding.type)),
  );
  return [readyFinding(report), ableFinding(report), activeFinding(report), limitedFinding(report), ...rare].filter(
    (finding) => finding !== undefined,
  );
}

export function isPassing(problem: Problem | undefined): boolean {
  return problem?.reason === PASSING;
}

function readyFinding({ problem }: Report): Finding {
  if (problem !== undefined && !isPassing(problem)) return { type: 'Ready', status: 'False', ...problem };
  return { type: 'Ready', status: 'True', reason: 'Deciding', message: 'the target is looked after' };
}

function ableFinding({ problem }: Report): Finding {
  if (problem !== undefined && !isPassing(problem)) return { type: 'AbleToScale', status: 'False', ...problem };
  const message = 'the number of replicas can be read and changed';
  return { type: 'AbleToScale', status: 'True', reason: 'ReadyForNewScale', message };
}

/** Whether something follows from what is measured. */
function activeFinding({ target, measured, state, decision }: Report): Finding | undefined {
  if (decision === undefined || measured === undefined || state === undefined) return undefined;
  const finding = (status: 'True' | 'False', reason: string, message: string): Finding => ({
    type: 'ScalingActive',
    status,
    reason,
    message,
  });
  if (decision.reason === 'paused') return finding('False', 'Paused', 'paused by an annotation');
  const facts = factsOf({ ...measured.observation, replicas: state.replicas });
  const nothing = `no arrivals are known of the route ${target.route}: are the proxies scraped, and is spec.route right?`;
  if (facts.state === 'stale')
    return finding('False', 'MetricsStale', measured.trouble ?? 'the newest sample is too old');
  if (facts.state === 'no-data') return finding('False', 'MetricsMissing', measured.trouble ?? nothing);
  if (decision.reason === 'recommend-only') return finding('False', 'RecommendOnly', 'spec.mode is Recommend');
  if (facts.partial) {
    const message = measured.trouble ?? 'a part of the metrics is missing';
    return finding('True', 'MetricsIncomplete', `${message}; nothing is taken away meanwhile`);
  }
  return finding('True', 'MetricsFound', 'decisions follow the arrivals');
}

function limitedFinding({ target, decision, state }: Report): Finding | undefined {
  if (decision === undefined) return undefined;
  const { reason, recommended } = decision;
  const finding = (name: string, message: string): Finding => ({
    type: 'ScalingLimited',
    status: 'True',
    reason: name,
    message,
  });
  const { maxReplicas, minReplicas = 1 } = target.policy;
  if (reason === 'at-max') {
    return finding('TooManyReplicas', `${recommended} replicas are wanted, spec.maxReplicas is ${maxReplicas}`);
  }
  if (reason === 'at-min') {
    return finding('TooFewReplicas', `${recommended} replicas would do, spec.minReplicas is ${minReplicas}`);
  }
  if (reason === 'rate-limited') {
    return finding('RateLimited', `${recommended} replicas are wanted, spec.behavior does not allow as many at once`);
  }
  if (reason === 'cold-start-pending') {
    const why = state?.waitingFor === undefined ? '' : `: ${state.waitingFor}`;
    return finding('ColdStartOverdue', `pods take longer to start than is usual, so no more are added${why}`);
  }
  return {
    type: 'ScalingLimited',
    status: 'False',
    reason: 'WithinLimits',
    message: 'no limit holds back what is wanted',
  };
}

function pausedFinding({ target }: Report): Finding {
  const { paused = false, pausedReplicas } = target.policy;
  const held = pausedReplicas === undefined ? 'held as it is' : `held at ${pausedReplicas}`;
  return paused
    ? { type: 'Paused', status: 'True', reason: 'Annotated', message: `the number of replicas is ${held}` }
    : { type: 'Paused', status: 'False', reason: 'NotAnnotated', message: 'not paused' };
}

function tooCoarseFinding({ measured }: Report): Finding | undefined {
  if (measured === undefined) return undefined;
  const { isTooCoarse, scrapeIntervalMs } = measured;
  if (!isTooCoarse) {
    return { type: 'MetricsTooCoarse', status: 'False', reason: 'FineEnough', message: 'scrapes are often enough' };
  }
  const every =
    scrapeIntervalMs === undefined ? '' : ` (every ${durationText(Math.round(scrapeIntervalMs / 100) * 100)})`;
  const message = `the proxies are scraped too seldom for the windows${every}: longer windows are used, which see a surge later`;
  return { type: 'MetricsTooCoarse', status: 'True', reason: 'ScrapeIntervalTooLong', message };
}

function boundFinding({ target, measured }: Report): Finding | undefined {
  if (measured?.boundMs === undefined) return undefined;
  const type = 'ObjectiveBetweenBuckets';
  const { latencyMs } = target.policy.objective;
  if (measured.boundMs === latencyMs) {
    return { type, status: 'False', reason: 'BoundFound', message: 'a bound of the histogram lies on the objective' };
  }
  const bound = durationText(measured.boundMs);
  const message = `no bound of the histogram lies on ${durationText(latencyMs)}: answers within ${bound} count as good`;
  return { type, status: 'True', reason: 'NextLowerBound', message };
}

function reachFinding({ target, decision }: Report): Finding | undefined {
  const { reachMs } = decision?.terms ?? {};
  if (reachMs === undefined) return undefined;
  const type = 'ObjectiveOutOfReach';
  const { latencyMs, percentile } = target.policy.objective;
  if (reachMs <= latencyMs) {
    return { type, status: 'False', reason: 'WithinReach', message: 'a request alone meets the objective' };
  }
  const within = durationText(Math.ceil(reachMs / 10) * 10);
  const message = `not even requests that have a pod for themselves are answered within ${durationText(latencyMs)}, ${percentile}% of them: replicas for ${within} are kept`;
  return { type, status: 'True', reason: 'SlowAlone', message };
}
