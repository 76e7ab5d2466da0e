import { describe, expect, it } from 'vitest';
import { METRICS, type MetricEntry, RETRY_REASONS } from './metric-catalogue.ts';
import { ProxyMetrics } from './proxy-metrics.ts';

function create(...routes: string[]): ProxyMetrics {
  const metrics = new ProxyMetrics({ objectiveSeconds: 2 });
  for (const route of routes) metrics.addRoute(route);
  return metrics;
}

describe('metrics of the proxy', () => {
  it('are those that the catalogue gives to the proxy, and the defaults of a process', async () => {
    const text = await create('default').render();
    for (const { name, kind, from } of Object.values<MetricEntry>(METRICS))
      expect(text.includes(`# TYPE ${name} ${kind}\n`), name).toBe(from === 'proxy');
    expect(text).toContain('# TYPE nodejs_eventloop_lag_seconds gauge');
  });

  it('are in the text format: one block for each, a line for each series', async () => {
    const metrics = create('a', 'b');
    metrics.requestEnded('a', 418, 1);
    const text = await metrics.render();
    const names = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
    expect(new Set(names).size).toBe(names.length);
    const lines = text.split('\n').filter((line) => line.startsWith('ragscale_'));
    for (const line of lines) expect(line).toMatch(/^[a-z_]+(\{([a-z_]+="[^"]*",?)+\})? [-+0-9.e]+$/);
    const series = lines.map((line) => line.replace(/ \S+$/, ''));
    expect(new Set(series).size).toBe(series.length);
    expect(text.endsWith('\n')).toBe(true);
  });

  it('carry the labels of the catalogue, in its order', async () => {
    const metrics = create('default');
    metrics.rejected('default', 'not_found');
    const labels = new Map(Object.values<MetricEntry>(METRICS).map((entry) => [entry.name, entry.labels]));
    const text = await metrics.render();
    for (const [, name = '', pairs = ''] of text.matchAll(/^(ragscale_\w+?)(?:_bucket|_sum|_count)?\{(.*)\} /gm)) {
      const found = [...pairs.matchAll(/(\w+)="/g)].map(([, label]) => label).filter((label) => label !== 'le');
      expect(found, name).toEqual(labels.get(name as MetricEntry['name']));
    }
  });

  it('start at zero for a route that is known, so that the first event is a rise', async () => {
    const text = await create('default').render();
    for (const line of [
      'ragscale_proxy_arrivals_total{route="default"} 0',
      'ragscale_proxy_requests_total{route="default",status="200"} 0',
      'ragscale_proxy_request_duration_seconds_count{route="default",status="200"} 0',
      'ragscale_proxy_upstream_duration_seconds_count{route="default"} 0',
      'ragscale_proxy_ejections_total{route="default"} 0',
      'ragscale_proxy_rejected_total{route="default",reason="queue_full"} 0',
      'ragscale_proxy_in_flight{route="default"} 0',
      'ragscale_proxy_endpoints{route="default",state="healthy"} 0',
      ...RETRY_REASONS.map((reason) => `ragscale_proxy_retries_total{route="default",reason="${reason}"} 0`),
    ])
      expect(text).toContain(`${line}\n`);
  });

  it('count every event once, however often they are read', async () => {
    const metrics = create('default');
    const events = (): void => {
      metrics.arrived('default');
      metrics.requestEnded('default', 200, 1500);
      metrics.requestEnded('default', 500, 10);
      metrics.upstreamEnded('default', 1400);
      metrics.retried('default', 'busy');
      metrics.ejected('default');
      metrics.rejected('default', 'queue_full');
    };
    events();
    await metrics.render();
    expect(await metrics.render()).toContain('ragscale_proxy_arrivals_total{route="default"} 1\n');
    events();
    const text = await metrics.render();
    for (const line of [
      'ragscale_proxy_arrivals_total{route="default"} 2',
      'ragscale_proxy_requests_total{route="default",status="200"} 2',
      'ragscale_proxy_requests_total{route="default",status="500"} 2',
      'ragscale_proxy_request_duration_seconds_bucket{le="1",route="default",status="200"} 0',
      'ragscale_proxy_request_duration_seconds_bucket{le="1.5",route="default",status="200"} 2',
      'ragscale_proxy_request_duration_seconds_sum{route="default",status="200"} 3',
      'ragscale_proxy_upstream_duration_seconds_sum{route="default"} 2.8',
      'ragscale_proxy_retries_total{route="default",reason="busy"} 2',
      'ragscale_proxy_retries_total{route="default",reason="hedge"} 0',
      'ragscale_proxy_ejections_total{route="default"} 2',
      'ragscale_proxy_rejected_total{route="default",reason="queue_full"} 2',
    ])
      expect(text).toContain(`${line}\n`);
  });

  it('begin a route that nobody added with its first event', async () => {
    const metrics = create();
    metrics.arrived('late');
    expect(await metrics.render()).toContain('ragscale_proxy_arrivals_total{route="late"} 1\n');
  });

  it('ask for the gauges when somebody reads, once for all of them', async () => {
    const metrics = create('default', 'other');
    let asked = 0;
    metrics.observe('default', () => {
      asked += 1;
      return { inFlight: 3 * asked, waiting: asked, endpoints: { healthy: 2, ejected: asked === 1 ? 1 : 0 } };
    });
    const first = await metrics.render();
    expect(first).toContain('ragscale_proxy_in_flight{route="default"} 3\n');
    expect(first).toContain('ragscale_proxy_in_flight{route="other"} 0\n');
    expect(first).toContain('ragscale_proxy_endpoints{route="default",state="ejected"} 1\n');
    const second = await metrics.render();
    expect(second).toContain('ragscale_proxy_waiting{route="default"} 2\n');
    expect(second).toContain('ragscale_proxy_endpoints{route="default",state="ejected"} 0\n');
    expect(second).toContain('ragscale_proxy_endpoints{route="default",state="draining"} 0\n');
    expect(asked).toBe(2);
  });
});
