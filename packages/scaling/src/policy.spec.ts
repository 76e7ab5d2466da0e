import { expect, it } from 'vitest';
import { InvalidPolicyError, resolvePolicy, type ScalingPolicySpec, validatePolicy } from './policy.ts';

const SPEC: ScalingPolicySpec = {
  maxReplicas: 10,
  objective: { metric: 'duration', latencyMs: 2_000, percentile: 95 },
};

it('fills gaps', () => {
  expect(resolvePolicy(SPEC)).toMatchObject({ minReplicas: 1, mode: 'Active', paused: false, periodMs: 5_000 });
});

it.each([
  ['minReplicas', { minReplicas: -1 }],
  ['minReplicas', { minReplicas: 1.5 }],
  ['maxReplicas', { maxReplicas: 0 }],
  ['maxReplicas', { minReplicas: 5, maxReplicas: 4 }],
  ['objective.metric', { objective: { ...SPEC.objective, metric: 'mean' as 'duration' } }],
  ['objective.latencyMs', { objective: { ...SPEC.objective, latencyMs: Number.NaN } }],
  ['objective.percentile', { objective: { ...SPEC.objective, percentile: 100 } }],
  ['behavior.scaleDown.stabilizationWindowMs', { behavior: { scaleDown: { stabilizationWindowMs: -1 } } }],
  [
    'behavior.scaleUp.policies[0].value',
    { behavior: { scaleUp: { policies: [{ type: 'pods', value: 0, periodMs: 15_000 }] } } },
  ],
  [
    'behavior.scaleUp.policies[0].periodMs',
    { behavior: { scaleUp: { policies: [{ type: 'pods', value: 1, periodMs: 1 }] } } },
  ],
  ['capacity.slotsPerReplica', { capacity: { slotsPerReplica: 0 } }],
  ['coldStartMs', { coldStartMs: Number.NaN }],
  ['windowsMs', { windowsMs: [] }],
  ['windowsMs', { windowsMs: [30_000, 10_000] }],
  ['fallback.replicas', { fallback: { replicas: 11 } }],
  ['fallback.afterFailures', { fallback: { replicas: 3, afterFailures: 0 } }],
  ['mode', { mode: 'Off' as 'Active' }],
  ['pausedReplicas', { pausedReplicas: -1 }],
  ['idleMs', { idleMs: -1 }],
  ['periodMs', { periodMs: 0 }],
] satisfies [string, Partial<ScalingPolicySpec>][])('names %s', (field, wrong) => {
  const spec: ScalingPolicySpec = { ...SPEC, ...wrong };
  expect(validatePolicy(spec)).toEqual([
    expect.stringMatching(new RegExp(`^${field.replace(/[.[\]]/g, '\\$&')} must be `)),
  ]);
  expect(() => resolvePolicy(spec)).toThrow(InvalidPolicyError);
});
