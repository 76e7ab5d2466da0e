import { describe, expect, it } from 'vitest';
import { Ejections } from './ejections.ts';

/** How long the next ones last. */
function lengths(ejections: Ejections, count: number): number[] {
  return Array.from({ length: count }, () => {
    ejections.eject(1_000);
    return ejections.until - 1_000;
  });
}

describe('ejections', () => {
  it('double up to the longest', () => {
    expect(lengths(new Ejections(5, 30), 5)).toEqual([5, 10, 20, 30, 30]);
  });

  it('are all as long as the longest where that is less than the first', () => {
    expect(lengths(new Ejections(5, 3), 2)).toEqual([3, 3]);
  });

  it('are shorter by a step for each base time spent healthy', () => {
    const ejections = new Ejections(5, 1_000);
    lengths(ejections, 4);
    ejections.forgive(14);
    expect(lengths(ejections, 1)).toEqual([20]);
    ejections.forgive(4);
    expect(lengths(ejections, 1)).toEqual([40]);
  });

  it('are forgiven as soon after many of the longest as after the first', () => {
    const ejections = new Ejections(5, 20);
    lengths(ejections, 50);
    ejections.forgive(10);
    expect(lengths(ejections, 1)).toEqual([5]);
  });
});
