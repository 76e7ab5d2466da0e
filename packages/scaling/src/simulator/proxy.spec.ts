import { describe, expect, it } from 'vitest';
import { Pod } from './pod.ts';
import { SimulatedProxy } from './proxy.ts';

function pods(...inFlight: number[]): Pod[] {
  return inFlight.map((count, id) => {
    const pod = new Pod({ id, createdAt: 0, rates: Float64Array.of(0, 1), slowdown: 1, proxies: 2 });
    pod.inFlight[1] = count;
    return pod;
  });
}

function picks(spread: 'round-robin' | 'least-request', group: readonly Pod[], times: number): (number | undefined)[] {
  const proxy = new SimulatedProxy({ index: 1, spread, cap: 3, objectiveMs: 2_000 });
  return Array.from({ length: times }, () => {
    const pod = proxy.pick(group);
    if (pod !== undefined) pod.inFlight[1]! += 1;
    return pod?.id;
  });
}

describe('a proxy', () => {
  it('goes round among those that are below their cap', () => {
    expect(picks('round-robin', pods(0, 3, 1), 6)).toEqual([0, 2, 0, 2, 0, undefined]);
  });

  it('takes the one with the least to do, equals in turn', () => {
    expect(picks('least-request', pods(1, 0, 0), 6)).toEqual([1, 2, 0, 1, 2, 0]);
  });

  it('goes on with the next where the last one has gone', () => {
    const proxy = new SimulatedProxy({ index: 1, spread: 'round-robin', cap: 3, objectiveMs: 2_000 });
    const group = pods(0, 0, 0);
    expect([proxy.pick(group)?.id, proxy.pick(group)?.id]).toEqual([0, 1]);
    expect(proxy.pick([group[0]!, group[2]!])?.id).toBe(2);
    expect(proxy.pick([])).toBeUndefined();
  });
});
