/** Which of a target's pods can answer, which are on their way, and why does the oldest of those not come? */
import { z } from 'zod';

const conditionSchema = z.object({
  type: z.string(),
  status: z.string(),
  lastTransitionTime: z.string().nullish(),
  message: z.string().nullish(),
});
const containerSchema = z.object({
  state: z
    .object({ waiting: z.object({ reason: z.string().nullish(), message: z.string().nullish() }).nullish() })
    .nullish(),
});

/** The part of a pod that is kept: a large namespace has thousands. */
export const podSchema = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    resourceVersion: z.string(),
    creationTimestamp: z.string(),
    deletionTimestamp: z.string().nullish(),
    labels: z.record(z.string(), z.string()).nullish(),
  }),
  status: z
    .object({
      phase: z.string().nullish(),
      conditions: z.array(conditionSchema).nullish(),
      initContainerStatuses: z.array(containerSchema).nullish(),
      containerStatuses: z.array(containerSchema).nullish(),
    })
    .nullish(),
});
export type Pod = z.output<typeof podSchema>;

export interface PodCounts {
  /** Names, sorted. */
  readonly ready: readonly string[];
  /** Milliseconds, the oldest first. */
  readonly startingAgesMs: readonly number[];
  readonly waitingFor: string | undefined;
}

/** Of a waiting container that is only on its way. */
const USUAL = new Set(['ContainerCreating', 'PodInitializing']);
/** Between the first word of the kubelet about a pod and the next: a Ready condition that changed later was true before. */
const FIRST_WORD_MS = 10_000;
const LONGEST_WORDS = 300;

/** @param now milliseconds since the epoch, by the clock of the API server */
export function countPods(pods: readonly Pod[], now: number): PodCounts {
  const alive = pods.filter(
    ({ metadata, status }) =>
      !metadata.deletionTimestamp && status?.phase !== 'Succeeded' && status?.phase !== 'Failed',
  );
  const ready = alive.filter((pod) => conditionOf(pod, 'Ready')?.status === 'True');
  const starting = alive
    .filter((pod) => !ready.includes(pod))
    .map((pod) => ({ pod, ageMs: Math.max(0, now - startedAt(pod, now)) }))
    .sort((a, b) => b.ageMs - a.ageMs);
  const waitingFor = starting.map(({ pod }) => obstacleOf(pod)).find((words) => words !== undefined);
  return {
    ready: ready.map(({ metadata }) => metadata.name).sort(),
    startingAgesMs: starting.map(({ ageMs }) => ageMs),
    waitingFor,
  };
}

/** When it was made; one that was ready and no longer is starts again from the moment when it ceased to be. */
function startedAt(pod: Pod, now: number): number {
  const made = timeOf(pod.metadata.creationTimestamp) ?? now;
  const scheduled = timeOf(conditionOf(pod, 'PodScheduled')?.lastTransitionTime) ?? made;
  const ceased = timeOf(conditionOf(pod, 'Ready')?.lastTransitionTime) ?? made;
  return ceased - scheduled > FIRST_WORD_MS ? Math.max(made, ceased) : made;
}

function obstacleOf(pod: Pod): string | undefined {
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (scheduled?.status === 'False') return told(pod, scheduled.message ?? 'not scheduled to a node yet');
  const containers = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  for (const { state } of containers) {
    const { reason, message } = state?.waiting ?? {};
    if (reason && !USUAL.has(reason)) return told(pod, message ? `${reason}: ${message}` : reason);
  }
  return undefined;
}

function told({ metadata }: Pod, words: string): string {
  return `${metadata.name}: ${words}`.slice(0, LONGEST_WORDS);
}

function conditionOf({ status }: Pod, type: string): z.output<typeof conditionSchema> | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

function timeOf(text: string | null | undefined): number | undefined {
  const at = text ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}
