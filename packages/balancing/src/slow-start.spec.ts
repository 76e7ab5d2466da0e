import { describe, expect, it } from 'vitest';
import { slowStartFactor } from './slow-start.ts';

describe('slow start', () => {
  it.each([
    ['at first', 0, 0.1],
    ['in the first tenth', 3_000, 0.1],
    ['then linearly', 15_000, 0.5],
    ['to the end of the window', 30_000, 1],
    ['and after it', 90_000, 1],
    ['of one that will be able later', -5_000, 0.1],
  ])('%s, after %i ms: %f', (_, afterMs, factor) => {
    expect(slowStartFactor(1_000, 1_000 + afterMs, 30_000)).toBeCloseTo(factor, 9);
  });

  it('is off with a window of 0', () => {
    expect(slowStartFactor(1_000, 1_000, 0)).toBe(1);
    expect(slowStartFactor(undefined, 1_000, 0)).toBe(1);
  });

  it('is the least for one that is not able', () => {
    expect(slowStartFactor(undefined, 1_000, 30_000)).toBe(0.1);
  });
});
