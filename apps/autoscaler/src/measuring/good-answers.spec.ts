import { durationBuckets } from '@ragscale/service/metric-catalogue';
import { describe, expect, it } from 'vitest';
import { boundFor, isCounted, isGood } from './good-answers.ts';

describe('which answers count', () => {
  it.each([
    ['200', true, true],
    ['429', true, false],
    ['500', true, false],
    ['502', true, false],
    ['504', true, false],
    ['499', false, false],
    ['400', false, false],
    ['404', false, false],
    ['2000', false, false],
    ['', false, false],
  ])('%s', (status, counted, good) => {
    expect([isCounted(status), isGood(status)]).toEqual([counted, good]);
  });
});

describe('the bound', () => {
  it.each([0.3, 0.7, 2, 1 / 3])('lies on the objective of %s s, where the proxy has the same one', (seconds) => {
    expect(boundFor(seconds * 1_000, durationBuckets(seconds))).toBeCloseTo(seconds, 12);
  });

  it('is the next lower one otherwise, in whatever order they come', () => {
    expect(boundFor(1_900, [10, 1, 2, 1.5])).toBe(1.5);
    expect(boundFor(500, [1, 2])).toBe(undefined);
    expect(boundFor(500, [])).toBe(undefined);
  });
});
