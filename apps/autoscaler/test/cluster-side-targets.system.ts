/** Are targets what the resources of a real API server say, and does each change of them arrive? */
import { describe, expect, it, vi } from 'vitest';
import { missingForControlPlane } from '../../../test/cluster/control-plane/control-plane.ts';
import { GROUP, WITHIN } from './cluster-fixture.ts';
import { RESOURCES, target, useClusterSide } from './cluster-side-world.ts';
import { specWith } from './specs.ts';

const missing = missingForControlPlane();

describe.skipIf(missing)(`targets of a real API server${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const world = useClusterSide();

  it('come, change and go with their resources', async () => {
    await world.room.autoscaler('a');
    const { latest } = await world.watched();
    expect(latest().map(({ id }) => id)).toEqual([`${world.room.namespace}/a`]);
    const { generation } = target(latest(), 'a');
    await world.room.autoscaler('b', specWith({ scaleTargetRef: { name: 'b' }, route: 'other' }));
    await vi.waitFor(() => expect(target(latest(), 'b').route).toBe('other'), WITHIN);
    expect(target(latest(), 'a').generation).toBe(generation);

    await world.room.patch(GROUP, `${RESOURCES}/a`, { spec: { maxReplicas: 9 } });
    await vi.waitFor(() => expect(target(latest(), 'a').policy.maxReplicas).toBe(9), WITHIN);
    expect(target(latest(), 'a').generation).not.toBe(generation);
    await world.room.delete(GROUP, `${RESOURCES}/a`);
    await vi.waitFor(() => expect(latest().map(({ name }) => name)).toEqual(['b']), WITHIN);
  });

  it('are paused and resumed by annotations, each of them an edit', async () => {
    await world.room.autoscaler('a');
    const { latest } = await world.watched();
    const generations = [target(latest(), 'a').generation];
    const annotate = async (annotations: object, pause: object) => {
      await world.room.patch(GROUP, `${RESOURCES}/a`, { metadata: { annotations } });
      await vi.waitFor(() => {
        const { paused, pausedReplicas } = target(latest(), 'a').policy;
        expect({ paused, pausedReplicas }).toEqual(pause);
      }, WITHIN);
      generations.push(target(latest(), 'a').generation);
    };
    await annotate({ 'ragscale.dev/paused': 'true' }, { paused: true });
    await annotate({ 'ragscale.dev/paused-replicas': '3' }, { paused: true, pausedReplicas: 3 });
    await annotate({ 'ragscale.dev/paused-replicas': null }, { paused: true });
    await annotate({ 'ragscale.dev/paused': null }, {});
    expect(new Set(generations).size).toBe(generations.length);
  });

  it('are another one when they are deleted and made again', async () => {
    await world.room.autoscaler('a');
    const { latest } = await world.watched();
    const before = target(latest(), 'a').generation;
    await world.room.delete(GROUP, `${RESOURCES}/a`);
    await world.room.autoscaler('a');
    await vi.waitFor(() => expect(target(latest(), 'a').generation).not.toBe(before), WITHIN);
  });

  it('are scaled by the older one of two, and the other is told', async () => {
    await world.room.autoscaler('a', specWith({ scaleTargetRef: { name: 'rag' } }));
    const { latest } = await world.watched();
    await world.room.autoscaler('b', specWith({ scaleTargetRef: { name: 'rag', apiVersion: 'apps/v1' } }));
    await vi.waitFor(async () => {
      const [ready] = (await world.statusOf('b')).conditions ?? [];
      expect(ready).toMatchObject({ type: 'Ready', status: 'False', reason: 'AmbiguousOwner' });
      expect(ready?.message).toContain('the LatencyAutoscaler a scales Deployment/rag already');
    }, WITHIN);
    await vi.waitFor(async () => expect(await world.eventReasons()).toEqual(['AmbiguousOwner']), WITHIN);
    expect(latest().map(({ name }) => name)).toEqual(['a']);
    await world.room.delete(GROUP, `${RESOURCES}/a`);
    await vi.waitFor(() => expect(latest().map(({ name }) => name)).toEqual(['b']), WITHIN);
  });

  it('are left alone when an annotation cannot be understood', async () => {
    await world.room.autoscaler('a', undefined, { 'ragscale.dev/paused-replicas': 'three' });
    const { latest } = await world.watched();
    await vi.waitFor(async () => {
      const [ready] = (await world.statusOf('a')).conditions ?? [];
      expect(ready).toMatchObject({ status: 'False', reason: 'InvalidAnnotation' });
      expect(ready?.message).toContain('must be a number of replicas, not three');
    }, WITHIN);
    expect(latest()).toEqual([]);
  });

  it('of one namespace do not wait for another that we may not see', async () => {
    await world.room.autoscaler('a');
    const { latest } = await world.watched({ namespaces: ['elsewhere', world.room.namespace] });
    expect(latest().map(({ name }) => name)).toEqual(['a']);
    expect(world.lines.join()).toContain('on latencyautoscalers (API group "ragscale.dev") in the namespace elsewhere');
  });

  it('of all namespaces are watched at once', async () => {
    await world.room.autoscaler('a');
    const { latest } = await world.watched({ namespaces: 'all', config: world.plane.config() });
    expect(latest().map(({ id }) => id)).toContain(`${world.room.namespace}/a`);
  });
});
