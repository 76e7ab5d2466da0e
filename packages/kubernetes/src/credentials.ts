/** Which cluster is meant, and who are we there? As @kubernetes/client-node finds it. */
import { existsSync } from 'node:fs';
import { HttpMethod, KubeConfig, RequestContext } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';

const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';
/** The context that the client makes up when it has found nothing. */
const NOTHING_FOUND = 'loaded-context';

/**
 * `KUBECONFIG` where it is set, the ServiceAccount inside a pod, ~/.kube/config elsewhere.
 * @throws Error when there is none of them
 */
export function loadKubeConfig(): KubeConfig {
  const config = new KubeConfig();
  if (!process.env.KUBECONFIG && process.env.KUBERNETES_SERVICE_HOST && existsSync(SERVICE_ACCOUNT_TOKEN)) {
    config.loadFromCluster();
    return config;
  }
  config.loadFromDefault();
  if (config.getCurrentContext() === NOTHING_FOUND) {
    throw new Error(
      'no credentials for Kubernetes: set KUBECONFIG, or run in a pod with automountServiceAccountToken: true',
    );
  }
  return config;
}

/** That of the pod or of the kubeconfig's context; `default` as for kubectl where neither says. */
export function namespaceOf(config: KubeConfig): string {
  return config.getContextObject(config.getCurrentContext())?.namespace?.trim() || 'default';
}

/**
 * @param path such as `/apis/apps/v1/namespaces/rag/deployments`
 * @throws Error when the kubeconfig names no cluster
 */
export function urlOf(config: KubeConfig, path: string): URL {
  const server = config.getCurrentCluster()?.server;
  if (!server) throw new Error('the kubeconfig has no current cluster');
  return new URL(server.replace(/\/$/, '') + path);
}

export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  /** Has the certificates; undefined where there are none. Whoever asked closes it. */
  readonly dispatcher: Dispatcher | undefined;
}

/**
 * Read anew at each call: tokens and certificates in files are replaced as they expire.
 * @throws Error when a file cannot be read, or the program that the kubeconfig names for it fails
 */
export async function credentialsOf(config: KubeConfig): Promise<Credentials> {
  const context = new RequestContext(urlOf(config, '/').href, HttpMethod.GET);
  await config.applySecurityAuthentication(context);
  return { headers: context.getHeaders(), dispatcher: context.getDispatcher() };
}
