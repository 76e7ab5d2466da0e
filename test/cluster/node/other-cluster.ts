/** What if `KUBECONFIG` is that of a cluster that is not ours, such as one of kind? It is used as it is, and nothing is ended there. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { VersionApi } from '@kubernetes/client-node';
import { configOf, coreApi } from './readiness.ts';

/** @returns which one it is, in words @throws Error when it does not answer */
export async function describeOther(kubeconfig: string): Promise<string> {
  if (!existsSync(kubeconfig)) throw new Error(`KUBECONFIG names no file: ${kubeconfig}`);
  const config = configOf(kubeconfig);
  const server = config.getCurrentCluster()?.server;
  try {
    const { gitVersion } = await config.makeApiClient(VersionApi).getCode();
    const { items } = await coreApi(kubeconfig).listNode();
    const nodes = items.map(({ metadata }) => metadata?.name).join(', ');
    return `the cluster of KUBECONFIG is used: ${config.currentContext} at ${server}, Kubernetes ${gitVersion}, nodes ${nodes}`;
  } catch (error) {
    throw new Error(`the cluster of KUBECONFIG does not answer: ${server}: ${(error as Error).message}`);
  }
}

/** Where it is known how. @throws Error that says what else to do */
export function loadIntoOther(kubeconfig: string, archives: readonly string[]): void {
  const context = configOf(kubeconfig).currentContext;
  const kind = /^kind-(.+)$/.exec(context)?.[1];
  if (kind === undefined)
    throw new Error(
      `how images come into the cluster '${context}' is not known here. Push them to a registry that it reaches and install with image.registry, ` +
        `or import them on its nodes (ctr --namespace k8s.io images import FILE): ${archives.join(', ')}`,
    );
  for (const archive of archives) {
    const { status, error } = spawnSync('kind', ['load', 'image-archive', archive, '--name', kind], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    if (status !== 0) throw new Error(`kind did not load ${archive}${error ? `: ${error.message}` : ''}`);
  }
}
