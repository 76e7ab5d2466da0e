/** Is a request lost when pods, proxies and nodes go while it is on its way? Real requests all the time, each accounted for. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Account, allAnswered } from './support/account.ts';
import { isReady, noCluster, type Pod } from './support/cluster.ts';
import type { Load } from './support/load.ts';
import { cordoned, evict, isOnlyNode, refusalToEvict } from './support/node.ts';
import { pacedPods } from './support/paced-pods.ts';
import { BATCHED, SystemUnderLoad } from './support/system-under-load.ts';
import { waitFor } from './support/wait-for.ts';

/** So few that there is always room: what is refused or fails is so for the disruption. */
const PER_SECOND = 10;
/** Of 30 ms each: there are always several answers on their way, in every pod and every proxy. */
const ANSWER_TOKENS = 25;
/** Requests after the last moment of a disruption. */
const AFTERWARDS = 30;
const VALUES = {
  ...pacedPods({ tokenMs: 30, slots: 16 }),
  'autoscaler.replicas': 1,
  'podDisruptionBudget.enabled': true,
  'variants.batched.autoscaling.minReplicas': 1,
  'variants.batched.autoscaling.maxReplicas': 2,
  // Whatever the autoscaler thinks of them, the pods of a test are there to its end.
  'variants.batched.autoscaling.spec': { behavior: { scaleDown: { stabilizationWindowSeconds: 3_600 } } },
};

let system: SystemUnderLoad;
let load: Load;

/** What became of every request, from before the disruption until well after it. */
async function accountOver(disruption: () => Promise<unknown>): Promise<Account> {
  await load.more(PER_SECOND);
  await disruption();
  await load.more(AFTERWARDS);
  return load.end();
}

async function restart(component: string): Promise<void> {
  const before = await system.pods(component);
  await system.kubectl('rollout', 'restart', `deployment/ragscale-${component}`);
  await system.settled(component, before);
}

async function deleteOne(component: string, ...how: readonly string[]): Promise<void> {
  const [pod] = await system.pods(component);
  await system.kubectl('delete', 'pod', pod!.metadata.name, '--wait=false', ...how);
  await system.settled(component, [pod!]);
}

/** It goes, none of the same part may go with it, and another one comes as soon as there is a node for it. */
async function drain(pod: Pod): Promise<void> {
  const node = pod.spec.nodeName as string;
  const component = pod.metadata.labels?.['app.kubernetes.io/component'] as string;
  {
    await using _ = await cordoned(node);
    await evict(pod);
    const [other] = (await system.pods(component)).filter(isReady);
    expect(await refusalToEvict(other!)).toMatch(/disruption budget/);
    if (await isOnlyNode(node)) {
      const pending = async () => (await system.pods(component)).some(({ status }) => status.phase === 'Pending');
      await waitFor('another one waits for a node', pending, { namespace: system.namespace });
    }
  }
  await system.settled(component, [pod]);
}

describe.skipIf(noCluster)(`disruptions under load${noCluster ? ` (skipped: ${noCluster})` : ''}`, () => {
  beforeAll(async () => {
    system = await SystemUnderLoad.install('disruptions', VALUES);
  });
  afterAll(() => system?.[Symbol.asyncDispose]());
  beforeEach(() => {
    load = system.load({ maxTokens: ANSWER_TOKENS });
    load.perSecond = PER_SECOND;
  });
  afterEach(() => load[Symbol.asyncDispose]());

  it('helm upgrade to other documents: every request is answered, in the end from those, by as many pods as there were', async () => {
    await system.kubectl('scale', 'deployment', BATCHED, '--replicas=2');
    const before = await system.settled('batched');
    const files = { 'axolotl.txt': 'An axolotl can regrow a whole leg within weeks.' };
    await using history = system.history();
    const account = await accountOver(async () => {
      const values = { ...VALUES, 'documents.source': 'files', 'documents.files': files };
      await system.release.upgrade({ values });
      await system.settled('batched', before);
    });
    expect(account).toEqual(allAnswered(account));
    expect((await load.ask({ query: 'What can regrow a leg?' })).body).toContain('axolotl');
    expect(history.falls(0), `${history}`).toEqual([]);
    expect(history.now).toMatchObject({ wanted: 2, ready: 2 });
  });

  it('a rolling restart of the pods: every request is answered', async () => {
    const account = await accountOver(() => restart('batched'));
    expect(account).toEqual(allAnswered(account));
  });

  it('a rolling restart of the proxies: every request is answered', async ({ skip }) => {
    if (system.notByAddress) skip(system.notByAddress);
    const account = await accountOver(() => restart('proxy'));
    expect(account).toEqual(allAnswered(account));
  });

  it('a pod is deleted: every request is answered', async () => {
    const account = await accountOver(() => deleteOne('batched'));
    expect(account).toEqual(allAnswered(account));
  });

  it('a pod is deleted by force: all that breaks are streams that had begun, and they say so', async () => {
    const account = await accountOver(() => deleteOne('batched', '--force', '--grace-period=0'));
    expect(account).toMatchObject({ refused: 0, failed: 0, answered: account.asked - account.broken });
    expect(load.records.filter(({ outcome, streamed }) => outcome === 'broken' && !streamed)).toEqual([]);
  });

  it('a proxy is deleted: every request is answered', async ({ skip }) => {
    if (system.notByAddress) skip(system.notByAddress);
    const account = await accountOver(() => deleteOne('proxy'));
    expect(account).toEqual(allAnswered(account));
  });

  it('nodes are drained, one pod evicted at a time and its node free again before the next: every request is answered', async ({
    skip,
  }) => {
    if (system.notByAddress) skip(system.notByAddress);
    const account = await accountOver(async () => {
      const [proxy] = await system.pods('proxy');
      for (const pod of [...(await system.pods('batched')), proxy!]) await drain(pod);
    });
    expect(account).toEqual(allAnswered(account));
  });
});
