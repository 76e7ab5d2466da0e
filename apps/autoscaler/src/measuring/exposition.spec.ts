import { ProxyMetrics } from '@ragscale/service/proxy-metrics';
import { describe, expect, it } from 'vitest';
import { ExpositionError, parseExposition } from './exposition.ts';

const parse = (text: string) => parseExposition(text, new Set(['a_total']));

describe('the text format', () => {
  it('has names, labels and values', () => {
    const text = '# HELP a_total all\n# TYPE a_total counter\na_total{x="1",y=""} 2.5\na_total 3e+06\nb 1\n\n';
    expect(parse(text)).toEqual([
      { name: 'a_total', labels: { x: '1', y: '' }, value: 2.5 },
      { name: 'a_total', labels: {}, value: 3e6 },
    ]);
  });

  it('has values that are no numbers', () => {
    expect(parse('a_total NaN\na_total Nan\na_total +Inf\na_total -Inf').map(({ value }) => value)).toEqual([
      Number.NaN,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    ]);
  });

  it.each([
    '1a 2',
    'a_total',
    'a_total two',
    'a_total  1',
    'a_total 0x10',
    'a_total{x=1} 2',
    'a_total{x="1} 2',
    'a_total{x="1" y="2"} 2',
    'a_total{x="\\q"} 2',
    'a_total{,} 2',
    'a_total 1 1700000000',
  ])('is refused where it is something else: %s', (line) => {
    expect(() => parse(`a_total 1\n${line}\n`)).toThrow(new ExpositionError('line 2 of 3 is no sample'));
  });

  it('is what our proxy writes, whatever its routes are called', async () => {
    const metrics = new ProxyMetrics({ objectiveSeconds: 2 });
    const route = 'a "quoted\\one"\n, }{';
    metrics.arrived(route);
    const text = await metrics.render();
    const samples = parseExposition(text, new Set(['ragscale_proxy_arrivals_total', 'process_cpu_seconds_total']));
    expect(samples.find(({ labels }) => 'route' in labels)).toEqual({
      name: 'ragscale_proxy_arrivals_total',
      labels: { route },
      value: 1,
    });
    expect(samples.length).toBe(2);
  });
});
