import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationBuckets, METRICS, type MetricEntry } from './metric-catalogue.ts';

describe('buckets', () => {
  it('has a bound exactly on the objective, and bounds that ascend, whatever the objective', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 600, noNaN: true }), (objective) => {
        const buckets = durationBuckets(objective);
        expect(buckets).toContain(objective);
        expect(buckets).toEqual([...new Set(buckets)].sort((a, b) => a - b));
      }),
    );
  });

  it('gives bounds that print well', () => {
    expect(
      durationBuckets(0.3)
        .map(String)
        .every((bound) => bound.length <= 8),
    ).toBe(true);
    expect(durationBuckets(2)).toEqual([
      0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 1.5, 2, 2.5, 3, 4, 6, 10, 20, 60,
    ]);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses an objective of %d', (objective) => {
    expect(() => durationBuckets(objective)).toThrow(RangeError);
  });
});

describe('the catalogue of metrics', () => {
  const entries = Object.values<MetricEntry>(METRICS);

  it('names each metric once, in base units and by the conventions of Prometheus', () => {
    expect(new Set(entries.map((entry) => entry.name)).size).toBe(entries.length);
    for (const { name, kind, buckets } of entries) {
      expect(name).toMatch(/^ragscale_[a-z_]+$/);
      expect(name.endsWith('_total'), name).toBe(kind === 'counter');
      expect(buckets !== undefined, name).toBe(kind === 'histogram');
      if (buckets === 'duration') expect(name).toMatch(/_seconds$/);
    }
  });

  it('labels pods by variant, the proxy by route, the autoscaler by its target, unless it is about the process', () => {
    const label = { pod: 'variant', proxy: 'route', autoscaler: 'namespace' };
    for (const { name, labels, from, ofProcess = false } of entries)
      expect(labels.includes(label[from]), name).toBe(!ofProcess);
  });
});
