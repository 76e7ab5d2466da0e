/** Does a real API server take what is told about the targets: statuses, conditions, events? */
import { describe, expect, it, vi } from 'vitest';
import { missingForControlPlane } from '../../../test/cluster/control-plane/control-plane.ts';
import { GROUP, WITHIN } from './cluster-fixture.ts';
import { holding, RESOURCES, target, useClusterSide } from './cluster-side-world.ts';
import { measuredWith, reportWith, value } from './reports.ts';
import { specWith } from './specs.ts';

const missing = missingForControlPlane();

describe.skipIf(missing)(`telling a real API server${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const world = useClusterSide();

  it('writes a status that people can read, and conditions that keep their time', async () => {
    const { side, a } = await world.oneTarget(2);
    const estimates = { arrivalRate: 4.04, serviceMs: 512, coldStartMs: undefined } as never;
    side.reporter.report(reportWith({ target: a, estimates, measured: measuredWith({}, { isTooCoarse: true }) }));
    await vi.waitFor(async () => expect(await world.statusOf('a')).toHaveProperty('observedGeneration', 1), WITHIN);
    const first = await world.statusOf('a');
    expect(first).toMatchObject({
      currentReplicas: 2,
      readyReplicas: 2,
      desiredReplicas: 2,
      recommendedReplicas: 2,
      good: '99%',
      lastDecision: {
        time: '2026-11-22T10:00:00Z',
        reason: 'within-tolerance',
        explanation: expect.stringContaining('2 -> 2 within-tolerance: 4/s x 0.5 s = 2 busy'),
      },
      estimates: { arrivalRate: '4', service: '510ms' },
    });
    expect(holding(first)).toEqual(['AbleToScale', 'MetricsTooCoarse', 'Ready', 'ScalingActive']);
    side.reporter.report(reportWith({ target: a, at: Date.parse('2026-11-22T10:00:10Z'), measured: measuredWith({}) }));
    await vi.waitFor(async () => expect(holding(await world.statusOf('a'))).not.toContain('MetricsTooCoarse'), WITHIN);
    const times = (await world.statusOf('a')).conditions?.map(({ type, lastTransitionTime }) => [
      type,
      lastTransitionTime,
    ]);
    expect(Object.fromEntries(times ?? [])).toMatchObject({
      Ready: '2026-11-22T10:00:00Z',
      MetricsTooCoarse: '2026-11-22T10:00:10Z',
    });
  });

  it('takes what vanished out of the status', async () => {
    const { side, a } = await world.oneTarget(2);
    const state = { replicas: { spec: 2, ready: 1, startingAgesMs: [1] }, readyPods: ['a-1'], waitingFor: 'no node' };
    side.reporter.report(reportWith({ target: a, state, estimates: { growth: 0.5 } as never }));
    await vi.waitFor(async () => expect(await world.statusOf('a')).toHaveProperty('waitingFor', 'no node'), WITHIN);
    side.reporter.report(reportWith({ target: a, estimates: { spread: 1 } as never }));
    await vi.waitFor(async () => {
      const status = await world.statusOf('a');
      expect(status).not.toHaveProperty('waitingFor');
      expect(status.estimates).toEqual({ spread: '1' });
    }, WITHIN);
  });

  it('counts an event that happens again', async () => {
    const { side, a } = await world.oneTarget(2);
    const problem = { reason: 'TargetNotFound', message: 'there is no Deployment/a' };
    side.reporter.report(reportWith({ target: a, problem }));
    side.reporter.report(reportWith({ target: a, problem }));
    side.reporter.report(reportWith({ target: a }));
    side.reporter.report(reportWith({ target: a, problem }));
    await vi.waitFor(async () => {
      const told = (await world.room.events()).map(({ type, reason, count }) => `${type} ${reason} ${count}`);
      expect(told.sort()).toEqual(['Normal Recovered 1', 'Warning TargetNotFound 2']);
    }, WITHIN);
  });

  it('tells of metrics that are missing once, and of their return', async () => {
    const { side, a } = await world.oneTarget(2);
    const lost = measuredWith({ rate: { kind: 'failed' } }, { trouble: 'Prometheus does not answer' });
    for (const measured of [measuredWith({}), lost, lost, measuredWith({ rate: value(3) })]) {
      side.reporter.report(reportWith({ target: a, measured }));
    }
    await vi.waitFor(
      async () => expect(await world.eventReasons()).toEqual(['MetricsMissing', 'MetricsRecovered']),
      WITHIN,
    );
  });

  it('leaves another resource of the same name alone', async () => {
    await world.room.autoscaler('b');
    const patch = [
      { op: 'test', path: '/metadata/uid', value: 'other' },
      { op: 'add', path: '/status', value: { good: 'x' } },
    ];
    const at = `${GROUP}/namespaces/${world.room.namespace}/${RESOURCES}/b/status`;
    await expect(world.plane.request('PATCH', at, patch, 'application/json-patch+json')).rejects.toThrow(': 422 ');

    const { side, a, latest } = await world.oneTarget(2);
    await world.room.delete(GROUP, `${RESOURCES}/a`);
    await world.room.autoscaler('a', specWith({ scaleTargetRef: { name: 'a' }, maxReplicas: 7 }));
    side.reporter.report(reportWith({ target: a }));
    await vi.waitFor(() => expect(target(latest(), 'a').policy.maxReplicas).toBe(7), WITHIN);
    side.reporter.report(reportWith({ target: target(latest(), 'a') }));
    await vi.waitFor(async () => expect(await world.statusOf('a')).toHaveProperty('currentReplicas', 2), WITHIN);
  });

  it('writes nothing where another one decides', async () => {
    await world.room.deployment('a', 2);
    await world.room.autoscaler('a');
    let remainingMs = 0;
    const { side, latest } = await world.watched({ remainingMs: () => remainingMs });
    side.reporter.report(reportWith({ target: target(latest(), 'a') }));
    await world.room.autoscaler('b', undefined, { 'ragscale.dev/paused': 'perhaps' });
    await world.room.autoscaler('c');
    await vi.waitFor(() => expect(latest().map(({ name }) => name)).toEqual(['a', 'c']), WITHIN);
    expect(await world.statusOf('a')).toEqual({});
    expect(await world.room.events()).toEqual([]);
    remainingMs = 10_000;
    await vi.waitFor(async () => expect(await world.statusOf('a')).toHaveProperty('currentReplicas', 2), WITHIN);
    await vi.waitFor(async () => expect(await world.statusOf('b')).toHaveProperty('conditions'), WITHIN);
  });
});
