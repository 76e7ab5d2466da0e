import { describe, expect, it } from 'vitest';
import { JUDGED_SPECS, specWith } from '../../test/specs.ts';
import { latencyAutoscalerSchema, targetOf } from './latency-autoscaler.ts';

function read(spec: unknown, metadata: object = {}) {
  const own = {
    name: 'a',
    namespace: 'rag',
    uid: 'u',
    resourceVersion: '1',
    creationTimestamp: '2026-11-22T10:00:00Z',
  };
  return targetOf(latencyAutoscalerSchema.parse({ metadata: { ...own, ...metadata }, spec }));
}

function policyOf(spec: unknown, metadata: object = {}) {
  const result = read(spec, metadata);
  if ('problem' in result) throw new Error(result.problem.message);
  return result.target.policy;
}

describe('targetOf', () => {
  it.each(JUDGED_SPECS.filter(({ wrong }) => wrong === undefined))('takes $name', ({ spec }) => {
    expect(read(spec)).toHaveProperty('target');
  });

  it.each(JUDGED_SPECS.filter(({ wrong }) => wrong !== undefined))('refuses $name', ({ spec, wrong }) => {
    expect(read(spec)).toMatchObject({
      problem: { reason: 'InvalidSpec', message: expect.stringMatching(new RegExp(`^spec\\.[^:]*${wrong}`)) },
    });
  });

  it('names every field that is wrong', () => {
    const result = read({ ...specWith(), coldStart: 'slow', mode: 'Auto' });
    expect(result).toMatchObject({
      problem: { message: expect.stringMatching(/spec\.coldStart: must be .*; spec\.mode: /) },
    });
  });

  it('refuses a resource without a spec', () => {
    expect(read(undefined)).toHaveProperty('problem.reason', 'InvalidSpec');
  });

  it('fills in what is not given', () => {
    expect(read(specWith())).toEqual({
      target: {
        id: 'rag/a',
        namespace: 'rag',
        name: 'a',
        route: 'rag',
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'rag' },
        policy: {
          minReplicas: 1,
          maxReplicas: 5,
          objective: { metric: 'duration', latencyMs: 2_000, percentile: 95 },
          mode: 'Active',
          idleMs: 300_000,
        },
      },
    });
  });

  it('asks for a route where the name of the target cannot be one', () => {
    const scaleTargetRef = { name: 'rag.v2' };
    expect(read(specWith({ scaleTargetRef }))).toHaveProperty(
      'problem.message',
      expect.stringMatching(/^spec\.route must be given/),
    );
    expect(read(specWith({ scaleTargetRef, route: 'v2' }))).toHaveProperty('target.route', 'v2');
  });

  it('turns durations into milliseconds and rules into those of the law', () => {
    const policies = [
      { type: 'Percent', value: 50, periodSeconds: 60 },
      { type: 'Pods', value: 2, periodSeconds: 15 },
    ];
    const spec = specWith({
      objective: { metric: 'timeToFirstToken', latency: '300ms', percentile: '99.9' },
      behavior: { scaleUp: { policies }, scaleDown: { stabilizationWindowSeconds: 90, policies: [] } },
      capacity: { slotsPerReplica: 8 },
      coldStart: '45s',
      windows: ['10s', '1m'],
      fallback: { replicas: 3 },
      idleAfter: '1h',
      mode: 'Recommend',
    });
    expect(policyOf(spec)).toMatchObject({
      objective: { metric: 'timeToFirstToken', latencyMs: 300, percentile: 99.9 },
      behavior: {
        scaleUp: {
          policies: [
            { type: 'percent', value: 50, periodMs: 60_000 },
            { type: 'pods', value: 2, periodMs: 15_000 },
          ],
        },
        scaleDown: { stabilizationWindowMs: 90_000, policies: [] },
      },
      capacity: { slotsPerReplica: 8 },
      coldStartMs: 45_000,
      windowsMs: [10_000, 60_000],
      fallback: { replicas: 3, afterFailures: 3 },
      idleMs: 3_600_000,
      mode: 'Recommend',
    });
  });

  it.each([
    [{ 'ragscale.dev/paused': 'true' }, { paused: true }],
    [{ 'ragscale.dev/paused': 'false' }, {}],
    [{ 'ragscale.dev/paused-replicas': '0' }, { paused: true, pausedReplicas: 0 }],
    [
      { 'ragscale.dev/paused': 'false', 'ragscale.dev/paused-replicas': '3' },
      { paused: true, pausedReplicas: 3 },
    ],
    [{ 'example.com/paused': 'true' }, {}],
  ])('pauses by %j', (annotations, pause) => {
    const { paused, pausedReplicas } = policyOf(specWith(), { annotations });
    expect({ paused, pausedReplicas }).toEqual(pause);
  });

  it.each([
    { 'ragscale.dev/paused': 'yes' },
    { 'ragscale.dev/paused': '' },
    { 'ragscale.dev/paused-replicas': '-1' },
    { 'ragscale.dev/paused-replicas': '1.5' },
    { 'ragscale.dev/paused-replicas': '' },
  ])('leaves it alone where %j cannot be understood', (annotations) => {
    expect(read(specWith(), { annotations })).toHaveProperty('problem.reason', 'InvalidAnnotation');
  });
});

describe('the rules of the law', () => {
  it('allow no change downwards where they are disabled', async () => {
    const { leastAllowed, ReplicaLog } = await import('@ragscale/scaling/law/rate-limit');
    const policies = policyOf(specWith({ behavior: { scaleDown: { selectPolicy: 'Disabled' } } })).behavior?.scaleDown
      ?.policies;
    const log = new ReplicaLog();
    log.record(0, 7, 60_000);
    expect(leastAllowed(log, policies ?? [], 10_000)).toBe(7);
  });
});
