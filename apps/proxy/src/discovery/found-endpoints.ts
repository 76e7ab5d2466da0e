/** Which list of endpoints is handed over? In the order of ids, each id once, and only when it differs from the one before. */
import type { FoundEndpoint } from './discovery.ts';

type Condition = FoundEndpoint['condition'];

/** The lower one wins where two sources disagree. A pod that ends never comes back, so that is newer than 'not-ready'. */
const RANK: Readonly<Record<Condition, number>> = { ready: 0, terminating: 1, 'not-ready': 2 };

/**
 * @param host a name, an IPv4 address, or an IPv6 address with or without its brackets
 */
export function foundEndpoint(
  host: string,
  port: number,
  more: Partial<Pick<FoundEndpoint, 'weight' | 'condition' | 'local'>> = {},
): FoundEndpoint {
  const id = `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
  return { id, origin: `http://${id}`, weight: 1, condition: 'ready', local: true, ...more };
}

/** Of an id that is there twice the one in the better condition wins, then the local one, then the first. */
export function mergedEndpoints(...lists: readonly (readonly FoundEndpoint[])[]): readonly FoundEndpoint[] {
  const byId = new Map<string, FoundEndpoint>();
  for (const endpoint of lists.flat()) {
    const other = byId.get(endpoint.id);
    if (!other || isBetter(endpoint, other)) byId.set(endpoint.id, endpoint);
  }
  return [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function isBetter(one: FoundEndpoint, other: FoundEndpoint): boolean {
  if (one.condition !== other.condition) return RANK[one.condition] < RANK[other.condition];
  return one.local && !other.local;
}

export function sameEndpoints(some: readonly FoundEndpoint[], others: readonly FoundEndpoint[]): boolean {
  return some.length === others.length && some.every((endpoint, i) => sameEndpoint(endpoint, others[i]));
}

function sameEndpoint(one: FoundEndpoint, other: FoundEndpoint | undefined): boolean {
  return (
    one.id === other?.id &&
    one.weight === other.weight &&
    one.condition === other.condition &&
    one.local === other.local
  );
}

/** Passes on the first list and every one that differs from the one before. */
export function whenChanged(
  onChange: (found: readonly FoundEndpoint[]) => void,
): (found: readonly FoundEndpoint[]) => void {
  let last: readonly FoundEndpoint[] | undefined;
  return (found) => {
    if (last && sameEndpoints(last, found)) return;
    last = found;
    onChange(found);
  };
}
