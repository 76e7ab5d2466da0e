import { Histogram, Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { KeptHistogram } from './kept-histogram.ts';

const buckets = [0.1, 1, 2.5];

it("renders what prom-client's histogram would", async () => {
  const registry = new Registry();
  const theirs = new Histogram({
    name: 'a_seconds',
    help: 'a',
    labelNames: ['x', 'y'],
    buckets,
    registers: [registry],
  });
  const ours = new KeptHistogram({ name: 'a_seconds', help: 'a', buckets });
  for (const x of ['1', 'with "quotes"\\\n']) {
    const series = ours.series({ x, y: '2' });
    for (const value of [0, 0.1, 0.11, 1, 2, 2.5, 2.6, 1e6]) {
      series.observe(value);
      theirs.observe({ x, y: '2' }, value);
    }
  }
  expect(ours.render()).toBe(await registry.metrics());
});

it('has its series from the beginning, at 0', () => {
  const histogram = new KeptHistogram({ name: 'a_seconds', help: 'a', buckets });
  histogram.series({ x: '1' });
  expect(histogram.render()).toContain('a_seconds_bucket{le="+Inf",x="1"} 0\na_seconds_sum{x="1"} 0\n');
});

it.each([Number.NaN, Number.POSITIVE_INFINITY])('refuses %d, which would spoil the sum for good', (value) => {
  const series = new KeptHistogram({ name: 'a_seconds', help: 'a', buckets }).series({});
  expect(() => series.observe(value)).toThrow(RangeError);
});
