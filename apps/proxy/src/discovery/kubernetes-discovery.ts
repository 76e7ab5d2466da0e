/** Where are the pods? Where the EndpointSlices of a Service say. */
import type { KubeConfig } from '@kubernetes/client-node';
import { KubernetesCollection } from '@ragscale/kubernetes/collection';
import { loadKubeConfig, namespaceOf } from '@ragscale/kubernetes/credentials';
import { KubernetesError } from '@ragscale/kubernetes/kubernetes-error';
import { ListWatch, type ListWatchClient } from '@ragscale/kubernetes/list-watch';
import type { Clock } from '@ragscale/service/clock';
import type { Logger } from 'pino';
import type { Discovery, FoundEndpoint } from './discovery.ts';
import { type EndpointSlice, endpointSliceSchema, readSlices } from './endpoint-slices.ts';
import { whenChanged } from './found-endpoints.ts';
import type { KubernetesSource } from './source-url.ts';

export interface KubernetesDiscoveryOptions {
  readonly logger: Logger;
  /** Where this process runs; without it no zone is preferred. */
  readonly zone?: string | undefined;
  /** See ListWatchOptions. */
  readonly watchSeconds?: number | undefined;
  readonly clock?: Clock;
  readonly random?: () => number;
}

export interface WatchedService extends Omit<KubernetesSource, 'kind'> {
  readonly namespace: string;
}

/**
 * @param config that of the pod or of the user unless given
 * @throws Error when there are no credentials for a cluster
 */
export function openKubernetesDiscovery(
  source: Omit<KubernetesSource, 'kind'>,
  options: KubernetesDiscoveryOptions,
  config: KubeConfig = loadKubeConfig(),
): KubernetesDiscovery {
  const namespace = source.namespace ?? namespaceOf(config);
  const client = new KubernetesCollection({
    config,
    path: `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
    labelSelector: `kubernetes.io/service-name=${source.service}`,
    schema: endpointSliceSchema,
  });
  return new KubernetesDiscovery({ ...source, namespace }, client, options);
}

/** The last list is kept while the API server is away. */
export class KubernetesDiscovery implements Discovery {
  readonly #service: WatchedService;
  readonly #options: KubernetesDiscoveryOptions;
  readonly #client: ListWatchClient<EndpointSlice>;
  /** What was logged and still holds. */
  readonly #remarks = new Set<string>();
  readonly #troubles = new Set<string>();
  #listWatch: ListWatch<EndpointSlice> | undefined;
  #settle: () => void = () => undefined;

  constructor(service: WatchedService, client: ListWatchClient<EndpointSlice>, options: KubernetesDiscoveryOptions) {
    this.#service = service;
    this.#client = client;
    this.#options = options;
  }

  start(onChange: (found: readonly FoundEndpoint[]) => void): Promise<void> {
    const { clock, random, logger, zone, watchSeconds } = this.#options;
    const first = Promise.withResolvers<void>();
    this.#settle = first.resolve;
    const handOver = whenChanged(onChange);
    this.#listWatch = new ListWatch<EndpointSlice>({
      client: this.#client,
      onObjects: (slices) => {
        const { found, remarks } = readSlices(slices, { ...this.#service, zone });
        this.#tell(
          slices.length === 0 ? [...remarks, 'no EndpointSlice yet; is the name of the Service right?'] : remarks,
        );
        handOver(found);
        first.resolve();
      },
      onTrouble: (error, failures, pauseMs) => {
        const words = wordsFor(error, this.#service.namespace);
        // The first time for everybody, then for those who look for it: it may take hours.
        logger[this.#troubles.has(words) ? 'debug' : 'warn']({ err: error, failures, pauseMs, ...this.#name() }, words);
        this.#troubles.add(words);
      },
      onRecovered: () => {
        this.#troubles.clear();
        logger.info(this.#name(), 'the API server answers again');
      },
      watchSeconds,
      ...(clock && { clock }),
      ...(random && { random }),
    });
    void this.#listWatch.run();
    return first.promise;
  }

  async stop(): Promise<void> {
    this.#listWatch?.stop();
    this.#settle();
  }

  /** Each remark once while it lasts. */
  #tell(remarks: readonly string[]): void {
    for (const remark of remarks) {
      if (!this.#remarks.has(remark)) this.#options.logger.warn(this.#name(), `${this.#service.service}: ${remark}`);
    }
    this.#remarks.clear();
    for (const remark of remarks) this.#remarks.add(remark);
  }

  #name(): { service: string; namespace: string } {
    return { service: this.#service.service, namespace: this.#service.namespace };
  }
}

function wordsFor(error: unknown, namespace: string): string {
  const kept = 'the endpoints found before are kept';
  if (error instanceof KubernetesError && error.status === 403) {
    const needed = `get, list and watch on endpointslices (API group discovery.k8s.io) in the namespace ${namespace}`;
    return `a right is missing: bind a Role with ${needed} to the ServiceAccount; ${kept}`;
  }
  if (error instanceof KubernetesError && error.status === 401) {
    return `the API server does not accept the credentials; ${kept}`;
  }
  return `the API server cannot be watched; ${kept}`;
}
