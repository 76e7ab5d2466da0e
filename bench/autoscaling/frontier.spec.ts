import { describe, expect, it } from 'vitest';
import { costAtEqualViolations } from './frontier.ts';

const points = [
  { violations: 0.01, cost: 100 },
  { violations: 0.0001, cost: 200 },
  { violations: 0.001, cost: 140 },
];

describe('cost at equal violations', () => {
  it('lies between the neighbours, by the logarithm of the violations', () => {
    expect(costAtEqualViolations(points, 0.01)).toEqual({ cost: 100, beyond: undefined });
    expect(costAtEqualViolations(points, Math.sqrt(0.01 * 0.001)).cost).toBeCloseTo(120, 9);
    expect(costAtEqualViolations(points, 0.0001).cost).toBe(200);
  });

  it('is that of the nearest where nothing fails as many or as few', () => {
    expect(costAtEqualViolations(points, 0.5)).toEqual({ cost: 100, beyond: 'more careless' });
    expect(costAtEqualViolations(points, 0)).toEqual({ cost: 200, beyond: 'more careful' });
  });

  it('does not pass by what costs more and fails more', () => {
    const silly = [...points, { violations: 0.005, cost: 180 }];
    expect(costAtEqualViolations(silly, 0.005)).toEqual(costAtEqualViolations(points, 0.005));
  });
});
