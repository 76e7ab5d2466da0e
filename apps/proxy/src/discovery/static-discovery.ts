/** Where are the pods? Where the configuration says. */
import type { Discovery, FoundEndpoint } from './discovery.ts';
import { mergedEndpoints } from './found-endpoints.ts';

export class StaticDiscovery implements Discovery {
  readonly #found: readonly FoundEndpoint[];

  constructor(found: readonly FoundEndpoint[]) {
    this.#found = mergedEndpoints(found);
  }

  async start(onChange: (found: readonly FoundEndpoint[]) => void): Promise<void> {
    onChange(this.#found);
  }

  async stop(): Promise<void> {}
}
