/** Which cluster do the tests use, and how is it asked? The one of KUBECONFIG, whatever it is; by kubectl, or by a request to its API. */
import { KubeConfig } from '@kubernetes/client-node';
import { KubernetesClient, type Method } from '@ragscale/kubernetes/api-client';
import { z } from 'zod';
import { type RunOptions, runProgram } from './run-program.ts';

/** What of an object the tests read; the rest by its own type. */
export interface KubernetesObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly generation?: number;
  };
}

export interface Pod extends KubernetesObject {
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly { readonly name: string; readonly image: string }[];
  };
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly { readonly name: string; readonly restartCount: number }[];
  };
}

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
}

export interface Deployment extends KubernetesObject {
  readonly spec: { readonly replicas: number };
  readonly status: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly readyReplicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
  };
}

export interface LatencyAutoscaler extends KubernetesObject {
  readonly spec: {
    readonly scaleTargetRef: { readonly name: string };
    readonly minReplicas: number;
    readonly maxReplicas: number;
    readonly mode: 'Active' | 'Recommend';
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly currentReplicas?: number;
    readonly readyReplicas?: number;
    readonly desiredReplicas?: number;
    readonly recommendedReplicas?: number;
    /** Of the pods that do not start. */
    readonly waitingFor?: string;
    readonly lastDecision?: { readonly reason: string; readonly explanation?: string };
    readonly conditions?: readonly Condition[];
  };
}

export class Cluster {
  readonly kubeconfig: string;
  readonly #client: KubernetesClient;

  constructor(kubeconfig: string) {
    this.kubeconfig = kubeconfig;
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    this.#client = new KubernetesClient(config);
  }

  /** @returns what it prints @throws Error with its words when it fails */
  async kubectl(args: readonly string[], input?: string, options: RunOptions = {}): Promise<string> {
    const { ok, output, errors } = await runProgram('kubectl', args, {
      ...options,
      ...(input !== undefined && { input }),
      env: { ...options.env, KUBECONFIG: this.kubeconfig },
    });
    if (!ok) throw new Error(`kubectl ${args.join(' ')}: ${errors.trim() || output.trim()}`);
    return output;
  }

  /** @param path such as `/api/v1/nodes` @throws Error with the server's words when it refuses */
  async request<T = unknown>(method: Method, path: string, body?: object, contentType?: string): Promise<T> {
    const query = path.includes('?') ? Object.fromEntries(new URLSearchParams(path.slice(path.indexOf('?') + 1))) : {};
    const options = { query, schema: z.unknown(), ...(body && { body }), ...(contentType && { contentType }) };
    return (await this.#client.request(method, path.replace(/\?.*$/, ''), options)) as T;
  }

  async list<T extends KubernetesObject>(path: string): Promise<T[]> {
    const { items } = await this.request<{ items: T[] }>('GET', path);
    return items;
  }

  deployment(namespace: string, name: string): Promise<Deployment> {
    return this.request('GET', `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`);
  }

  latencyAutoscaler(namespace: string, name: string): Promise<LatencyAutoscaler> {
    return this.request('GET', `/apis/ragscale.dev/v1alpha1/namespaces/${namespace}/latencyautoscalers/${name}`);
  }

  /** @param component of the chart, such as `proxy` or `batched`; all unless given. Pods that are ending are among them */
  pods(namespace: string, component?: string): Promise<Pod[]> {
    const selector = component === undefined ? '' : `?labelSelector=app.kubernetes.io/component=${component}`;
    return this.list<Pod>(`/api/v1/namespaces/${namespace}/pods${selector}`);
  }
}

/** Why the tests cannot run, in words for the name of a test that is skipped; undefined when they can. */
export const noCluster: string | undefined = process.env.KUBECONFIG
  ? undefined
  : 'KUBECONFIG is not set: npm run cluster:up';

let found: Cluster | undefined;

/** @throws Error when KUBECONFIG is not set */
export function cluster(): Cluster {
  if (noCluster !== undefined) throw new Error(noCluster);
  found ??= new Cluster(process.env.KUBECONFIG as string);
  return found;
}

export function isReady(pod: Pod): boolean {
  const ready = pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
  return ready === true && pod.metadata.deletionTimestamp === undefined;
}
