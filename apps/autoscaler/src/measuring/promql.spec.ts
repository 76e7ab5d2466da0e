import { METRICS, type MetricEntry } from '@ragscale/service/metric-catalogue';
import { describe, expect, it } from 'vitest';
import { QUERIES } from './promql.ts';

const TEXTS = {
  arrivals: QUERIES.arrivals(10_000),
  gauges: QUERIES.gauges(),
  sightings: QUERIES.sightings(),
  lostProxies: QUERIES.lostProxies(),
  scrapedTwice: QUERIES.scrapedTwice(),
  completionRate: QUERIES.completionRate(60_000),
  serviceSeconds: QUERIES.serviceSeconds(60_000),
  serviceQuantileSeconds: QUERIES.serviceQuantileSeconds(60_000),
  goodShare: QUERIES.goodShare(60_000, ['2', '2.0']),
  bounds: QUERIES.bounds(),
} satisfies Record<keyof typeof QUERIES, string>;

/** By name, with the parts of histograms. */
const SERIES: ReadonlyMap<string, MetricEntry> = new Map(
  Object.values<MetricEntry>(METRICS).flatMap((entry) =>
    entry.kind === 'histogram'
      ? ['bucket', 'count', 'sum'].map((part) => [`${entry.name}_${part}`, entry] as const)
      : [[entry.name, entry] as const],
  ),
);
/** What Prometheus and service discovery set, and what a query sets itself. */
const OTHER_LABELS = ['namespace', 'pod', 'job', 'instance', '__name__', 'le', 'of'];
const WORDS = [
  ...['sum', 'min', 'max', 'count', 'by', 'on', 'and', 'or', 'offset', 'group_left', 'rate', 'time', 'timestamp', 'up'],
  ...['count_over_time', 'last_over_time', 'histogram_quantile', 'label_replace', 's', 'm', 'h', 'ms'],
];

describe.each(Object.entries(TEXTS))('the query for %s', (_, query) => {
  it('only asks for metrics of the catalogue', () => {
    const names = query.match(/ragscale_[a-z_]+/g) ?? [];
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect([...SERIES.keys()], name).toContain(name);
  });

  it('only uses labels that its metrics have', () => {
    const entries = (query.match(/ragscale_[a-z_]+/g) ?? []).map((name) => SERIES.get(name)!);
    const labels = new Set([...entries.flatMap(({ labels }) => labels), ...OTHER_LABELS]);
    const words = query.replaceAll(/"[^"]*"/g, '').match(/[a-z_]+/g) ?? [];
    const others = words.filter((word) => !SERIES.has(word) && !WORDS.includes(word));
    for (const word of others) expect([...labels], word).toContain(word);
  });

  it('says by what it groups', () => {
    expect(query).toMatch(/\bby \(/);
  });
});

describe('a query', () => {
  it('has windows as Prometheus writes them', () => {
    expect(QUERIES.completionRate(60_000)).toContain('[60s]');
    expect(QUERIES.arrivals(10_000)).toContain('[2500ms] offset 7500ms');
  });

  it('takes bounds literally', () => {
    expect(QUERIES.goodShare(60_000, ['2.5', '1e+06'])).toContain('le=~"2\\\\.5|1e\\\\+06"');
  });
});
