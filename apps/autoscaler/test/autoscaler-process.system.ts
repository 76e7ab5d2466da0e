/** Do two autoscalers as processes do the work of one on a real API server, whichever of them dies, stops or ends? */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type ControlPlane,
  missingForControlPlane,
  startControlPlane,
} from '../../../test/cluster/control-plane/control-plane.ts';
import { leaseRules, TARGET_RULES } from '../src/kubernetes/rules.ts';
import { LEASE_MS } from '../src/leader-election.ts';
import { AutoscalerProcess } from './autoscaler-process.ts';
import { defineLatencyAutoscaler, GROUP, Room } from './cluster-fixture.ts';
import { specWith } from './specs.ts';

const missing = missingForControlPlane();
const LEASE = 'ragscale-autoscaler';
const WITHIN = { timeout: LEASE_MS + 30_000, interval: 100 };

let plane: ControlPlane;
let room: Room;
let roomNumber = 0;
let token: string;
const running: AutoscalerProcess[] = [];

function start(podName: string, env: Record<string, string> = {}): AutoscalerProcess {
  const config = plane.config(token, room.namespace);
  const autoscaler = new AutoscalerProcess(config, { POD_NAME: podName, ...env });
  running.push(autoscaler);
  return autoscaler;
}

const leads = (autoscaler: AutoscalerProcess) => autoscaler.metric('ragscale_autoscaler_leader{');

async function holder(): Promise<string> {
  const lease = await room.get<{ spec: { holderIdentity: string } }>('/apis/coordination.k8s.io/v1', `leases/${LEASE}`);
  return lease.spec.holderIdentity;
}

const wants = (minReplicas: number) => room.patch(GROUP, 'latencyautoscalers/rag', { spec: { minReplicas } });

/** `first` leads and has raised the Deployment to three, `second` stands by. */
async function pair(): Promise<[first: AutoscalerProcess, second: AutoscalerProcess]> {
  await room.create('/apis/coordination.k8s.io/v1', 'leases', {
    metadata: { name: LEASE },
    spec: { holderIdentity: '' },
  });
  await room.deployment('rag', 1);
  await room.autoscaler('rag', specWith({ scaleTargetRef: { name: 'rag' }, minReplicas: 3, maxReplicas: 20 }));
  const first = start('first');
  await first.line('this process decides');
  const second = start('second');
  await second.line('this process stands by');
  await vi.waitFor(async () => expect(await room.replicas('rag')).toBe(3), WITHIN);
  return [first, second];
}

describe.skipIf(missing)(`autoscalers as processes${missing ? ` (skipped: ${missing})` : ''}`, () => {
  beforeAll(async () => {
    plane = await startControlPlane();
    await defineLatencyAutoscaler(plane);
  });
  afterAll(() => plane?.stop());
  beforeEach(async () => {
    room = new Room(plane, `processes-${++roomNumber}`);
    await plane.createNamespace(room.namespace);
    await plane.createServiceAccount(room.namespace, 'autoscaler');
    await plane.grant(room.namespace, 'autoscaler', [...TARGET_RULES, ...leaseRules(LEASE)]);
    token = await plane.serviceAccountToken(room.namespace, 'autoscaler');
  });
  afterEach(async () => {
    for (const autoscaler of running.splice(0)) await autoscaler[Symbol.asyncDispose]();
  });

  it('are both ready, and one decides', async () => {
    const [first, second] = await pair();
    for (const autoscaler of [first, second]) {
      expect((await autoscaler.ask('/readyz')).status).toBe(200);
      expect((await autoscaler.ask('/livez')).status).toBe(200);
    }
    expect([await leads(first), await leads(second)]).toEqual([1, 0]);
    expect(await holder()).toMatch(/^first_[0-9a-f]{8}$/);
    const series = `{namespace="${room.namespace}",name="rag",`;
    expect(await first.metric(`ragscale_autoscaler_replicas${series}kind="desired"}`)).toBe(3);
    expect(await first.metric(`ragscale_autoscaler_scalings_total${series}direction="up"}`)).toBe(1);
    expect(await first.metric('ragscale_autoscaler_round_duration_seconds_count')).toBeGreaterThan(0);
    expect(await second.metric('ragscale_autoscaler_round_duration_seconds_count')).toBe(0);
    await expect(second.metric(`ragscale_autoscaler_replicas${series}`)).rejects.toThrow('no series');
    expect(first.lines).toContainEqual(expect.objectContaining({ from: 1, to: 3, scaled: true, reason: 'at-min' }));
  });

  it('hand over when the one that decides ends: it gives the Lease back, and ends with 0', async () => {
    const [first, second] = await pair();
    first.signal('SIGTERM');
    expect(await first.ended).toBe(0);
    expect(await holder()).not.toMatch(/^first/);
    await second.line('this process decides');
    await wants(4);
    await vi.waitFor(async () => expect(await room.replicas('rag')).toBe(4), WITHIN);
  });

  it('hand over when the one that decides is killed', async () => {
    const [first, second] = await pair();
    const killed = await holder();
    first.signal('SIGKILL');
    await first.ended;
    expect(await holder()).toBe(killed);
    await wants(5);
    await second.line('this process decides');
    await vi.waitFor(async () => expect(await room.replicas('rag')).toBe(5), WITHIN);
  });

  it('hand over when the one that decides is stopped, which stands by when it goes on', async () => {
    const [first, second] = await pair();
    first.signal('SIGSTOP');
    await second.line('this process decides');
    await wants(6);
    await vi.waitFor(async () => expect(await room.replicas('rag')).toBe(6), WITHIN);
    first.signal('SIGCONT');
    // It knew of a minimum of 3 alone when it was stopped.
    expect(await leads(first)).toBe(0);
    await first.line('this process stands by');
    expect(await leads(second)).toBe(1);
    expect(await room.replicas('rag')).toBe(6);
    expect(await holder()).toMatch(/^second/);
  });

  it('go on when the API server was killed and started again', async () => {
    const [first, second] = await pair();
    await plane.kill();
    expect((await first.ask('/livez')).status).toBe(200);
    await plane.restart();
    await wants(7);
    await vi.waitFor(async () => expect(await room.replicas('rag')).toBe(7), WITHIN);
    expect((await leads(first)) + (await leads(second))).toBe(1);
  });

  it('do without a Lease where there is only one', async () => {
    await room.deployment('rag', 1);
    await room.autoscaler('rag', specWith({ scaleTargetRef: { name: 'rag' }, minReplicas: 2, maxReplicas: 20 }));
    const alone = start('alone', { LEADER_ELECTION: 'off' });
    await vi.waitFor(async () => expect(await room.replicas('rag')).toBe(2), WITHIN);
    expect(await leads(alone)).toBe(1);
    await expect(holder()).rejects.toThrow('404');
  });
});
