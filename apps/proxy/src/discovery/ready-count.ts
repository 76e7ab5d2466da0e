/** How many endpoints are ready? Of the proxies' own Service: how many share the pods. */
import type { Discovery, FoundEndpoint } from './discovery.ts';

export function readyCount(found: readonly FoundEndpoint[]): number {
  return found.filter(({ condition }) => condition === 'ready').length;
}

/** Calls `onCount` with the first count and whenever it changes, until the discovery is stopped. Resolves after the first. */
export function watchReadyCount(discovery: Discovery, onCount: (count: number) => void): Promise<void> {
  let last: number | undefined;
  return discovery.start((found) => {
    const count = readyCount(found);
    if (count === last) return;
    last = count;
    onCount(count);
  });
}
