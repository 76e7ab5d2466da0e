/**
 * Do pods for GPUs go where GPUs are, and is it said why one waits? A node is given the label and the resource that GPU feature discovery and a
 * device plugin would give it. There is no GPU behind them: the pods are told to compute on the CPU.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingTools } from '../chart/tools.ts';
import { cluster, isReady, type KubernetesObject, noCluster } from './support/cluster.ts';
import { createNamespace, removeNamespace } from './support/namespace.ts';
import { question } from './support/question.ts';
import { installRelease, type Release } from './support/release.ts';
import { waitFor } from './support/wait-for.ts';

const RESOURCE = 'nvidia.com/gpu';
const LABEL = 'nvidia.com/gpu.present';

interface Node extends KubernetesObject {
  readonly spec: { readonly unschedulable?: boolean; readonly taints?: readonly object[] };
  readonly status: { readonly capacity: Readonly<Record<string, string>> };
}

const nodes = () => cluster().list<Node>('/api/v1/nodes');
const at = (node: string) => `/api/v1/nodes/${node}`;

async function label(node: string, value: string | null): Promise<void> {
  await cluster().request('PATCH', at(node), { metadata: { labels: { [LABEL]: value } } });
}

async function advertise(node: string, gpus: string | null): Promise<void> {
  const resources = { [RESOURCE]: gpus };
  await cluster().request('PATCH', `${at(node)}/status`, { status: { capacity: resources, allocatable: resources } });
}

async function gpusOfItsOwn(): Promise<string | undefined> {
  const real = (await nodes()).some(({ status }) => Number(status.capacity[RESOURCE] ?? 0) > 0);
  return real ? 'this cluster has GPUs, which are not to be played with' : undefined;
}

const missing = noCluster ?? missingTools('helm4') ?? (await gpusOfItsOwn());

describe.skipIf(missing)(`pods for GPUs${missing ? ` (${missing})` : ''}`, () => {
  let release: Release;
  let node: string;
  /** What each node's label was before. */
  const labels = new Map<string, string | null>();

  beforeAll(async () => {
    const all = await nodes();
    node = all.find(({ spec }) => !spec.unschedulable && !spec.taints?.length)?.metadata.name ?? '';
    for (const { metadata } of all) labels.set(metadata.name, metadata.labels?.[LABEL] ?? null);
    for (const name of labels.keys()) await label(name, null);
    await advertise(node, '2');
    release = await installRelease({
      namespace: await createNamespace('gpu'),
      values: {
        'gpu.enabled': true,
        'gpu.image.repository': 'ragscale/rag',
        'pod.env': { RAG_DEVICE: 'cpu' },
        'variants.batched.autoscaling.minReplicas': 3,
      },
      ready: false,
    });
  });
  afterAll(async () => {
    for (const [name, value] of labels) await label(name, value);
    if (node) await advertise(node, null);
    await release?.close();
    if (release) await removeNamespace(release.namespace);
  });

  const pods = () => cluster().pods(release.namespace, 'batched');
  const waiting = async () =>
    (await pods()).flatMap(({ status }) => {
      const scheduled = status.conditions?.find(({ type }) => type === 'PodScheduled');
      return scheduled?.status === 'False' ? [scheduled.message ?? ''] : [];
    });

  it('go to no node without the label', async () => {
    const messages = await waitFor(
      'three pods are asked for, and wait',
      async () => {
        const all = await waiting();
        return all.length === 3 && all;
      },
      { namespace: release.namespace },
    );
    for (const message of messages) expect(message).toMatch(/node affinity\/selector/);
    // It is about them alone.
    await waitFor(
      'the proxies run',
      async () => (await cluster().pods(release.namespace, 'proxy')).some(({ status }) => status.phase === 'Running'),
      { namespace: release.namespace },
    );
  });

  it('go to the node that has it, as many as it has GPUs', async () => {
    await label(node, 'true');
    const ready = await waitFor(
      'two pods are ready',
      async () => {
        const able = (await pods()).filter(isReady);
        return able.length === 2 && able;
      },
      { namespace: release.namespace },
    );
    expect(ready.map(({ spec }) => spec.nodeName)).toEqual([node, node]);
    expect(await waiting()).toEqual([expect.stringContaining(`Insufficient ${RESOURCE}`)]);
    const { status, result } = await question(await release.proxyUrl());
    expect([status, result]).toEqual([200, expect.stringMatching(/hummingbird/i)]);
  });

  it('are told of by the autoscaler: how many are ready, and why one is not', async () => {
    const { status } = await waitFor(
      'the autoscaler says why a pod waits',
      async () => {
        const las = await cluster().latencyAutoscaler(release.namespace, 'ragscale-batched');
        return las.status?.readyReplicas === 2 && las.status.waitingFor?.includes(RESOURCE) && las;
      },
      { namespace: release.namespace },
    );
    expect([status?.currentReplicas, status?.desiredReplicas]).toEqual([3, 3]);
    expect(await cluster().kubectl(['describe', 'las', 'ragscale-batched', '--namespace', release.namespace])).toMatch(
      /Waiting For: .*nvidia\.com\/gpu/,
    );
  });

  it('come as soon as there is another GPU', async () => {
    await advertise(node, '3');
    await waitFor('three pods are ready', async () => (await pods()).filter(isReady).length === 3, {
      namespace: release.namespace,
    });
    await waitFor(
      'the autoscaler has nothing to wait for',
      async () => {
        const { status } = await cluster().latencyAutoscaler(release.namespace, 'ragscale-batched');
        return status?.readyReplicas === 3 && status.waitingFor === undefined;
      },
      { namespace: release.namespace },
    );
  });
});
