/** How does a cluster come up? In the order in which its parts need each other. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { RbacAuthorizationV1Api } from '@kubernetes/client-node';
import { makeCgroup } from './cgroups.ts';
import { startComponent } from './component-processes.ts';
import * as components from './components.ts';
import { makeCredentials } from './credentials.ts';
import { takeDown } from './down.ts';
import { importArchive, listImages, makePauseImage } from './images.ts';
import { inFolder, type Layout } from './layout.ts';
import { firstProcess, openNamespaces } from './namespaces.ts';
import { describePodNetwork, openNetwork } from './network.ts';
import type { Phases } from './phases.ts';
import { makePrograms } from './programs.ts';
import { apiServerReady, configOf, coreApi, wait } from './readiness.ts';

/** Written last. */
const WHOLE = 'whole';

/** Was it started to the end, and has its first process not ended since? */
export function isUp(layout: Layout): boolean {
  return firstProcess(layout) !== undefined && existsSync(inFolder(layout, WHOLE));
}

/** What an interrupted start has left is removed first. What fails here is removed again. */
export async function bringUp(layout: Layout, phases: Phases): Promise<void> {
  await takeDown(layout);
  try {
    await phases.run('programs', async () => makePrograms());
    await phases.run('the image of pods', async () => makePauseImage());
    await phases.run('namespaces, network, credentials', () => prepare(layout));
    await phases.run('etcd, API server, containerd', () => startFoundations(layout));
    await phases.run('node and controllers', () => startNode(layout));
    writeFileSync(inFolder(layout, WHOLE), '');
  } catch (error) {
    await takeDown(layout);
    throw error;
  }
}

async function prepare(layout: Layout): Promise<void> {
  mkdirSync(layout.folder, { recursive: true, mode: 0o700 });
  await openNamespaces(layout);
  openNetwork(layout);
  describePodNetwork(layout);
  makeCgroup(layout);
  makeCredentials(layout);
}

async function startFoundations(layout: Layout): Promise<void> {
  const etcd = components.etcd(layout);
  const containerd = components.containerd(layout);
  await startComponent(layout, etcd);
  await startComponent(layout, components.apiServer(layout));
  await startComponent(layout, containerd);
  await wait({
    until: 'containerd answers',
    layout,
    needs: [containerd],
    isTrue: async () => listImages(layout).length > 0,
  });
  importArchive(layout, makePauseImage());
  await apiServerReady(layout);
}

async function startNode(layout: Layout): Promise<void> {
  const parts = [
    components.controllerManager(layout),
    components.scheduler(layout),
    components.kubelet(layout),
    components.proxy(layout),
    components.dns(layout),
  ];
  await allowProxy(layout);
  for (const part of parts) await startComponent(layout, part);
  const api = coreApi(layout.kubeconfig);
  await wait({
    until: 'the node is ready',
    layout,
    needs: parts,
    isTrue: async () => {
      const { status } = await api.readNode({ name: layout.name });
      return (
        status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false
      );
    },
  });
  await wait({
    until: 'pods can be made in the namespace default',
    layout,
    needs: parts,
    isTrue: async () => Boolean(await api.readNamespacedServiceAccount({ name: 'default', namespace: 'default' })),
  });
}

/** kubeadm makes this binding where a cluster is made by it. */
async function allowProxy(layout: Layout): Promise<void> {
  await configOf(layout.kubeconfig)
    .makeApiClient(RbacAuthorizationV1Api)
    .createClusterRoleBinding({
      body: {
        metadata: { name: 'node-proxier' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:node-proxier' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'system:kube-proxy' }],
      },
    });
}
