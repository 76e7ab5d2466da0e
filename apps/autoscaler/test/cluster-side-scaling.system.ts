/** Does it read and change the scale of what a real API server has, and say in words where it cannot? */
import { describe, expect, it, vi } from 'vitest';
import { missingForControlPlane } from '../../../test/cluster/control-plane/control-plane.ts';
import { container, later, lookedUntil, target, useClusterSide } from './cluster-side-world.ts';
import { specWith } from './specs.ts';

const missing = missingForControlPlane();

describe.skipIf(missing)(`scaling with a real API server${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const world = useClusterSide();

  it.each([
    ['Deployment', 'deployments'],
    ['StatefulSet', 'statefulsets'],
  ] as const)('reads and changes a %s', async (kind, plural) => {
    await world.room.deployment('a', 2, plural);
    await world.room.pod('a-1', 'a');
    await world.room.pod('a-2', 'a', {
      conditions: [{ type: 'Ready', status: 'False' }],
      containerStatuses: [
        { ...container(), state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } },
      ],
    });
    await world.room.pod('other', 'b');
    await world.room.autoscaler('a', specWith({ scaleTargetRef: { kind, name: 'a' } }));
    const { side, latest } = await world.watched();
    const a = target(latest(), 'a');
    const state = await lookedUntil(side, a, ({ readyPods }) => readyPods.length === 1);
    expect(state.replicas.spec).toBe(2);
    expect(state.readyPods).toEqual(['a-1']);
    expect(state.waitingFor).toBe('a-2: ImagePullBackOff: no such image');
    const [ageMs = -1] = state.replicas.startingAgesMs;
    expect(state.replicas.startingAgesMs).toHaveLength(1);
    expect(ageMs).toBeGreaterThanOrEqual(0);
    await side.fleet.scale(a, 2, 4, later());
    expect(await world.room.replicas('a', plural)).toBe(4);
    await side.fleet.scale(a, 4, 0, later());
    expect((await side.fleet.look(a, later())).replicas.spec).toBe(0);
  });

  it('takes whatever has a scale subresource', async () => {
    await world.room.create('/apis/example.com/v1', 'servers', {
      ...{ apiVersion: 'example.com/v1', kind: 'Server', metadata: { name: 'a' } },
      spec: { replicas: 1 },
      status: {},
    });
    await world.room.patch('/apis/example.com/v1', 'servers/a/status', { status: { selector: 'app in (a), !canary' } });
    await world.room.pod('a-1', 'a');
    const scaleTargetRef = { apiVersion: 'example.com/v1', kind: 'Server', name: 'a' };
    await world.room.autoscaler('a', specWith({ scaleTargetRef }));
    const { side, latest } = await world.watched();
    const a = target(latest(), 'a');
    const state = await lookedUntil(side, a, ({ readyPods }) => readyPods.length === 1);
    expect(state).toMatchObject({ replicas: { spec: 1, ready: 1 } });
    await side.fleet.scale(a, 1, 3, later());
    expect((await side.fleet.look(a, later())).replicas.spec).toBe(3);
    await world.room.patch('/apis/example.com/v1', 'servers/a', { spec: { replicas: 5 } });
    await expect(side.fleet.scale(a, 3, 4, later())).rejects.toMatchObject({ problem: { reason: 'Conflict' } });
  });

  it('does not mind that our clock is an hour off', async () => {
    const { side, a } = await world.oneTarget(1);
    await world.room.pod('a-1', 'a', { conditions: [] });
    const realNow = Date.now;
    const spy = vi.spyOn(Date, 'now').mockImplementation(() => realNow() + 3_600_000);
    try {
      const state = await lookedUntil(side, a, ({ replicas }) => replicas.startingAgesMs.length === 1);
      expect(state.replicas.startingAgesMs[0]).toBeLessThan(60_000);
    } finally {
      spy.mockRestore();
    }
  });

  it('writes although the status has changed since the look', async () => {
    const { side, a } = await world.oneTarget(2);
    await side.fleet.look(a, later());
    await world.room.patch('/apis/apps/v1', 'deployments/a/status', { status: { replicas: 1 } });
    await side.fleet.scale(a, 2, 3, later());
    expect(await world.room.replicas('a')).toBe(3);
  });

  it('writes nothing when somebody else has changed the number since the look', async () => {
    const { side, a } = await world.oneTarget(2);
    await side.fleet.look(a, later());
    await world.room.patch('/apis/apps/v1', 'deployments/a', { spec: { replicas: 5 } });
    await expect(side.fleet.scale(a, 2, 3, later())).rejects.toThrow(
      'somebody else has changed Deployment/a from 2 to 5',
    );
    expect(await world.room.replicas('a')).toBe(5);
  });

  it('says that the target is not there, and goes on when it is', async () => {
    await world.room.autoscaler('a');
    const { side, latest } = await world.watched();
    const a = target(latest(), 'a');
    await expect(side.fleet.look(a, later())).rejects.toMatchObject({
      problem: { reason: 'TargetNotFound', message: expect.stringContaining('there is no Deployment/a') },
    });
    await world.room.deployment('a', 2);
    expect((await side.fleet.look(a, later())).replicas.spec).toBe(2);
    await world.room.delete('/apis/apps/v1', 'deployments/a');
    await expect(side.fleet.scale(a, 2, 3, later())).rejects.toMatchObject({ problem: { reason: 'TargetNotFound' } });
    await world.room.deployment('a', 4);
    expect((await side.fleet.look(a, later())).replicas.spec).toBe(4);
  });

  it('says that a kind cannot be scaled, or is none', async () => {
    await world.room.autoscaler('a', specWith({ scaleTargetRef: { apiVersion: 'v1', kind: 'ConfigMap', name: 'a' } }));
    await world.room.autoscaler('b', specWith({ scaleTargetRef: { kind: 'Deploymint', name: 'a' } }));
    const { side, latest } = await world.watched();
    await expect(side.fleet.look(target(latest(), 'a'), later())).rejects.toThrow('has no scale subresource');
    await expect(side.fleet.look(target(latest(), 'b'), later())).rejects.toThrow('Deploymint of apps/v1 is not known');
  });

  it('refuses what an HPA or KEDA scales', async () => {
    await world.room.deployment('a', 2);
    await world.room.deployment('b', 2);
    await world.room.create('/apis/autoscaling/v2', 'horizontalpodautoscalers', {
      metadata: { name: 'hpa' },
      spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' }, maxReplicas: 3 },
    });
    await world.room.create('/apis/keda.sh/v1alpha1', 'scaledobjects', {
      ...{ apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', metadata: { name: 'keda' } },
      spec: { scaleTargetRef: { name: 'b' } },
    });
    await world.room.autoscaler('a');
    await world.room.autoscaler('b');
    const { side, latest } = await world.watched();
    const reason = 'AmbiguousOwner';
    await expect(side.fleet.look(target(latest(), 'a'), later())).rejects.toMatchObject({
      problem: { reason, message: expect.stringContaining('HorizontalPodAutoscaler hpa scales Deployment/a too') },
    });
    await expect(side.fleet.look(target(latest(), 'b'), later())).rejects.toMatchObject({
      problem: { reason, message: expect.stringContaining('ScaledObject keda scales Deployment/b too') },
    });
  });
});
