/** Where a round of turns goes on, among endpoints that come and go. */
import type { EndpointView } from './endpoint-view.ts';

/**
 * The index of the first endpoint whose id comes after `id`, 0 where none does. By id rather than by index, so that a list that has
 * grown or shrunk gives nobody a second turn in a round and costs nobody the first.
 * @param endpoints in the order of their ids
 */
export function indexAfter(endpoints: readonly EndpointView[], id: string | undefined): number {
  if (id === undefined) return 0;
  let low = 0;
  let high = endpoints.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (endpoints[middle]!.id > id) high = middle;
    else low = middle + 1;
  }
  return low === endpoints.length ? 0 : low;
}
