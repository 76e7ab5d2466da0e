/**
 * The better of two at random: nearly as good as the best of all (Mitzenmacher, The power of two choices in randomized load
 * balancing, 2001), and proxies that do not see each other's requests do not all run to the same pod.
 */
import type { EndpointView } from './endpoint-view.ts';
import { requestsPerWeight } from './least-request.ts';
import type { Policy } from './policy.ts';

export const twoChoices: Policy = {
  pick<Endpoint extends EndpointView>(endpoints: readonly Endpoint[], random: () => number): Endpoint | undefined {
    return betterOfTwo(endpoints, random, hasLess);
  },
};

function hasLess(one: EndpointView, other: EndpointView): boolean {
  return requestsPerWeight(one) < requestsPerWeight(other);
}

/**
 * Draws two that are available, each pair with the same probability, and keeps the first unless the second is better: of equals
 * each gets the same share. Takes O(n) and two draws, one where only one is available. To draw among all and go on to
 * the next available one would favour those that stand behind an unavailable one.
 */
export function betterOfTwo<Endpoint extends EndpointView>(
  endpoints: readonly Endpoint[],
  random: () => number,
  isBetter: (one: EndpointView, other: EndpointView) => boolean,
): Endpoint | undefined {
  let available = 0;
  for (const endpoint of endpoints) if (endpoint.available) available += 1;
  if (available === 0) return undefined;
  const drawn = Math.floor(random() * available);
  const first = nthAvailable(endpoints, drawn);
  if (available === 1) return first;
  const distance = 1 + Math.floor(random() * (available - 1));
  const second = nthAvailable(endpoints, (drawn + distance) % available);
  return isBetter(second, first) ? second : first;
}

function nthAvailable<Endpoint extends EndpointView>(endpoints: readonly Endpoint[], n: number): Endpoint {
  let index = 0;
  for (let left = n; left > 0 || !endpoints[index]!.available; index++) if (endpoints[index]!.available) left -= 1;
  return endpoints[index]!;
}
