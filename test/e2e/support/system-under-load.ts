/** What do the tests under load have in common? A release in a namespace of its own, requests to it, and what its autoscaler says. */
import { cluster, isReady, type Pod } from './cluster.ts';
import { Load, type LoadOptions } from './load.ts';
import { createNamespace, removeNamespace } from './namespace.ts';
import { type Way, wayToPod, wayToService } from './port-forward.ts';
import { installRelease, type Release } from './release.ts';
import { ReplicaHistory } from './replica-history.ts';
import { waitFor } from './wait-for.ts';

export const BATCHED = 'ragscale-batched';

export class SystemUnderLoad implements AsyncDisposable {
  readonly release: Release;
  readonly #proxy: Way;
  readonly #kept: AsyncDisposable[] = [];

  private constructor(release: Release, proxy: Way) {
    this.release = release;
    this.#proxy = proxy;
  }

  /** @param purpose a word of the test, part of its namespace's name */
  static async install(purpose: string, values: Readonly<Record<string, unknown>>): Promise<SystemUnderLoad> {
    const namespace = await createNamespace(purpose);
    try {
      const release = await installRelease({ namespace, values });
      return new SystemUnderLoad(release, await wayToService(namespace, 'ragscale-proxy', 9000));
    } catch (error) {
      await removeNamespace(namespace);
      throw error;
    }
  }

  get namespace(): string {
    return this.release.namespace;
  }

  /** Why proxies cannot go while requests come; undefined when they can. */
  get notByAddress(): string | undefined {
    return this.#proxy.direct ? undefined : 'requests come through kubectl port-forward, which ends with a proxy';
  }

  /** Ends with the system at the latest. */
  load(options: LoadOptions = {}): Load {
    return this.#keep(new Load(this.#proxy.url, options));
  }

  /** Of the pods that answer; ends with the system at the latest. */
  history(): ReplicaHistory {
    return this.#keep(new ReplicaHistory(this.namespace, BATCHED));
  }

  /** Those that are not ending. */
  async pods(component: string): Promise<Pod[]> {
    const pods = await cluster().pods(this.namespace, component);
    return pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  /** Resolves when all of a part are ready, none of those named is left, and nothing is on its way out. */
  async settled(component: string, gone: readonly Pod[] = []): Promise<Pod[]> {
    const uids = new Set(gone.map(({ metadata }) => metadata.uid));
    const { length: count } = gone;
    return waitFor(
      `${component} is settled, without ${count} of before`,
      async () => {
        const { spec, status, metadata } = await cluster().deployment(this.namespace, `ragscale-${component}`);
        const pods = await cluster().pods(this.namespace, component);
        const isAll = status.observedGeneration === metadata.generation && pods.length === spec.replicas;
        return isAll && pods.every((pod) => isReady(pod) && !uids.has(pod.metadata.uid)) && pods;
      },
      { namespace: this.namespace },
    );
  }

  /** Resolves when the autoscaler says one of these of a condition. @returns its message */
  async condition(type: string, status: 'True' | 'False', reasons: readonly string[]): Promise<string> {
    return waitFor(
      `${type} is ${status} with ${reasons.join(' or ')}`,
      async () => {
        const { status: found } = await cluster().latencyAutoscaler(this.namespace, BATCHED);
        const condition = found?.conditions?.find((one) => one.type === type);
        return (
          condition?.status === status &&
          reasons.includes(condition.reason ?? '') &&
          (condition.message ?? 'no message')
        );
      },
      { namespace: this.namespace },
    );
  }

  /** As kubectl patch does. Helm's next upgrade will find what it sets itself in another's hands. */
  async changeAutoscaler(spec: object): Promise<void> {
    await this.#patchAutoscaler({ spec });
  }

  /** @param annotations null removes one */
  async annotateAutoscaler(annotations: Readonly<Record<string, string | null>>): Promise<void> {
    await this.#patchAutoscaler({ metadata: { annotations } });
  }

  /** Name of the pod that decides; undefined when none does. */
  async leader(): Promise<string | undefined> {
    const at = `/apis/coordination.k8s.io/v1/namespaces/${this.namespace}/leases/ragscale-autoscaler`;
    const { spec } = await cluster().request<{ spec: { holderIdentity?: string } }>('GET', at);
    const [name] = (spec.holderIdentity ?? '').split('_');
    return name === '' ? undefined : name;
  }

  /** Of the autoscaler that decides, since it was started. */
  rounds(): Promise<number> {
    return this.autoscalerMetric(/^ragscale_autoscaler_round_duration_seconds_count/);
  }

  /** Of the autoscaler that decides. @param line how its line in the exposition begins @throws Error when there is none */
  async autoscalerMetric(line: RegExp): Promise<number> {
    const leader = await this.leader();
    if (leader === undefined) throw new Error('no autoscaler decides');
    const way = await wayToPod(this.namespace, leader, 9100);
    try {
      const text = await (await fetch(`${way.url}/metrics`, { signal: AbortSignal.timeout(5_000) })).text();
      const found = text.split('\n').find((one) => line.test(one));
      if (found === undefined) throw new Error(`${leader} has no metric ${line}`);
      return Number(found.slice(found.lastIndexOf(' ')));
    } finally {
      await way.close();
    }
  }

  async kubectl(...args: readonly string[]): Promise<string> {
    return cluster().kubectl([...args, '--namespace', this.namespace]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const kept of this.#kept) await kept[Symbol.asyncDispose]();
    await this.#proxy.close();
    await this.release.close();
    await removeNamespace(this.namespace);
  }

  async #patchAutoscaler(patch: object): Promise<void> {
    const at = `/apis/ragscale.dev/v1alpha1/namespaces/${this.namespace}/latencyautoscalers/${BATCHED}`;
    await cluster().request('PATCH', at, patch, 'application/merge-patch+json');
  }

  #keep<T extends AsyncDisposable>(kept: T): T {
    this.#kept.push(kept);
    return kept;
  }
}
