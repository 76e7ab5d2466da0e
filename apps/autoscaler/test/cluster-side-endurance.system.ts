/** Does it bear a real API server that dies, and hundreds of resources? */
import { describe, expect, it, vi } from 'vitest';
import { missingForControlPlane } from '../../../test/cluster/control-plane/control-plane.ts';
import { GROUP, WITHIN } from './cluster-fixture.ts';
import { later, lookedUntil, RESOURCES, target, useClusterSide } from './cluster-side-world.ts';
import { measuredWith, reportWith, value } from './reports.ts';

const missing = missingForControlPlane();

describe.skipIf(missing)(`the cluster side over time${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const world = useClusterSide();

  it('bears it that the API server dies and comes back', async () => {
    const { side, a, latest } = await world.oneTarget(2);
    await side.fleet.look(a, later());
    await world.plane.kill();
    await expect(side.fleet.look(a, later())).rejects.toMatchObject({ problem: { reason: 'FailedGetScale' } });
    await expect(side.fleet.scale(a, 2, 3, later())).rejects.toMatchObject({
      problem: { reason: 'FailedUpdateScale' },
    });
    side.reporter.report(reportWith({ target: a }));
    await world.plane.restart();
    await world.room.pod('a-1', 'a');
    await world.room.patch(GROUP, `${RESOURCES}/a`, { spec: { minReplicas: 2 } });
    await vi.waitFor(() => expect(target(latest(), 'a').policy.minReplicas).toBe(2), WITHIN);
    const state = await lookedUntil(side, target(latest(), 'a'), ({ readyPods }) => readyPods.length === 1);
    expect(state.replicas.spec).toBe(2);
    await side.fleet.scale(target(latest(), 'a'), 2, 3, later());
    side.reporter.report(reportWith({ target: target(latest(), 'a') }));
    await vi.waitFor(async () => expect(await world.statusOf('a')).toHaveProperty('observedGeneration', 2), WITHIN);
  });

  it('looks after 200 resources at once, and does not write their statuses while nothing changes', async () => {
    const names = Array.from({ length: 200 }, (_, i) => `a-${i}`);
    for (let i = 0; i < names.length; i += 20) {
      await Promise.all(
        names
          .slice(i, i + 20)
          .flatMap((name) => [world.room.deployment(name, 1), world.room.autoscaler(name), world.room.pod(name, name)]),
      );
    }
    const { side, latest } = await world.watched();
    expect(latest()).toHaveLength(200);
    await lookedUntil(side, target(latest(), 'a-199'), ({ readyPods }) => readyPods.length === 1);
    const states = await Promise.all(latest().map((one) => side.fleet.look(one, later())));
    expect(states.every(({ replicas }) => replicas.spec === 1 && replicas.ready === 1)).toBe(true);
    for (const one of latest()) side.reporter.report(reportWith({ target: one }));
    await vi.waitFor(async () => {
      for (const { status } of await world.resources()) expect(status).toHaveProperty('currentReplicas', 2);
    }, WITHIN);
    const before = await world.resources();
    for (const one of latest())
      side.reporter.report(reportWith({ target: one, measured: measuredWith({ bad: value(0.02) }) }));
    const state = { replicas: { spec: 3, ready: 2, startingAgesMs: [1] }, readyPods: [] };
    side.reporter.report(reportWith({ target: target(latest(), 'a-0'), state }));
    await vi.waitFor(async () => expect(await world.statusOf('a-0')).toHaveProperty('currentReplicas', 3), WITHIN);
    const after = await world.resources();
    const written = after.filter(({ metadata }, i) => metadata.resourceVersion !== before[i]?.metadata.resourceVersion);
    expect(written.map(({ metadata }) => metadata.name)).toEqual(['a-0']);
    expect(await world.room.events()).toEqual([]);
  });
});
