import { describe, expect, it } from 'vitest';
import { pods } from '../test/pod.ts';
import { indexAfter } from './ring.ts';

describe('the place in the ring', () => {
  it.each([
    [undefined, 0],
    ['p00', 1],
    ['p01', 2],
    ['p03', 0],
    ['a', 0],
    ['z', 0],
  ])('after %s is %i', (id, index) => {
    expect(indexAfter(pods(4), id)).toBe(index);
  });

  it('after one that has gone is that of the next', () => {
    const left = pods(4).filter(({ id }) => id !== 'p01');
    expect(left[indexAfter(left, 'p01')]?.id).toBe('p02');
  });

  it('of nobody is 0', () => {
    expect(indexAfter([], 'p00')).toBe(0);
  });
});
