/**
 * Which pod does a key belong to? The same one as long as it is available, so that what the pod has cached for the key is found again;
 * the next in the key's own ranking while it is not. There is no table to keep: every proxy finds the same pod.
 */
import type { EndpointView } from './endpoint-view.ts';

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * Rendezvous hashing (Thaler and Ravishankar, 1998) with weights (Schindelhauer and Schomaker, 2005; Resch, 2015): each endpoint draws
 * an exponential time whose rate is its weight from the hash of key and id, and the earliest wins. The shares of keys are those
 * of the weights, and a weight that changes moves keys only to or from its endpoint. Takes O(n + length of the ids).
 */
export function pickSticky<Endpoint extends EndpointView>(
  endpoints: readonly Endpoint[],
  key: string,
): Endpoint | undefined {
  const keyHash = hashOn(FNV_OFFSET, key);
  let best: Endpoint | undefined;
  let bestTime = Number.POSITIVE_INFINITY;
  for (const endpoint of endpoints) {
    if (!endpoint.available) continue;
    const time = -Math.log(unitOf(hashOn(keyHash, endpoint.id))) / endpoint.weight;
    if (best !== undefined && time >= bestTime) continue;
    best = endpoint;
    bestTime = time;
  }
  return best;
}

/**
 * FNV-1a (Fowler, Noll and Vo) over UTF-16 units, then the finalizer of MurmurHash3 (fmix32): FNV alone hardly changes the upper bits
 * with the last characters, and ids of pods often differ in nothing else.
 * @param state what was hashed before
 * @returns 32 bits, signed
 */
function hashOn(state: number, text: string): number {
  let hash = state;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** In the middle of its 2^-32, so never 0 or 1. */
function unitOf(hash: number): number {
  return ((hash >>> 0) + 0.5) / 2 ** 32;
}
