/** Does the autoscaler's Lease go with the release, though processes of it are still there, and does no upgrade touch who holds it? */

import { LeaderElection } from '@ragscale/autoscaler-app/leader-election';
import { KubernetesLeaseStore, type Lease, type LeaseStore } from '@ragscale/autoscaler-app/lease';
import { KubernetesClient } from '@ragscale/kubernetes/api-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  type ControlPlane,
  missingForControlPlane,
  startControlPlane,
} from '../cluster/control-plane/control-plane.ts';
import { CHART, HELMS, type Helm, missingTools, RELEASE, run } from './tools.ts';

const missing = missingTools('helm3', 'helm4') ?? missingForControlPlane();
const NAME = 'ragscale-autoscaler';
/** A new Lease is nobody's for fifteen seconds. */
const WITHIN = { timeout: 60_000, interval: 50 };
const never = new AbortController().signal;

describe.skipIf(missing)(`the Lease of a release${missing ? ` (${missing})` : ''}`, () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await startControlPlane();
  });
  afterAll(() => plane?.stop());

  function helm(which: Helm, verb: string, namespace: string, ...flags: string[]): void {
    const chart = verb === 'uninstall' ? [] : [CHART];
    const environment = { KUBECONFIG: plane.kubeconfigFile };
    const { ok, errors } = run(which, [verb, RELEASE, ...chart, '--namespace', namespace, ...flags], '', environment);
    expect(ok, errors).toBe(true);
  }

  const leases = async (namespace: string) =>
    ((await plane.request('GET', `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`)) as { items: Lease[] })
      .items;

  it.each(HELMS)('stays whoever holds it in an upgrade, and goes, with %s', { timeout: 180_000 }, async (which) => {
    const namespace = `lease-${which}`;
    await plane.createNamespace(namespace);
    helm(which, 'install', namespace);
    expect(await leases(namespace)).toHaveLength(1);

    // With the rights of the chart, as its pods have them.
    const client = new KubernetesClient(plane.config(await plane.serviceAccountToken(namespace, NAME)));
    const store = new KubernetesLeaseStore({ client, namespace, name: NAME });
    const leading: boolean[] = [];
    const troubles: unknown[] = [];
    const election = new LeaderElection({
      store,
      identity: 'a',
      onChange: (isLeader) => leading.push(isLeader),
      onTrouble: (error) => troubles.push(error),
      onRecovered: () => {},
    });
    election.start();
    try {
      await vi.waitFor(() => expect(leading).toContain(true), WITHIN);
      const before = (await leases(namespace))[0]!;
      expect(before.spec).toMatchObject({ holderIdentity: 'a' });
      helm(which, 'upgrade', namespace, '--set', 'autoscaler.replicas=3,pod.threads=3');
      const after = (await leases(namespace))[0]!;
      expect(after.metadata.uid).toBe(before.metadata.uid);
      expect(after.spec).toMatchObject({ holderIdentity: 'a', acquireTime: before.spec.acquireTime });
      expect(leading).toEqual([false, true]);
      expect(troubles).toEqual([]);

      const hammering = makeItWhereItIsMissing(store);
      helm(which, 'uninstall', namespace);
      await vi.waitFor(() => expect(troubles.length).toBeGreaterThan(0), WITHIN);
      const { made, refused } = await hammering.stop();
      expect(made).toBe(0);
      expect(refused).toBeGreaterThan(0);
      expect(await leases(namespace)).toEqual([]);
    } finally {
      await election.stop();
      await client.close();
    }
  });
});

/** Far more often than any process does: there must be no moment at which it would be made anew. */
function makeItWhereItIsMissing(store: LeaseStore): { stop(): Promise<{ made: number; refused: number }> } {
  const ending = new AbortController();
  const counts = { made: 0, refused: 0 };
  const hammer = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      try {
        if ((await store.read(never)) === undefined) {
          await store.create({ holderIdentity: 'a' }, never);
          counts.made += 1;
        }
      } catch {
        counts.refused += 1;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const hammering = hammer();
  return {
    stop: async () => {
      ending.abort();
      await hammering;
      return counts;
    },
  };
}
