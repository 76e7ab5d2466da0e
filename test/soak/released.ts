/** What is seen of a release, also while nobody can ask Kubernetes? Its pods as they were last, and which of them the proxies find able. */

import { cluster, type Deployment, isReady, type Pod } from '../e2e/support/cluster.ts';
import { BATCHED, type SystemUnderLoad } from '../e2e/support/system-under-load.ts';
import type { ProcessView, Replicas } from './system.ts';

const ANSWER_MS = 10_000;
/** The API server may be frozen: it takes questions and answers none. What was seen last does then. */
const REFRESH_MS = 2_000;

const PARTS = { pod: 'batched', proxy: 'proxy', autoscaler: 'autoscaler' } as const;
const METRICS_PORTS = { pod: 8000, proxy: 9001, autoscaler: 9100 } as const;
type Part = keyof typeof PARTS;

export class Released {
  readonly #system: SystemUnderLoad;
  readonly #adminUrl: string;
  readonly #direct: boolean;
  #pods: readonly Pod[] = [];
  #leader: string | undefined;

  constructor(system: SystemUnderLoad, adminUrl: string) {
    this.#system = system;
    this.#adminUrl = adminUrl;
    this.#direct = system.notByAddress === undefined;
  }

  /** Of a part, those that are not ending. */
  podsOf(part: Part): Pod[] {
    return this.#pods.filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] === PARTS[part]);
  }

  readyProxies(): Pod[] {
    return this.podsOf('proxy')
      .filter(isReady)
      .toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name));
  }

  isThere(pod: Pod): boolean {
    return this.#pods.some(({ metadata }) => metadata.uid === pod.metadata.uid);
  }

  /** The autoscaler that decides, or did when that could be asked last. */
  get leader(): Pod | undefined {
    return this.podsOf('autoscaler').find(({ metadata }) => metadata.name === this.#leader);
  }

  /** Asks Kubernetes anew; when it does not answer, all stays as it was. */
  async refresh(): Promise<void> {
    const namespace = this.#system.namespace;
    const [pods, leader] = await Promise.all([
      inTime(cluster().pods(namespace), REFRESH_MS).catch(() => undefined),
      inTime(this.#system.leader(), REFRESH_MS).catch(() => undefined),
    ]);
    if (pods !== undefined) this.#pods = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    this.#leader = leader ?? this.#leader;
  }

  /** By the probes of a proxy, in a lasting order. */
  async ablePods(): Promise<Pod[]> {
    const answer = await fetch(`${this.#adminUrl}/endpoints`, { signal: AbortSignal.timeout(ANSWER_MS) });
    const { routes } = (await answer.json()) as { routes: Record<string, { id: string; state: string }[]> };
    const able = new Set(
      Object.values(routes)
        .flat()
        .filter(({ state }) => state === 'healthy')
        .map(({ id }) => id),
    );
    return this.podsOf('pod')
      .filter(({ status }) => able.has(`${status.podIP}:8000`))
      .toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name));
  }

  /** @throws while nobody can be asked */
  async replicas(): Promise<Replicas> {
    const { spec, status } = await inTime(cluster().deployment(this.#system.namespace, BATCHED));
    return { wanted: spec.replicas, able: status.readyReplicas ?? 0 };
  }

  /** Each by its own word, so that Kubernetes need not have noticed that one is gone. */
  async areProxiesReady(): Promise<boolean> {
    if (!this.#direct) return this.podsOf('proxy').every(isReady);
    const ready = await Promise.all(
      this.podsOf('proxy').map(async ({ status }) => {
        const answer = await fetch(`http://${status.podIP}:9001/readyz`, { signal: AbortSignal.timeout(ANSWER_MS) });
        return answer.ok;
      }),
    );
    return ready.length > 0 && ready.every(Boolean);
  }

  /** Every line, also of the processes that were there before; of pods that are there. */
  async logs(parts: readonly Part[]): Promise<string[]> {
    const of = parts.flatMap((part) => this.podsOf(part).map(({ metadata }) => metadata.name));
    const texts = await Promise.all(
      of.flatMap((name) =>
        [[], ['--previous']].map((which) => this.#system.kubectl('logs', name, '--prefix', ...which).catch(() => '')),
      ),
    );
    return texts.flatMap((text) => text.split('\n').filter((line) => line !== ''));
  }

  async isWhole(): Promise<boolean> {
    const at = `/apis/apps/v1/namespaces/${this.#system.namespace}/deployments`;
    const deployments = await inTime(cluster().list<Deployment>(at));
    return deployments.every(({ spec, status }) => (status.readyReplicas ?? 0) === spec.replicas);
  }

  processes(): ProcessView[] {
    return (Object.keys(PARTS) as Part[]).flatMap((part) =>
      this.podsOf(part)
        .filter(isReady)
        .map((pod) => ({
          name: `${part} ${pod.metadata.name}`,
          part,
          metrics: () => this.#metrics(pod, METRICS_PORTS[part]),
        })),
    );
  }

  async #metrics({ metadata, status }: Pod, port: number): Promise<string> {
    if (!this.#direct) {
      const at = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}:${port}/proxy/metrics`;
      return inTime(cluster().kubectl(['get', '--raw', at]));
    }
    const answer = await fetch(`http://${status.podIP}:${port}/metrics`, { signal: AbortSignal.timeout(ANSWER_MS) });
    return answer.text();
  }
}

function inTime<T>(promise: Promise<T>, ms = ANSWER_MS): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer in ${ms} ms`)), ms);
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
