import { describe, expect, it } from 'vitest';
import { erlangC } from './erlang.ts';

describe('the share that has to wait', () => {
  // Tables of Erlang C; the first three by hand: M/M/1 is its load, M/M/2 is a^2 / (2 + a).
  it.each([
    [1, 0.5, 0.5],
    [1, 0.9, 0.9],
    [2, 1, 1 / 3],
    [3, 2, 4 / 9],
    [10, 8, 0.40918],
    [100, 90, 0.217],
  ])('%d servers, %d Erlang: %d', (servers, offered, share) => {
    expect(erlangC(servers, offered)).toBeCloseTo(share, 3);
  });

  it('is stable with thousands of servers', () => {
    const share = erlangC(5_000, 4_950);
    // Halfin and Whitt (1981): 1 / (1 + b * Phi(b) / phi(b)), b = (1 - load) * sqrt(servers) = 0.7071
    expect(share).toBeCloseTo(0.3663, 2);
    expect(erlangC(100_000, 10)).toBe(0);
    expect(erlangC(20_000, 19_999)).toBeGreaterThan(0.98);
  });

  it('is all where the servers cannot keep up, and none without load', () => {
    expect(erlangC(4, 4)).toBe(1);
    expect(erlangC(4, 5)).toBe(1);
    expect(erlangC(0, 1)).toBe(1);
    expect(erlangC(4, 0)).toBe(0);
  });
});
