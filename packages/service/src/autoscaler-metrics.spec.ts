import { describe, expect, it } from 'vitest';
import { AutoscalerMetrics, type TargetMeasures } from './autoscaler-metrics.ts';
import { METRICS, type MetricEntry } from './metric-catalogue.ts';

const target = { namespace: 'rag', name: 'pods' };
const measures: TargetMeasures = {
  replicas: { current: 2, ready: 1, desired: 3, recommended: 4 },
  terms: { spec: 2, load: 2.5 },
  estimates: { arrivalRate: 4.5, coldStartMs: undefined },
  route: 'batched',
  objectiveMs: 2_000,
  metricAgeMs: 1_500,
};

function all(metrics = new AutoscalerMetrics()): AutoscalerMetrics {
  metrics.observeLeader({ namespace: 'system', name: 'lease' }, () => true);
  metrics.measured(target, measures);
  metrics.decided(target, 'load');
  metrics.scaled(target, 'up');
  metrics.failed(target, 'FailedGetScale');
  metrics.roundEnded(30);
  return metrics;
}

const ours = (text: string) => text.split('\n').filter((line) => line.startsWith('ragscale_'));

describe('metrics of the autoscaler', () => {
  it('are those that the catalogue gives to it, with its labels, and the defaults of a process', async () => {
    const text = await all().render();
    const labels = new Map<string, readonly string[]>();
    for (const { name, kind, from, labels: own } of Object.values<MetricEntry>(METRICS)) {
      expect(text.includes(`# TYPE ${name} ${kind}\n`), name).toBe(from === 'autoscaler');
      labels.set(name, own);
    }
    for (const [, name = '', pairs = ''] of text.matchAll(/^(ragscale_\w+?)(?:_bucket|_sum|_count)?(?:\{(.*)\})? /gm)) {
      const found = [...pairs.matchAll(/(\w+)="/g)].map(([, label]) => label).filter((label) => label !== 'le');
      expect(found, name).toEqual(labels.get(name));
    }
    expect(text).toContain('# TYPE nodejs_eventloop_lag_seconds gauge');
  });

  it('show a target after a round, in seconds', async () => {
    const text = await all().render();
    for (const line of [
      'ragscale_autoscaler_replicas{namespace="rag",name="pods",kind="recommended"} 4',
      'ragscale_autoscaler_term{namespace="rag",name="pods",term="load"} 2.5',
      'ragscale_autoscaler_estimate{namespace="rag",name="pods",estimate="arrivalRate"} 4.5',
      'ragscale_autoscaler_objective_seconds{namespace="rag",name="pods",route="batched"} 2',
      'ragscale_autoscaler_metric_age_seconds{namespace="rag",name="pods"} 1.5',
      'ragscale_autoscaler_decisions_total{namespace="rag",name="pods",reason="load"} 1',
      'ragscale_autoscaler_scalings_total{namespace="rag",name="pods",direction="up"} 1',
      'ragscale_autoscaler_scalings_total{namespace="rag",name="pods",direction="down"} 0',
      'ragscale_autoscaler_problems_total{namespace="rag",name="pods",reason="FailedGetScale"} 1',
      'ragscale_autoscaler_leader{namespace="system",name="lease"} 1',
      'ragscale_autoscaler_round_duration_seconds_bucket{le="0.025"} 0',
      'ragscale_autoscaler_round_duration_seconds_bucket{le="0.05"} 1',
    ])
      expect(text).toContain(`${line}\n`);
    expect(text).not.toContain('coldStartMs');
  });

  it('show nothing that is not known any more', async () => {
    const metrics = all();
    metrics.measured(target, {
      ...measures,
      replicas: { current: 2 },
      terms: { spec: 2, wait: Number.NaN },
      metricAgeMs: undefined,
    });
    const gauges = ours(await metrics.render()).filter((line) => /_(replicas|term|metric_age_seconds)[{ ]/.test(line));
    expect(gauges).toEqual([
      'ragscale_autoscaler_replicas{namespace="rag",name="pods",kind="current"} 2',
      'ragscale_autoscaler_term{namespace="rag",name="pods",term="spec"} 2',
    ]);
  });

  it('show one route of a target, the one that it has now', async () => {
    const metrics = all();
    metrics.measured(target, { ...measures, route: 'baseline' });
    expect(ours(await metrics.render()).filter((line) => line.includes('objective_seconds'))).toEqual([
      'ragscale_autoscaler_objective_seconds{namespace="rag",name="pods",route="baseline"} 2',
    ]);
  });

  it('show nothing of a target that is gone, and all of the others', async () => {
    const metrics = all();
    metrics.measured({ namespace: 'other', name: 'pods' }, measures);
    const before = ours(await all().render()).length;
    metrics.forget(target);
    const text = await metrics.render();
    expect(text).not.toContain('namespace="rag"');
    expect(text).toContain('ragscale_autoscaler_term{namespace="other",name="pods",term="load"} 2.5');
    metrics.forget({ namespace: 'other', name: 'pods' });
    all(metrics);
    expect(ours(await metrics.render())).toHaveLength(before);
  });

  it('ask who leads when somebody reads', async () => {
    const metrics = new AutoscalerMetrics();
    let leads = false;
    metrics.observeLeader(target, () => leads);
    expect(await metrics.render()).toContain('ragscale_autoscaler_leader{namespace="rag",name="pods"} 0');
    leads = true;
    expect(await metrics.render()).toContain('ragscale_autoscaler_leader{namespace="rag",name="pods"} 1');
  });
});
