import { describe, expect, it } from 'vitest';
import { seededRandom } from '../simulator/random.ts';
import { type Arrivals, countsByInterval, meanRate } from './arrivals.ts';
import { diurnalArrivals, flashCrowdArrivals, modulatedArrivals, poissonArrivals } from './poisson.ts';

const HOUR_MS = 3_600_000;
/** Variance by mean of the counts in intervals: 1 for Poisson. */
function dispersion(load: Arrivals, intervalMs: number): number {
  const counts = countsByInterval(load, intervalMs);
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length / mean;
}
const rateIn = (load: Arrivals, fromMs: number, toMs: number) =>
  (load.timesMs.filter((at) => at >= fromMs && at < toMs).length * 1000) / (toMs - fromMs);

describe('arrivals', () => {
  it('ascend, are the same for a seed, and end with the load', () => {
    const loads = [
      poissonArrivals({ rate: 3, durationMs: HOUR_MS }, seededRandom(2)),
      modulatedArrivals(
        {
          phases: [
            { rate: 9, meanMs: 60_000 },
            { rate: 0, meanMs: 9_000 },
          ],
          durationMs: HOUR_MS,
        },
        seededRandom(2),
      ),
    ];
    for (const { timesMs } of loads) {
      expect(timesMs.toSorted()).toEqual(timesMs);
      expect(timesMs.at(-1)).toBeLessThan(HOUR_MS);
    }
    expect(poissonArrivals({ rate: 3, durationMs: HOUR_MS }, seededRandom(2))).toEqual(loads[0]);
    expect(poissonArrivals({ rate: 0, durationMs: HOUR_MS }, seededRandom(2)).timesMs).toHaveLength(0);
  });

  it('of Poisson vary as their number says', () => {
    const load = poissonArrivals({ rate: 20, durationMs: 10 * HOUR_MS }, seededRandom(3));
    expect(meanRate(load)).toBeCloseTo(20, 0);
    expect(dispersion(load, 10_000)).toBeCloseTo(1, 1);
  });

  it('that are modulated have the rates of their phases, and bursts', () => {
    const phases = [
      { rate: 2, meanMs: 60_000 },
      { rate: 20, meanMs: 20_000 },
    ];
    const load = modulatedArrivals({ phases, durationMs: 50 * HOUR_MS }, seededRandom(3));
    expect(meanRate(load) / 6.5).toBeCloseTo(1, 1);
    expect(dispersion(load, 10_000)).toBeGreaterThan(20);
  });

  it('of a day are few at night and many at noon', () => {
    const load = diurnalArrivals(
      { meanRate: 10, swing: 0.8, dayMs: 24 * HOUR_MS, noise: 0.1, noiseMs: 60_000, durationMs: 24 * HOUR_MS },
      seededRandom(4),
    );
    expect(meanRate(load)).toBeCloseTo(10, 0);
    expect(rateIn(load, 0, HOUR_MS)).toBeCloseTo(2, 0);
    expect(rateIn(load, 11.5 * HOUR_MS, 12.5 * HOUR_MS)).toBeCloseTo(18, 0);
  });

  it('of a crowd rise, stay and fade', () => {
    const load = flashCrowdArrivals(
      {
        baseRate: 10,
        peakRate: 50,
        startMs: HOUR_MS,
        rampMs: 60_000,
        holdMs: HOUR_MS,
        halfLifeMs: HOUR_MS,
        durationMs: 5 * HOUR_MS,
      },
      seededRandom(5),
    );
    const afterHours = (hours: number) => rateIn(load, hours * HOUR_MS, hours * HOUR_MS + 300_000);
    expect(afterHours(0.5)).toBeCloseTo(10, -1);
    expect(afterHours(1.5)).toBeCloseTo(50, -1);
    expect(afterHours(3.02)).toBeCloseTo(30, -1);
    expect(rateIn(load, HOUR_MS, HOUR_MS + 60_000)).toBeCloseTo(30, -1);
  });
});
