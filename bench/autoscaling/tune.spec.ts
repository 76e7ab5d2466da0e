import { describe, expect, it } from 'vitest';
import { isBetter, together } from './tune.ts';

const score = (violationShare: number, replicaSeconds: number) => ({ violationShare, replicaSeconds });

describe('tuning', () => {
  it('takes the cheapest of those that fail few, else the one that fails the fewest', () => {
    expect(isBetter(score(0.004, 10), score(0.001, 11))).toBe(true);
    expect(isBetter(score(0.004, 11), score(0.001, 10))).toBe(false);
    expect(isBetter(score(0.005, 99), score(0.0051, 1))).toBe(true);
    expect(isBetter(score(0.02, 99), score(0.03, 1))).toBe(true);
    expect(isBetter(score(0.03, 1), score(0.02, 99))).toBe(false);
  });

  it('counts every request once, whichever load it belongs to', () => {
    const runs = [
      { requests: 100, violationShare: 0.5, replicaSeconds: 3 },
      { requests: 900, violationShare: 0, replicaSeconds: 4 },
    ];
    expect(together(runs)).toEqual(score(0.05, 7));
    expect(together([])).toEqual(score(0, 0));
  });
});
