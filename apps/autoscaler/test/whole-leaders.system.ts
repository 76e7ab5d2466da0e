/** Do two autoscalers, one of them with a wrong clock, never decide at the same time, and take nothing away when one of them dies under load? */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { durationMs } from '../src/kubernetes/durations.ts';
import { RENEW_DEADLINE_MS } from '../src/leader-election.ts';
import { GROUP } from './cluster-fixture.ts';
import type { LeaseWrite, ScaleWrite } from './whole-audit.ts';
import { PacedPod } from './whole-paced-pod.ts';
import {
  AN_HOUR_AHEAD,
  LEASE,
  missingForWorld,
  quickSpec,
  TEST_TIMEOUT_MS,
  WINDOW_MS,
  WITHIN,
  World,
} from './whole-world.ts';

const missing = missingForWorld();

/** So slowly that it is seen to start. */
const START_MS = 3_000;
async function startSlowly(): Promise<PacedPod> {
  await delay(START_MS);
  return PacedPod.start();
}

/** Whoever wrote this held the Lease, and had said so not long before. */
function isByHolder({ user, from, to }: ScaleWrite, leases: readonly LeaseWrite[]): boolean {
  const last = leases.findLast((lease) => lease.to <= to);
  return last?.user === user && last.holder !== '' && from - last.from <= RENEW_DEADLINE_MS;
}

/** The write by which whoever wrote this has taken the Lease. */
function termOf({ to }: ScaleWrite, leases: readonly LeaseWrite[]): LeaseWrite {
  const last = leases.findLast((lease) => lease.to <= to);
  return leases.find(({ holder }) => holder === last?.holder)!;
}

describe.skipIf(missing)(`two autoscalers under load${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start({ programs: { light: startSlowly } });
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  const wants = (minReplicas: number) => world.room.patch(GROUP, 'latencyautoscalers/light', { spec: { minReplicas } });

  it('hand over at once when one ends and within the Lease when it dies, and nothing is taken away', {
    timeout: TEST_TIMEOUT_MS,
  }, async () => {
    await world.room.deployment('light', 1);
    await world.room.autoscaler('light', quickSpec('light', { maxReplicas: 20 }));
    const first = await world.autoscaler('autoscaler-a');
    await first.line('this process decides');
    const second = await world.autoscaler('autoscaler-b', AN_HOUR_AHEAD);
    await second.line('this process stands by');
    await using load = world.load('light');
    load.perSecond = 10;
    await world.replicasUntil('light', (replicas) => replicas >= 3, 'what is asked takes three');

    first.signal('SIGTERM');
    expect(await first.ended).toBe(0);
    await second.line('this process decides');
    // Not after it had run out: it was given back, and nobody had it in between.
    const handedOver = world.audit.leases(LEASE).filter(({ user }) => user !== 'admin');
    const given = handedOver.findIndex(({ holder }) => holder === '');
    expect(handedOver[given]).toMatchObject({ user: 'autoscaler-a' });
    expect(handedOver[given + 1]).toMatchObject({
      user: 'autoscaler-b',
      holder: expect.stringMatching(/^autoscaler-b_/),
    });
    const had = await world.room.replicas('light');
    await wants(had + 1);
    await world.replicasUntil('light', (replicas) => replicas > had, 'the second does not decide');
    // Learnt by whoever believes that all pods are an hour old.
    await vi.waitFor(async () => {
      const { estimates, readyReplicas, currentReplicas } = await world.status('light');
      expect(readyReplicas).toBe(currentReplicas);
      expect(durationMs(estimates?.coldStart ?? '')).toBeLessThan(120_000);
    }, WITHIN);
    expect(JSON.stringify(second.lines)).not.toContain('cold-start-pending');

    const third = await world.autoscaler('autoscaler-a');
    await third.line('this process stands by');
    second.signal('SIGKILL');
    await second.ended;
    // From here on one pod would do.
    await load.end();
    await wants(1);
    await third.line('this process decides');
    await world.replicasUntil('light', (replicas) => replicas === 1, 'nobody asks');

    const leases = world.audit.leases(LEASE);
    const writes = world.audit.scales('light');
    expect(new Set(writes.map(({ user }) => user))).toEqual(new Set(['autoscaler-a', 'autoscaler-b']));
    expect(writes.filter((write) => !isByHolder(write, leases))).toEqual([]);
    const falls = writes.filter(({ replicas }, index) => replicas < (writes[index - 1]?.replicas ?? 1));
    expect(falls.at(-1)).toMatchObject({ user: 'autoscaler-a', replicas: 1 });
    expect(falls.filter((fall) => fall.from - termOf(fall, leases).to < WINDOW_MS)).toEqual([]);
    expect(load.failed).toBe(0);
  });
});
