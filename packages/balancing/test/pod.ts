/** A pod as a policy sees it, and draws that are the same in each run. */
import type { EndpointView } from '../src/endpoint-view.ts';

export function pod(id: string, facts: Partial<EndpointView> = {}): EndpointView {
  return { id, available: true, inFlight: 0, weight: 1, latencyMs: undefined, ...facts };
}

/** Equal pods with the ids p00, p01 and so on. */
export function pods(count: number, facts: Partial<EndpointView> = {}): EndpointView[] {
  return Array.from({ length: count }, (_, i) => pod(`p${String(i).padStart(2, '0')}`, facts));
}

/** mulberry32 (Tommy Ettinger, public domain): draws from [0, 1). */
export function drawsFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
