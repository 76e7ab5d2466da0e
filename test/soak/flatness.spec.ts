import { describe, expect, it } from 'vitest';
import { uniform } from '../../bench/lib/uniform.ts';
import { growthOf, type Point, slopeOf } from './flatness.ts';

const MB = 1e6;
const MEMORY = { share: 0.1, least: 8 * MB };
/** An hour, each five seconds. */
const series = (value: (share: number, i: number) => number): Point[] =>
  Array.from({ length: 720 }, (_, i) => ({ atMs: i * 5_000, value: value(i / 720, i) }));

describe('growth', () => {
  it('is none of what only warms up', () => {
    const growth = growthOf(
      series((share) => 100 * MB + 50 * MB * Math.min(1, 4 * share)),
      MEMORY,
    );
    expect(growth).toMatchObject({ grown: 0, isFlat: true, median: 150 * MB, allowed: 15 * MB });
  });

  it('is seen through the teeth of a garbage collector', () => {
    const teeth = (i: number) => 40 * MB * ((i % 50) / 50);
    const flat = growthOf(
      series((_, i) => 100 * MB + teeth(i)),
      MEMORY,
    );
    expect(flat?.isFlat).toBe(true);
    const leaking = growthOf(
      series((share, i) => 100 * MB + teeth(i) + 60 * MB * share),
      MEMORY,
    );
    expect(leaking?.isFlat).toBe(false);
    expect(leaking?.grown).toBeGreaterThan(20 * MB);
    expect(leaking?.grown).toBeLessThan(40 * MB);
  });

  it('is none of noise, nor of a spike, nor of a process that shrinks', () => {
    const random = uniform(1);
    expect(
      growthOf(
        series(() => 100 * MB + 30 * MB * random()),
        MEMORY,
      )?.isFlat,
    ).toBe(true);
    expect(
      growthOf(
        series((share) => (share > 0.9 && share < 0.95 ? 900 * MB : 100 * MB)),
        MEMORY,
      )?.isFlat,
    ).toBe(true);
    expect(
      growthOf(
        series((share) => 100 * MB - 50 * MB * share),
        MEMORY,
      )?.grown,
    ).toBeLessThan(0);
  });

  it('is seen of a few handles: one kept open each minute', () => {
    const handles = { share: 0.1, least: 8 };
    expect(
      growthOf(
        series((_, i) => 30 + Math.floor(i / 12)),
        handles,
      ),
    ).toMatchObject({ isFlat: false });
    expect(
      growthOf(
        series((_, i) => 30 + (i % 7)),
        handles,
      ),
    ).toMatchObject({ isFlat: true });
  });

  it('is none of a floor that goes up and down with the load', () => {
    const handles = { share: 0.1, least: 8 };
    const waves = (share: number) => 60 + 30 * Math.sin(share * 40);
    expect(growthOf(series(waves), handles)?.isFlat).toBe(true);
    expect(
      growthOf(
        series((share) => waves(share) + 400 * share),
        handles,
      )?.isFlat,
    ).toBe(false);
  });

  it('cannot be told of a few points', () => {
    expect(growthOf(series(() => 1).slice(0, 20), MEMORY)).toBeUndefined();
  });
});

describe('the slope', () => {
  it('is that of a line, though a quarter of its points are elsewhere', () => {
    const points = Array.from({ length: 12 }, (_, i) => ({ atMs: i * 10, value: i % 4 === 1 ? 1e9 : 5 * i }));
    expect(slopeOf(points)).toBeCloseTo(0.5, 1);
    expect(slopeOf([])).toBe(0);
  });
});
