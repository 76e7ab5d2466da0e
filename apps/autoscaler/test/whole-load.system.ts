/** Does the whole autoscaler follow a load, with everything real but the nodes: up before it hurts, down when it is over, and why? */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startProcess } from '../../../test/support/pod-process.ts';
import type { AutoscalerProcess } from './autoscaler-process.ts';
import type { RunningPod } from './whole-kubelet.ts';
import { PacedPod } from './whole-paced-pod.ts';
import {
  changesIn,
  missingForWorld,
  OBJECTIVE,
  PERIOD_MS,
  quickSpec,
  reasonsIn,
  TEST_TIMEOUT_MS,
  WINDOW_MS,
  WITHIN,
  World,
} from './whole-world.ts';

const missing = missingForWorld();
/** By what nothing but a load can bring replicas. */
const FOR_THE_LOAD = ['load', 'headroom', 'backlog', 'at-max'];

let world: World;
let autoscaler: AutoscalerProcess;

/** The real one, with the models of the repository. */
async function startRagPod(): Promise<RunningPod> {
  const pod = await startProcess({ env: { HOST: '0.0.0.0', VARIANT: 'batched', THREADS: '1', SLOTS: '1', OBJECTIVE } });
  return { port: pod.port, stop: async () => void (await pod.stop()) };
}

async function rescales(name: string): Promise<string[]> {
  const events = await world.room.events();
  return events
    .filter(({ reason, involvedObject }) => reason === 'SuccessfulRescale' && involvedObject.name === name)
    .map(({ message }) => message);
}

describe.skipIf(missing)(`under load${missing ? ` (skipped: ${missing})` : ''}`, () => {
  beforeAll(async () => {
    const programs = { rag: startRagPod, light: () => PacedPod.start(), taken: () => PacedPod.start() };
    world = await World.start({ programs });
    autoscaler = await world.autoscaler('autoscaler-a');
    await autoscaler.line('this process decides');
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  it('replicas come with the load, each change is explained, and they go a window after it', {
    timeout: TEST_TIMEOUT_MS,
  }, async () => {
    await world.room.deployment('light', 1);
    await world.room.autoscaler('light', quickSpec('light', { minReplicas: 2, coldStart: '2s', maxReplicas: 30 }));
    await world.replicasUntil('light', (replicas) => replicas === 2, 'raised to the minimum');
    await using load = world.load('light');
    load.perSecond = 2;
    await autoscaler.line('all that is needed is measured');
    const before = changesIn(autoscaler.lines, 'light').length;
    load.perSecond = 30;
    await world.replicasUntil('light', (replicas) => replicas >= 6, 'six pods can do what is asked');
    await vi.waitFor(() => expect(world.kubelet.ready('light')).toBeGreaterThanOrEqual(6), WITHIN);
    const ups = changesIn(autoscaler.lines, 'light').slice(before);
    expect(ups.every(({ from, to }) => to > from)).toBe(true);
    expect(FOR_THE_LOAD).toEqual(expect.arrayContaining([...new Set(ups.map(({ reason }) => reason))]));
    const endedAt = Date.now();
    await load.end();
    expect(load.failed).toBe(0);

    await world.replicasUntil('light', (replicas) => replicas === 2, 'back to the minimum');
    const changes = changesIn(autoscaler.lines, 'light');
    const last = changes.at(-1)!;
    expect(last.to).toBe(2);
    expect(last.at - endedAt).toBeGreaterThanOrEqual(WINDOW_MS - PERIOD_MS);
    // Whoever reads the events sees each of them, with the numbers that led to it.
    await vi.waitFor(async () => {
      const told = (await rescales('light')).map((message) => /^\d+ -> \d+/.exec(message)?.[0]);
      expect(told.sort()).toEqual(changes.map(({ from, to }) => `${from} -> ${to}`).sort());
    }, WITHIN);
    expect((await rescales('light')).join()).toMatch(/\/s x 0\.\d+ s = [\d.]+ busy, 95% under 1 s needs \d+/);
    expect(world.audit.scales('light').map(({ replicas }) => replicas)).toEqual(changes.map(({ to }) => to));
    const seen = { currentReplicas: 2, desiredReplicas: 2 };
    await vi.waitFor(async () => expect(await world.status('light')).toMatchObject(seen), WITHIN);
  });

  it('real pods with a real model come and go as well', { timeout: TEST_TIMEOUT_MS }, async () => {
    await world.room.deployment('rag', 1);
    await vi.waitFor(() => expect(world.kubelet.ready('rag')).toBe(1), WITHIN);
    await using load = world.load('rag');
    expect(await load.ask()).toBe(200);
    const startedAt = performance.now();
    for (let asked = 0; asked < 5; asked++) await load.ask();
    const aloneMs = (performance.now() - startedAt) / 5;

    await world.room.autoscaler('rag', quickSpec('rag', { maxReplicas: 3, objective: { latency: '500ms' } }));
    await vi.waitFor(() => expect(reasonsIn(autoscaler.lines, 'rag')).not.toEqual([]), WITHIN);
    // One pod can just not do it.
    load.perSecond = 1_100 / aloneMs;
    await vi.waitFor(() => expect(world.kubelet.ready('rag')).toBeGreaterThan(1), WITHIN);
    const [first] = changesIn(autoscaler.lines, 'rag');
    expect(first).toMatchObject({ from: 1 });
    expect(FOR_THE_LOAD).toContain(first?.reason);
    const endedAt = Date.now();
    await load.end();
    expect(load.failed).toBe(0);

    await world.replicasUntil('rag', (replicas) => replicas === 1, 'back to one');
    expect(changesIn(autoscaler.lines, 'rag').at(-1)!.at - endedAt).toBeGreaterThanOrEqual(WINDOW_MS - PERIOD_MS);
    const { estimates, good } = await world.status('rag');
    expect(estimates).toMatchObject({ service: expect.any(String), coldStart: expect.any(String) });
    expect(good).toMatch(/^[\d.]+%$/);
    await vi.waitFor(() => expect(world.kubelet.ready('rag')).toBe(1), WITHIN);
    expect(await load.ask()).toBe(200);
  });

  it('what somebody else has set is what it begins with', { timeout: TEST_TIMEOUT_MS }, async () => {
    await world.room.deployment('taken', 7);
    await vi.waitFor(() => expect(world.kubelet.ready('taken')).toBe(7), WITHIN);
    await world.room.autoscaler(
      'taken',
      quickSpec('taken', { behavior: { scaleDown: { stabilizationWindowSeconds: 30 } } }),
    );
    await vi.waitFor(() => expect(reasonsIn(autoscaler.lines, 'taken')).not.toEqual([]), WITHIN);
    const seenAt = reasonsIn(autoscaler.lines, 'taken')[0]!.at;
    expect(await world.room.replicas('taken')).toBe(7);
    // As kubectl scale does.
    await world.room.patch('/apis/apps/v1', 'deployments/taken/scale', { spec: { replicas: 9 } });
    await vi.waitFor(async () => expect(await world.status('taken')).toMatchObject({ currentReplicas: 9 }), WITHIN);
    await world.replicasUntil('taken', (replicas) => replicas === 1, 'nobody asks');
    const [first] = changesIn(autoscaler.lines, 'taken');
    expect(first).toMatchObject({ from: 9 });
    expect(first!.at - seenAt).toBeGreaterThanOrEqual(30_000);
    expect(world.audit.scales('taken')[0]).toMatchObject({ user: 'admin', replicas: 9 });
  });
});
