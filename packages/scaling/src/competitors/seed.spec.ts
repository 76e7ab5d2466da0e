import { describe, expect, it } from 'vitest';
import { observed } from '../../test/observations.ts';
import { SEED } from './seed.ts';

const POD = { slots: 1, peakRate: 2 };

/** Checks each 5 s under a rate that depends on the time. */
function checks(rateAt: (seconds: number) => number, start: number, count: number): number[] {
  const scaler = SEED.create(SEED.settings(POD), { min: 1, max: 100 })({ now: 0, replicas: start });
  let [replicas, arrivals] = [start, 0];
  return Array.from({ length: count }, (_, index) => {
    const now = index * 5_000;
    if (index > 0) arrivals += 5 * rateAt(now / 1000);
    replicas = scaler.decide(observed({ spec: replicas, arrivals }), now).replicas;
    return replicas;
  });
}

describe('the rule that came before', () => {
  it('has three from 29 requests a second on, and two below 25', () => {
    expect(checks(() => 29, 2, 3)).toEqual([2, 3, 3]);
    expect(checks(() => 28.9, 2, 3)).toEqual([2, 2, 2]);
    expect(checks(() => 25, 3, 3)).toEqual([3, 3, 3]);
    expect(checks(() => 24.9, 3, 3)).toEqual([3, 2, 2]);
    expect(checks(() => 500, 1, 4)).toEqual([2, 3, 3, 3]);
  });

  it('waits two minutes before it goes down, half a minute before it goes up again', () => {
    // Up at 5 s; from 10 s on little is asked.
    const down = checks((seconds) => (seconds <= 5 ? 40 : 0), 2, 40);
    expect(down.indexOf(2, 2)).toBe(25);
    const up = checks((seconds) => (seconds <= 5 ? 0 : 40), 3, 40);
    expect([up[1], up.indexOf(3, 1)]).toEqual([2, 7]);
  });
});
