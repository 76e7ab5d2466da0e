import { describe, expect, it } from 'vitest';
import { seededRandom } from '../simulator/random.ts';
import { countsByInterval, meanRate } from './arrivals.ts';
import { NAMED_LOADS } from './named-loads.ts';

const HOUR_MS = 3_600_000;

describe.each(Object.entries(NAMED_LOADS))('%s', (_, load) => {
  it('has the rate that was asked for, on average', () => {
    const durationMs = 24 * HOUR_MS;
    const made = load.arrivals({ rate: 5, durationMs }, seededRandom(1));
    expect(made.durationMs).toBe(durationMs);
    expect(meanRate(made) / 5).toBeCloseTo(1, 0);
    expect(Math.abs(meanRate(made) / 5 - 1)).toBeLessThan(0.1);
  });

  it('is the same for the same seed', () => {
    const parts = { rate: 5, durationMs: HOUR_MS };
    expect(load.arrivals(parts, seededRandom(2))).toEqual(load.arrivals(parts, seededRandom(2)));
  });
});

describe('shapes', () => {
  it('differ in their peaks', () => {
    const peakByMean = (name: keyof typeof NAMED_LOADS) => {
      const counts = countsByInterval(
        NAMED_LOADS[name].arrivals({ rate: 20, durationMs: HOUR_MS }, seededRandom(1)),
        60_000,
      );
      return (Math.max(...counts) * counts.length) / counts.reduce((sum, count) => sum + count, 0);
    };
    expect(peakByMean('poisson')).toBeLessThan(1.2);
    expect(peakByMean('day')).toBeGreaterThan(1.6);
    expect(peakByMean('crowd')).toBeGreaterThan(2);
    expect(peakByMean('bursts')).toBeGreaterThan(2);
  });
});
