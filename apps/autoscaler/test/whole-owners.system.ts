/** Does the whole autoscaler do what owners ask for while it runs: pause, recommend, other limits, other owners, nothing at all? */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AutoscalerProcess } from './autoscaler-process.ts';
import { GROUP } from './cluster-fixture.ts';
import { PacedPod } from './whole-paced-pod.ts';
import { changesIn, missingForWorld, quickSpec, TEST_TIMEOUT_MS, WITHIN, World } from './whole-world.ts';

const missing = missingForWorld();
const OWNERS = '/apis/autoscaling/v2';

let world: World;
let autoscaler: AutoscalerProcess;

const edit = (name: string, spec: object) => world.room.patch(GROUP, `latencyautoscalers/${name}`, { spec });

const annotate = (name: string, annotations: object) =>
  world.room.patch(GROUP, `latencyautoscalers/${name}`, { metadata: { annotations } });

function condition(name: string, type: string, reason: string): Promise<void> {
  return vi.waitFor(async () => {
    const { conditions } = await world.status(name);
    expect(conditions).toContainEqual(expect.objectContaining({ type, reason }));
  }, WITHIN);
}

describe.skipIf(missing)(`what owners ask for${missing ? ` (skipped: ${missing})` : ''}`, () => {
  beforeAll(async () => {
    const start = () => PacedPod.start();
    world = await World.start({ programs: { paused: start, rivals: start, idle: start } });
    autoscaler = await world.autoscaler('autoscaler-a');
    await autoscaler.line('this process decides');
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  it('pausing, recommending, other limits, and a new beginning', { timeout: TEST_TIMEOUT_MS }, async () => {
    await world.room.deployment('paused', 2);
    await world.room.autoscaler('paused', quickSpec('paused', { minReplicas: 2 }), { 'ragscale.dev/paused': 'true' });
    await condition('paused', 'ScalingActive', 'Paused');
    await edit('paused', { minReplicas: 3 });
    await vi.waitFor(async () => expect(await world.status('paused')).toMatchObject({ observedGeneration: 2 }), WITHIN);
    expect(await world.room.replicas('paused')).toBe(2);
    await annotate('paused', { 'ragscale.dev/paused-replicas': '5' });
    await world.replicasUntil('paused', (replicas) => replicas === 5, 'held at what is asked for');
    await annotate('paused', { 'ragscale.dev/paused': null, 'ragscale.dev/paused-replicas': null });
    await world.replicasUntil('paused', (replicas) => replicas === 3, 'nobody asks');

    await edit('paused', { mode: 'Recommend', minReplicas: 4 });
    await condition('paused', 'ScalingActive', 'RecommendOnly');
    expect(await world.room.replicas('paused')).toBe(3);
    await edit('paused', { mode: 'Active' });
    await world.replicasUntil('paused', (replicas) => replicas === 4, 'the new minimum');

    await world.room.delete('/apis/apps/v1', 'deployments/paused');
    await condition('paused', 'AbleToScale', 'TargetNotFound');
    await world.room.deployment('paused', 1);
    await world.replicasUntil('paused', (replicas) => replicas === 4, 'the new one has the minimum');
    await condition('paused', 'AbleToScale', 'ReadyForNewScale');

    await world.room.delete(GROUP, 'latencyautoscalers/paused');
    await world.room.autoscaler('paused', quickSpec('paused', { minReplicas: 6 }));
    await world.replicasUntil('paused', (replicas) => replicas === 6, 'the new resource');
  });

  it('an HPA of the same target', { timeout: TEST_TIMEOUT_MS }, async () => {
    await world.room.deployment('rivals', 1);
    await world.room.autoscaler('rivals', quickSpec('rivals', { minReplicas: 2 }));
    await world.replicasUntil('rivals', (replicas) => replicas === 2, 'the minimum');
    await world.room.create(OWNERS, 'horizontalpodautoscalers', {
      metadata: { name: 'rival' },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'rivals' },
        maxReplicas: 3,
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
        ],
      },
    });
    await condition('rivals', 'AbleToScale', 'AmbiguousOwner');
    await edit('rivals', { minReplicas: 4 });
    await vi.waitFor(async () => expect(await world.status('rivals')).toMatchObject({ observedGeneration: 2 }), WITHIN);
    expect(await world.room.replicas('rivals')).toBe(2);
    await world.room.delete(OWNERS, 'horizontalpodautoscalers/rival');
    await world.replicasUntil('rivals', (replicas) => replicas === 4, 'the only one again');
    await condition('rivals', 'AbleToScale', 'ReadyForNewScale');
  });

  it('nothing while nobody asks, and the first request waits for a pod', { timeout: TEST_TIMEOUT_MS }, async () => {
    await world.room.deployment('idle', 1);
    await world.room.autoscaler('idle', quickSpec('idle', { minReplicas: 0, idleAfter: '5s' }));
    await world.replicasUntil('idle', (replicas) => replicas === 0, 'nobody asks');
    await vi.waitFor(() => expect(world.kubelet.ready('idle')).toBe(0), WITHIN);
    expect(changesIn(autoscaler.lines, 'idle').at(-1)).toMatchObject({ to: 0, reason: 'idle' });
    await using load = world.load('idle');
    expect(await load.ask()).toBe(200);
    expect(changesIn(autoscaler.lines, 'idle').at(-1)).toMatchObject({ from: 0, reason: 'activating' });
    await world.replicasUntil('idle', (replicas) => replicas === 0, 'nobody asks any more');
    expect(await load.ask()).toBe(200);
  });
});
