/**
 * The one with the least to do. The best of the policies where one proxy sees all requests; several that do not see each other's all
 * choose the same pod, and two choices herd less.
 */
import type { EndpointView } from './endpoint-view.ts';
import type { Policy } from './policy.ts';
import { indexAfter } from './ring.ts';

/**
 * Requests with the pod by its weight, the one to be sent included: else every idle pod would cost nothing, whatever its weight.
 * Envoy's least request divides in the same way (with its bias of 1); nginx's least_conn leaves the one to be sent out.
 */
export function requestsPerWeight({ inFlight, weight }: EndpointView): number {
  return (inFlight + 1) / weight;
}

export class LeastRequest implements Policy {
  #lastId: string | undefined;

  /** Takes O(n). Equals take turns: with a fixed first one, an idle group would wear out a single pod and leave the others' caches cold. */
  pick<Endpoint extends EndpointView>(endpoints: readonly Endpoint[]): Endpoint | undefined {
    const start = indexAfter(endpoints, this.#lastId);
    let best: Endpoint | undefined;
    let bestCost = Number.POSITIVE_INFINITY;
    for (let step = 0; step < endpoints.length; step++) {
      const endpoint = endpoints[(start + step) % endpoints.length]!;
      if (!endpoint.available) continue;
      const cost = requestsPerWeight(endpoint);
      if (best !== undefined && cost >= bestCost) continue;
      best = endpoint;
      bestCost = cost;
    }
    if (best !== undefined) this.#lastId = best.id;
    return best;
  }
}
