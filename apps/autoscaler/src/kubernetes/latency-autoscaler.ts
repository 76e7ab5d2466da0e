/** What does a LatencyAutoscaler ask for? The resource as it is watched, and what of it the control loop needs. */
import { type ScalingPolicySpec, type ScalingRules, validatePolicy } from '@ragscale/scaling/policy';
import { z } from 'zod';
import type { Problem, Target } from '../target.ts';
import { durationMs } from './durations.ts';
import { statusSchema } from './status.ts';

export const GROUP_VERSION = 'ragscale.dev/v1alpha1';
export const KIND = 'LatencyAutoscaler';
export const PLURAL = 'latencyautoscalers';
/** `"true"` holds the number of replicas as it is. */
export const PAUSED_ANNOTATION = 'ragscale.dev/paused';
/** Holds it at this number, whatever the other annotation says. */
export const PAUSED_REPLICAS_ANNOTATION = 'ragscale.dev/paused-replicas';

/** The spec is judged later, one by one: what one resource has in it must not hide the others. */
export const latencyAutoscalerSchema = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    uid: z.string(),
    resourceVersion: z.string(),
    generation: z.number().int().default(0),
    creationTimestamp: z.string(),
    deletionTimestamp: z.string().nullish(),
    annotations: z.record(z.string(), z.string()).nullish(),
  }),
  spec: z.unknown().optional(),
  /** What we would not have written is written anew. */
  status: statusSchema.optional().catch(undefined),
});
export type LatencyAutoscaler = z.output<typeof latencyAutoscalerSchema>;

export interface ScaleTargetRef {
  /** Such as `apps/v1`. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

/** @param apiVersion such as `apps/v1`; that of the core has no group */
export function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
}

/** All of a target but that which only who watches it knows: when it changed. */
export interface SpecTarget extends Omit<Target, 'generation'> {
  readonly scaleTargetRef: ScaleTargetRef;
}

/** @param least inclusive; @param most inclusive */
function duration(least: string, most: string, rule: string) {
  return z.string().transform((text, context) => {
    const ms = text.length <= 16 ? durationMs(text) : undefined;
    if (ms !== undefined && ms >= (durationMs(least) ?? 0) && ms <= (durationMs(most) ?? 0)) return ms;
    context.addIssue({ code: 'custom', message: `must be ${rule}` });
    return z.NEVER;
  });
}

const text = (form: RegExp, longest: number, rule: string) => z.string().max(longest).regex(form, `must be ${rule}`);
const count = (least: number, most: number) => z.number().int().min(least).max(most);
const MOST = 100_000;
const WINDOW = 'durations from 1s to 1h, such as 10s';
const ROUTE = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

const rulesSchema = z.object({
  stabilizationWindowSeconds: count(0, 3600).optional(),
  selectPolicy: z.enum(['Max', 'Disabled']).default('Max'),
  policies: z
    .array(z.object({ type: z.enum(['Pods', 'Percent']), value: count(1, MOST), periodSeconds: count(1, 1800) }))
    .max(10)
    .optional(),
});

/** As the CustomResourceDefinition has it; a test lets both judge the same specs. */
const specSchema = z
  .object({
    scaleTargetRef: z.object({
      apiVersion: text(
        /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?v[0-9]+[a-z0-9]*$/,
        317,
        'a group and a version, such as apps/v1',
      ).default('apps/v1'),
      kind: text(/^[A-Za-z][-A-Za-z0-9]*$/, 63, 'the kind of a resource, such as Deployment').default('Deployment'),
      name: text(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 253, 'the name of a resource'),
    }),
    route: text(ROUTE, 63, 'the name of a route').optional(),
    minReplicas: count(0, MOST).default(1),
    maxReplicas: count(1, MOST),
    objective: z.object({
      metric: z.enum(['duration', 'timeToFirstToken']).default('duration'),
      latency: duration('1ms', '10m', 'a duration from 1ms to 10m, such as 300ms or 2s'),
      percentile: z
        .union([count(50, 99), z.string().regex(/^[5-9][0-9](\.[0-9]{1,2})?$/)], {
          error: 'must be from 50 to 99.99, such as 95 or "99.9"',
        })
        .default(95),
    }),
    behavior: z.object({ scaleUp: rulesSchema.optional(), scaleDown: rulesSchema.optional() }).optional(),
    capacity: z.object({ slotsPerReplica: count(1, MOST).optional() }).optional(),
    coldStart: duration('0s', '6h', 'a duration up to 6h, such as 45s').optional(),
    windows: z
      .array(duration('1s', '1h', WINDOW))
      .min(1)
      .max(6)
      .optional(),
    fallback: z.object({ replicas: count(1, MOST), afterFailures: count(1, MOST).default(3) }).optional(),
    idleAfter: duration('0s', '24h', 'a duration up to 24h, such as 5m').default(300_000),
    mode: z.enum(['Active', 'Recommend']).default('Active'),
  })
  .refine(({ minReplicas, behavior }) => minReplicas > 0 || behavior?.scaleDown?.selectPolicy !== 'Disabled', {
    path: ['minReplicas'],
    message: 'must be at least 1 where behavior.scaleDown.selectPolicy is Disabled',
  });
type Spec = z.output<typeof specSchema>;

/** One pod is rounded to none by the law, and none is what it allows then. */
const NO_CHANGE = [{ type: 'pods', value: 0.5, periodMs: 1_000 }] as const;

/** @returns what is to be scaled, or what is wrong, each field by its name */
export function targetOf(resource: LatencyAutoscaler): { target: SpecTarget } | { problem: Problem } {
  const { metadata } = resource;
  const read = specSchema.safeParse(resource.spec ?? {});
  if (!read.success) {
    const wrong = read.error.issues.map(({ path, message }) => `${['spec', ...path].join('.')}: ${message}`);
    return { problem: { reason: 'InvalidSpec', message: wrong.join('; ') } };
  }
  const { scaleTargetRef, route = scaleTargetRef.name } = read.data;
  if (!ROUTE.test(route) || route.length > 63) {
    const message = `spec.route must be given: ${route}, the name of the target, cannot be the name of a route`;
    return { problem: { reason: 'InvalidSpec', message } };
  }
  const pause = pauseOf(metadata.annotations ?? {});
  if ('problem' in pause) return pause;
  const policy = policyOf(read.data, pause);
  // The law counts in milliseconds: `windowsMs` is `windows` here.
  const problems = validatePolicy(policy).map((words) => `spec.${words.replace(/^([\w.]+)Ms /, '$1 ')}`);
  if (problems.length > 0) return { problem: { reason: 'InvalidSpec', message: problems.join('; ') } };
  const { namespace, name } = metadata;
  return { target: { id: `${namespace}/${name}`, namespace, name, route, policy, scaleTargetRef } };
}

function policyOf(spec: Spec, pause: Pause): ScalingPolicySpec {
  const { objective, behavior, capacity, coldStart, windows, fallback } = spec;
  return {
    minReplicas: spec.minReplicas,
    maxReplicas: spec.maxReplicas,
    objective: {
      metric: objective.metric,
      latencyMs: objective.latency,
      percentile: Number(objective.percentile),
    },
    ...(behavior && {
      behavior: {
        ...(behavior.scaleUp && { scaleUp: rulesOf(behavior.scaleUp) }),
        ...(behavior.scaleDown && { scaleDown: rulesOf(behavior.scaleDown) }),
      },
    }),
    ...(capacity?.slotsPerReplica !== undefined && { capacity: { slotsPerReplica: capacity.slotsPerReplica } }),
    ...(coldStart !== undefined && { coldStartMs: coldStart }),
    ...(windows && { windowsMs: windows }),
    ...(fallback && { fallback }),
    mode: spec.mode,
    idleMs: spec.idleAfter,
    ...pause,
  };
}

function rulesOf({ stabilizationWindowSeconds, selectPolicy, policies }: z.output<typeof rulesSchema>): ScalingRules {
  const given = policies?.map(({ type, value, periodSeconds }) => ({
    type: type === 'Pods' ? ('pods' as const) : ('percent' as const),
    value,
    periodMs: periodSeconds * 1_000,
  }));
  return {
    ...(stabilizationWindowSeconds !== undefined && { stabilizationWindowMs: stabilizationWindowSeconds * 1_000 }),
    ...(selectPolicy === 'Disabled' ? { policies: NO_CHANGE } : given && { policies: given }),
  };
}

type Pause = Pick<ScalingPolicySpec, 'paused' | 'pausedReplicas'>;

/** What cannot be understood is a problem, so nothing is scaled: the owner wanted it to be left alone. */
function pauseOf(annotations: Readonly<Record<string, string>>): Pause | { problem: Problem } {
  const replicas = annotations[PAUSED_REPLICAS_ANNOTATION];
  const paused = annotations[PAUSED_ANNOTATION] ?? 'false';
  const refused = (name: string, rule: string, found: string) => ({
    problem: {
      reason: 'InvalidAnnotation',
      message: `the annotation ${name} must be ${rule}, not ${found.slice(0, 40)}`,
    },
  });
  if (paused !== 'true' && paused !== 'false') return refused(PAUSED_ANNOTATION, 'true or false', paused);
  if (replicas === undefined) return paused === 'true' ? { paused: true } : {};
  if (!/^[0-9]{1,6}$/.test(replicas)) return refused(PAUSED_REPLICAS_ANNOTATION, 'a number of replicas', replicas);
  return { paused: true, pausedReplicas: Number(replicas) };
}
