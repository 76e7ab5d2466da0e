/** Where are the pods of a route with several sources? Wherever one of them says. */
import type { Discovery, FoundEndpoint } from './discovery.ts';
import { mergedEndpoints, whenChanged } from './found-endpoints.ts';

/**
 * The first list is handed over when every source has given its own, or earlier when there is somebody in it: a source that cannot be
 * reached does not hold up the others, and nothing is called empty as long as somebody may still be found.
 */
export class CombinedDiscovery implements Discovery {
  readonly #sources: readonly Discovery[];
  #stopped = false;
  #settle: () => void = () => undefined;

  /** @param sources where two of them know an endpoint, the one that calls it ready wins, then the first */
  constructor(sources: readonly Discovery[]) {
    this.#sources = sources;
  }

  start(onChange: (found: readonly FoundEndpoint[]) => void): Promise<void> {
    const first = Promise.withResolvers<void>();
    this.#settle = first.resolve;
    const handOver = whenChanged(onChange);
    const lists: (readonly FoundEndpoint[] | undefined)[] = this.#sources.map(() => undefined);
    const update = () => {
      const found = mergedEndpoints(...lists.map((list) => list ?? []));
      if (this.#stopped || (found.length === 0 && lists.includes(undefined))) return;
      handOver(found);
      first.resolve();
    };
    for (const [i, source] of this.#sources.entries()) {
      source
        .start((found) => {
          lists[i] = found;
          update();
        })
        .catch(first.reject);
    }
    if (this.#sources.length === 0) update();
    return first.promise;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#sources.map((source) => source.stop()));
    this.#settle();
  }
}
