import { describe, expect, it } from 'vitest';
import { MEASURED_CURVES, problemOfCurve, progressRates, throughputAt } from './service-curve.ts';

describe('a service curve', () => {
  it.each(Object.entries(MEASURED_CURVES))(
    '%s ascends, and more at once are never worse for all together',
    (_, curve) => {
      expect(problemOfCurve(curve)).toBeUndefined();
      const rates = progressRates(curve, 40);
      for (let running = 2; running <= 40; running++) {
        expect(rates[running]!).toBeLessThanOrEqual(rates[running - 1]!);
        expect(rates[running]! * running).toBeGreaterThanOrEqual(rates[running - 1]! * (running - 1) - 1e-9);
      }
    },
  );

  it('is straight between its points and flat beyond them', () => {
    const curve = [
      [1, 1],
      [3, 2],
    ] as const;
    expect([1, 2, 3, 9].map((running) => throughputAt(curve, running))).toEqual([1, 1.5, 2, 2]);
    expect([...progressRates(curve, 4)]).toEqual([0, 1, 0.75, 2 / 3, 0.5]);
  });

  it('says what is wrong with it', () => {
    expect(problemOfCurve([[2, 1]])).toMatch('begins with [1, 1]');
    expect(problemOfCurve([])).toMatch('begins with [1, 1]');
    expect(
      problemOfCurve([
        [1, 1],
        [2, 0.5],
      ]),
    ).toMatch('[1, 1] comes before [2, 0.5]');
  });
});
