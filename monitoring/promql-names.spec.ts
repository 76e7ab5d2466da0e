import { describe, expect, it } from 'vitest';
import { unknownNames } from './known-names.ts';
import { namesIn } from './promql-names.ts';

describe('the names in a query', () => {
  it('are told apart: metrics, matchers, labels of a grouping, and the rest', () => {
    const query =
      'sum by (le, route) (rate(ragscale_a_bucket{route=~"x|{y}", le!="2"}[5m])) / on (route) ragscale_b offset 1m > 0.5';
    expect(namesIn(query)).toEqual({
      series: [
        {
          metric: 'ragscale_a_bucket',
          matchers: [
            { label: 'route', operator: '=~', value: 'x|{y}' },
            { label: 'le', operator: '!=', value: '2' },
          ],
        },
        { metric: 'ragscale_b', matchers: [] },
      ],
      groupLabels: ['le', 'route', 'route'],
      words: ['sum', 'rate'],
    });
  });
});

describe('what nobody exposes', () => {
  const recorded = { 'level:ragscale_x:rate5m': ['route'] };

  it.each([
    ['rate(ragscale_proxy_arrivals[5m])', 'no metric ragscale_proxy_arrivals'],
    ['ragscale_proxy_waiting{variant="x"}', 'no label variant of ragscale_proxy_waiting'],
    ['ragscale_proxy_waiting{le="2"}', 'no label le of ragscale_proxy_waiting'],
    ['ragscale_proxy_endpoints{state="able"}', 'no state able of ragscale_proxy_endpoints'],
    [
      'ragscale_autoscaler_decisions_total{reason=~"stale|old"}',
      'no reason old of ragscale_autoscaler_decisions_total',
    ],
    ['level:ragscale_x:rate1h', 'no metric level:ragscale_x:rate1h'],
    ['up', 'what is up?'],
  ])('is found: %s', (query, complaint) => {
    expect(unknownNames(query, recorded)).toEqual([complaint]);
  });

  it('is found in a grouping', () => {
    expect(unknownNames('sum by (variant) (ragscale_proxy_waiting)')).toHaveLength(1);
  });

  it('is not what is there', () => {
    const query =
      'sum by (route, pod) (ragscale_proxy_endpoints{state="healthy"}) > on (route) level:ragscale_x:rate5m';
    expect(unknownNames(query, recorded)).toEqual([]);
    expect(unknownNames('ragscale_request_duration_seconds_bucket{le="2", variant="batched"}')).toEqual([]);
  });
});
