/**
 * One after the other, whatever they have to do: fair by count. Without caps it is unstable as soon as one pod is too slow for an
 * equal share (balancing.spec.ts).
 *
 * The round is a ring of ids. Weights below the largest pass turns over (turn-credits.ts): equal weights are the plain ring, and the
 * weights of a slow start may change with every pick. nginx's smooth weighted round robin and Envoy's schedule by deadlines deal out
 * anew when an endpoint comes or goes, and with it some get a second turn before others had their first.
 */
import type { EndpointView } from './endpoint-view.ts';
import type { Policy } from './policy.ts';
import { indexAfter } from './ring.ts';
import { TurnCredits } from './turn-credits.ts';

export class RoundRobin implements Policy {
  readonly #credits = new TurnCredits();
  #lastId: string | undefined;

  /** Takes O(n); whoever has the largest weight takes the turn offered, so one round always finds somebody. */
  pick<Endpoint extends EndpointView>(endpoints: readonly Endpoint[]): Endpoint | undefined {
    this.#credits.prune(endpoints);
    const largest = largestWeight(endpoints);
    const start = indexAfter(endpoints, this.#lastId);
    for (let step = 0; step < endpoints.length; step++) {
      const endpoint = endpoints[(start + step) % endpoints.length]!;
      if (!endpoint.available || !this.#credits.takesTurn(endpoint.id, endpoint.weight / largest)) continue;
      this.#lastId = endpoint.id;
      return endpoint;
    }
    return undefined;
  }
}

function largestWeight(endpoints: readonly EndpointView[]): number {
  let largest = 0;
  for (const { available, weight } of endpoints) if (available && weight > largest) largest = weight;
  return largest;
}
