/** How does a pod leave its node as in a drain? The node takes no new pods, and the pod is evicted if its disruption budget allows it. */
import { KubernetesError } from '@ragscale/kubernetes/kubernetes-error';
import { cluster, type Pod } from './cluster.ts';
import { waitFor } from './wait-for.ts';

/** Until it is disposed of nothing new is scheduled there. */
export async function cordoned(node: string): Promise<AsyncDisposable> {
  await setUnschedulable(node, true);
  return { [Symbol.asyncDispose]: () => setUnschedulable(node, false) };
}

/** Whether there is no other node that takes pods. */
export async function isOnlyNode(node: string): Promise<boolean> {
  const nodes = await cluster().list<{
    readonly metadata: Pod['metadata'];
    readonly spec: { readonly unschedulable?: boolean };
  }>('/api/v1/nodes');
  return nodes.every(({ metadata, spec }) => metadata.name === node || spec.unschedulable === true);
}

/** Resolves when the eviction is granted, which may take until the pods that were evicted before are there again. */
export async function evict(pod: Pod): Promise<void> {
  await waitFor(
    `${pod.metadata.name} may be evicted`,
    async () => {
      await requestEviction(pod);
      return true;
    },
    { namespace: pod.metadata.namespace as string },
  );
}

/** @returns why it may not go, in the words of the API server @throws Error when it may */
export async function refusalToEvict(pod: Pod): Promise<string> {
  try {
    await requestEviction(pod);
  } catch (error) {
    if (error instanceof KubernetesError && error.status === 429) return error.message;
    throw error;
  }
  throw new Error(`${pod.metadata.name} was evicted`);
}

function requestEviction({ metadata: { name, namespace } }: Pod): Promise<unknown> {
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } };
  return cluster().request('POST', `/api/v1/namespaces/${namespace}/pods/${name}/eviction`, eviction);
}

async function setUnschedulable(node: string, unschedulable: boolean): Promise<void> {
  await cluster().request('PATCH', `/api/v1/nodes/${node}`, { spec: { unschedulable } });
}
