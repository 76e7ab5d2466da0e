/** Is a request lost when pods, proxies and nodes go while it is on its way? Real requests all the time, each accounted for. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingTools } from '../chart/tools.ts';
import { type Account, accountOf, allAnswered, type RequestRecord } from './support/account.ts';
import { isReady, noCluster, type Pod } from './support/cluster.ts';
import { cordoned, evict, isOnlyNode, refusalToEvict } from './support/node.ts';
import { pacedPods } from './support/paced-pods.ts';
import { BATCHED, SystemUnderLoad } from './support/system-under-load.ts';
import { waitFor } from './support/wait-for.ts';

/** So few that there is always room, for two tests at once: what is refused or fails is so for the disruption. */
const PER_SECOND = 5;
/** Of 30 ms each: there are always several answers on their way, in every pod and every proxy. */
const ANSWER_TOKENS = 25;
/** Requests after the last moment of a disruption. */
const AFTERWARDS = 20;
const VALUES = {
  ...pacedPods({ tokenMs: 30, slots: 16 }),
  'autoscaler.replicas': 1,
  'podDisruptionBudget.enabled': true,
  'variants.batched.autoscaling.minReplicas': 1,
  'variants.batched.autoscaling.maxReplicas': 2,
  // Whatever the autoscaler thinks of them, the pods of a test are there to its end.
  'variants.batched.autoscaling.spec': { behavior: { scaleDown: { stabilizationWindowSeconds: 3_600 } } },
};

const missing = noCluster ?? missingTools('helm4');

let system: SystemUnderLoad;

/** What became of every request, from before the disruption until well after it. */
async function recordsOver(disruption: () => Promise<unknown>): Promise<readonly RequestRecord[]> {
  await using load = system.load({ maxTokens: ANSWER_TOKENS });
  load.perSecond = PER_SECOND;
  await load.more(PER_SECOND);
  await disruption();
  await load.more(AFTERWARDS);
  await load.end();
  return load.records;
}

async function accountOver(disruption: () => Promise<unknown>): Promise<Account> {
  return accountOf(await recordsOver(disruption));
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

describe.skipIf(missing)(`under load every request is answered${missing ? ` (${missing})` : ''}`, () => {
  beforeAll(async () => {
    system = await SystemUnderLoad.install('disruptions', VALUES);
    await system.kubectl('scale', 'deployment', BATCHED, '--replicas=2');
    await system.settled('batched');
  });
  afterAll(() => system?.[Symbol.asyncDispose]());

  it('by helm upgrade to other documents: in the end from those, by as many pods as there were', async () => {
    const before = await system.pods('batched');
    const files = { 'axolotl.txt': 'An axolotl can regrow a whole leg within weeks.' };
    await using history = system.history();
    const account = await accountOver(async () => {
      const values = { ...VALUES, 'documents.source': 'files', 'documents.files': files };
      await system.release.upgrade({ values });
      await system.settled('batched', before);
    });
    expect(account).toEqual(allAnswered(account));
    await using load = system.load();
    expect((await load.ask({ query: 'What can regrow a leg?' })).body).toContain('axolotl');
    expect(history.falls(0), `${history}`).toEqual([]);
    expect(history.now).toMatchObject({ wanted: 2, ready: 2 });
  });

  describe('by rolling restarts, at once', () => {
    it.concurrent('of the pods', async () => {
      const account = await accountOver(() => restart('batched'));
      expect(account).toEqual(allAnswered(account));
    });

    it.concurrent('of the proxies', async ({ skip }) => {
      if (system.notByAddress) skip(system.notByAddress);
      const account = await accountOver(() => restart('proxy'));
      expect(account).toEqual(allAnswered(account));
    });
  });

  it('by deletion of a pod by force, but for streams that had begun: they break, and say so', async () => {
    const records = await recordsOver(() => deleteOne('batched', '--force', '--grace-period=0'));
    const whole = records.filter(({ outcome, streamed }) => outcome !== 'broken' || !streamed);
    const account = accountOf(whole);
    expect(account).toEqual(allAnswered(account));
  });

  describe('by deletion, at once', () => {
    it.concurrent('of a pod', async () => {
      const account = await accountOver(() => deleteOne('batched'));
      expect(account).toEqual(allAnswered(account));
    });

    it.concurrent('of a proxy', async ({ skip }) => {
      if (system.notByAddress) skip(system.notByAddress);
      const account = await accountOver(() => deleteOne('proxy'));
      expect(account).toEqual(allAnswered(account));
    });
  });

  it('by draining nodes: one pod evicted at a time, and its node free again before the next', async ({ skip }) => {
    if (system.notByAddress) skip(system.notByAddress);
    const account = await accountOver(async () => {
      const [proxy] = await system.pods('proxy');
      for (const pod of [...(await system.pods('batched')), proxy!]) await drain(pod);
    });
    expect(account).toEqual(allAnswered(account));
  });
});
