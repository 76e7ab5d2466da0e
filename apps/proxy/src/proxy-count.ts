/** How many proxies share the pods? As configured, or as many as their Service has endpoints that are ready. */
import type { Logger } from 'pino';
import type { Configuration } from './configuration.ts';
import type { Discovery } from './discovery/discovery.ts';
import { openDiscovery } from './discovery/open-discovery.ts';
import { watchReadyCount } from './discovery/ready-count.ts';
import { parseSource } from './discovery/source-url.ts';

export class ProxyCount {
  readonly #discovery: Discovery | undefined;
  #proxies: number;

  constructor({ proxies, proxyService }: Configuration, logger: Logger) {
    this.#proxies = proxies;
    if (proxyService === undefined) return;
    this.#discovery = openDiscovery({ name: 'proxies', weight: 1, sources: [parseSource(proxyService)] }, { logger });
  }

  get proxies(): number {
    return this.#proxies;
  }

  /** Rejects with a ConfigurationError where there are no credentials to ask with. */
  async start(): Promise<void> {
    if (this.#discovery === undefined) return;
    // One that starts is not in the list yet; it counts itself.
    await watchReadyCount(this.#discovery, (ready) => {
      this.#proxies = Math.max(1, ready);
    });
  }

  async stop(): Promise<void> {
    await this.#discovery?.stop();
  }
}
