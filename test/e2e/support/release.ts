/** What is installed? A release of the chart in a namespace, with ways to its proxy, its administration and its Prometheus. */
import path from 'node:path';
import { CHART, HELM_ENVIRONMENT, type Helm, toolPath } from '../../chart/tools.ts';
import { cluster, type Deployment, type LatencyAutoscaler } from './cluster.ts';
import { type Way, wayToService } from './port-forward.ts';
import { type Ended, runProgram } from './run-program.ts';
import { waitFor } from './wait-for.ts';

export interface ReleaseOptions {
  readonly namespace: string;
  /** As after `--set-json`; SMALL unless told otherwise by `small`. */
  readonly values?: Readonly<Record<string, unknown>>;
  /** Values files, relative to the chart. */
  readonly files?: readonly string[];
  readonly helm?: Helm;
  /** False: nothing but what is given. */
  readonly small?: boolean;
  /** False: what was installed may not be ready yet. */
  readonly ready?: boolean;
  readonly flags?: readonly string[];
}

/** So that several releases have room on a node with two processors: what is set aside, not what may be used. */
export const SMALL: Readonly<Record<string, unknown>> = {
  'pod.resources.requests': { cpu: '20m', memory: '192Mi' },
  'proxy.resources.requests': { cpu: '10m', memory: '64Mi' },
  'autoscaler.resources.requests': { cpu: '10m', memory: '64Mi' },
  'prometheus.bundled.resources.requests': { cpu: '10m', memory: '64Mi' },
};

const NAME = 'ragscale';
/** A pod has to load and warm its models, with others on the same processors. */
const READY_MS = 300_000;

export class Release {
  readonly namespace: string;
  readonly name = NAME;
  /** What Helm printed at the last install or upgrade, NOTES included. */
  output = '';
  /** And what it printed beside: warnings of the API server among others. */
  warnings = '';
  readonly #options: ReleaseOptions;
  readonly #ways = new Map<string, Promise<Way>>();

  constructor(options: ReleaseOptions) {
    this.namespace = options.namespace;
    this.#options = options;
  }

  /** What clients talk to, `http://host:port`. */
  proxyUrl(): Promise<string> {
    return this.urlOf('ragscale-proxy', 9000);
  }

  adminUrl(): Promise<string> {
    return this.urlOf('ragscale-proxy-admin', 9001);
  }

  prometheusUrl(): Promise<string> {
    return this.urlOf('ragscale-prometheus', 9090);
  }

  /** Of a Service of the release; the way there is closed with the release. */
  async urlOf(service: string, port: number): Promise<string> {
    const key = `${service}:${port}`;
    let way = this.#ways.get(key);
    if (way === undefined) {
      way = wayToService(this.namespace, service, port);
      this.#ways.set(key, way);
      way.catch(() => this.#ways.delete(key));
    }
    return (await way).url;
  }

  /** An upgrade to other values; those of the release before do not count. @throws Error with Helm's words */
  async upgrade(options: Omit<ReleaseOptions, 'namespace'> = {}): Promise<void> {
    await this.apply('upgrade', { ...this.#options, ready: true, ...options, namespace: this.namespace }, [
      '--reset-values',
    ]);
  }

  async apply(verb: 'install' | 'upgrade', options: ReleaseOptions, flags: readonly string[] = []): Promise<void> {
    const { values = {}, files = [], helm = 'helm4', small = true, ready = true } = options;
    const set = Object.entries({ ...(small ? SMALL : {}), ...values });
    const { ok, output, errors } = await runHelm(helm, [
      verb,
      NAME,
      CHART,
      '--namespace',
      this.namespace,
      ...files.flatMap((file) => ['--values', path.join(CHART, file)]),
      ...set.flatMap(([name, value]) => ['--set-json', `${name}=${JSON.stringify(value)}`]),
      ...flags,
      ...(options.flags ?? []),
    ]);
    if (!ok) throw new Error(`${helm} ${verb}: ${errors.trim()}`);
    this.output = output;
    this.warnings = errors;
    if (ready) await this.ready();
  }

  /** Every Deployment has what it asks for, of its latest version alone, and no autoscaler that is in charge still has to raise its target. */
  async ready(): Promise<void> {
    const complete = ({ metadata, spec, status }: Deployment) =>
      status.observedGeneration === metadata.generation &&
      [status.replicas, status.updatedReplicas, status.readyReplicas].every((count = 0) => count === spec.replicas);
    const all = async () => {
      const deployments = await cluster().list<Deployment>(`/apis/apps/v1/namespaces/${this.namespace}/deployments`);
      return (
        deployments.length > 0 && deployments.every(complete) && (await this.#autoscalersAreSatisfied(deployments))
      );
    };
    await waitFor('everything is installed and ready', all, { timeoutMs: READY_MS, namespace: this.namespace });
  }

  async #autoscalersAreSatisfied(deployments: readonly Deployment[]): Promise<boolean> {
    const at = `/apis/ragscale.dev/v1alpha1/namespaces/${this.namespace}/latencyautoscalers`;
    const satisfied = ({ spec, status }: LatencyAutoscaler) => {
      const target = deployments.find(({ metadata }) => metadata.name === spec.scaleTargetRef.name);
      const inCharge = spec.mode === 'Active' && target !== undefined;
      return !inCharge || (status?.desiredReplicas !== undefined && target.spec.replicas >= spec.minReplicas);
    };
    return (await cluster().list<LatencyAutoscaler>(at)).every(satisfied);
  }

  /** As Helm says it; what is still ending when it returns is not waited for. */
  async uninstall(helm: Helm = this.#options.helm ?? 'helm4'): Promise<string> {
    await this.close();
    const { ok, output, errors } = await runHelm(helm, ['uninstall', NAME, '--namespace', this.namespace]);
    if (!ok) throw new Error(`${helm} uninstall: ${errors.trim()}`);
    return output;
  }

  /** The ways there. */
  async close(): Promise<void> {
    const ways = [...this.#ways.values()];
    this.#ways.clear();
    for (const way of ways) await (await way).close();
  }
}

/** Resolves when all is ready, unless told otherwise. To be uninstalled, or closed before its namespace is removed. @throws Error with Helm's words */
export async function installRelease(options: ReleaseOptions): Promise<Release> {
  const release = new Release(options);
  await release.apply('install', options);
  return release;
}

/** Never rejects. */
export function runHelm(helm: Helm, args: readonly string[]): Promise<Ended> {
  const env = { ...HELM_ENVIRONMENT, KUBECONFIG: cluster().kubeconfig };
  return runProgram(toolPath(helm), args, { env, timeoutMs: 600_000 });
}
