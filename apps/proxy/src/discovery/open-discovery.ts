/** How are the sources of a route opened? */
import { ConfigurationError } from '@ragscale/service/environment';
import type { Logger } from 'pino';
import type { RouteSpec } from './backends.ts';
import { CombinedDiscovery } from './combined-discovery.ts';
import type { Discovery, FoundEndpoint } from './discovery.ts';
import { DnsDiscovery } from './dns-discovery.ts';
import { foundEndpoint } from './found-endpoints.ts';
import type { KubernetesDiscoveryOptions } from './kubernetes-discovery.ts';
import type { KubernetesSource, SourceSpec } from './source-url.ts';
import { StaticDiscovery } from './static-discovery.ts';

export interface DiscoveryOptions {
  readonly logger: Logger;
  /** Where this process runs: a value of the node label `topology.kubernetes.io/zone`. Without it no zone is preferred. */
  readonly zone?: string | undefined;
  /** Between two resolutions of a name; 5 s unless given. */
  readonly dnsIntervalMs?: number | undefined;
}

/**
 * Nothing is asked before `start`, which rejects with a ConfigurationError when a source is in Kubernetes and there are no credentials
 * for a cluster, or no namespace.
 */
export function openDiscovery(route: RouteSpec, options: DiscoveryOptions): Discovery {
  const fixed = route.sources.filter((source) => source.kind === 'static');
  const others = route.sources.filter((source) => source.kind !== 'static');
  const opened = others.map((source) => openSource(source, options));
  if (fixed.length > 0) {
    opened.unshift(new StaticDiscovery(fixed.map(({ host, port, weight }) => foundEndpoint(host, port, { weight }))));
  }
  const [only] = opened;
  return only && opened.length === 1 ? only : new CombinedDiscovery(opened);
}

function openSource(source: Exclude<SourceSpec, { kind: 'static' }>, options: DiscoveryOptions): Discovery {
  const { logger, zone, dnsIntervalMs } = options;
  if (source.kind === 'dns') return new DnsDiscovery(source, { logger, intervalMs: dnsIntervalMs });
  return new LateDiscovery(() => openKubernetes(source, { logger, zone }));
}

/** Loaded only where it is used: the client of Kubernetes alone takes as much memory as half of the rest. */
async function openKubernetes(source: KubernetesSource, options: KubernetesDiscoveryOptions): Promise<Discovery> {
  const { openKubernetesDiscovery } = await import('./kubernetes-discovery.ts');
  try {
    return openKubernetesDiscovery(source, options);
  } catch (cause) {
    throw new ConfigurationError([`k8s://${source.service}: ${(cause as Error).message}`]);
  }
}

/** Is opened when it starts. */
class LateDiscovery implements Discovery {
  readonly #open: () => Promise<Discovery>;
  #opened: Discovery | undefined;
  #stopped = false;

  constructor(open: () => Promise<Discovery>) {
    this.#open = open;
  }

  async start(onChange: (found: readonly FoundEndpoint[]) => void): Promise<void> {
    const opened = await this.#open();
    if (this.#stopped) return;
    this.#opened = opened;
    await opened.start(onChange);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#opened?.stop();
  }
}
