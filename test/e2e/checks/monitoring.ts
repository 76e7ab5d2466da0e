/** Is a release measured? Its own Prometheus, asked while all is well: every process a target, every rule computed, no alert. */
import { expect, it } from 'vitest';
import { cluster } from '../support/cluster.ts';
import { PrometheusApi } from '../support/prometheus-api.ts';
import { HOVER, question } from '../support/question.ts';
import type { Release } from '../support/release.ts';
import { waitFor } from '../support/wait-for.ts';

export function checkMonitoring(release: () => Release): void {
  it('scrapes every process of the release, once', async () => {
    const prometheus = new PrometheusApi(release());
    const pods = await cluster().pods(release().namespace);
    const processes = pods
      .filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] !== 'prometheus')
      .map(({ metadata }) => metadata.name);
    const targets = await waitFor(
      'every target is up',
      async () => {
        const all = await prometheus.targets();
        return all.length > 0 && all.every(({ health }) => health === 'up') && all;
      },
      { namespace: release().namespace },
    );
    expect(targets.map(({ labels }) => labels.pod).sort()).toEqual(processes.sort());
    expect(new Set(targets.map(({ labels }) => labels.namespace))).toEqual(new Set([release().namespace]));
  });

  it('has the metrics that the autoscaler and the alerts stand on', async () => {
    const prometheus = new PrometheusApi(release());
    await waitFor(
      'one autoscaler leads',
      async () => (await prometheus.value('sum(ragscale_autoscaler_leader)')) === 1,
    );
    const able = 'min(ragscale_proxy_endpoints{state="healthy", route="batched"})';
    await waitFor('each proxy knows both pods', async () => (await prometheus.value(able)) === 2);
    expect(await prometheus.value('sum(ragscale_slots)')).toBe(32);
    expect(await prometheus.value('max(ragscale_autoscaler_metric_age_seconds)')).toBeLessThan(30);
  });

  it('lets the autoscaler see what it needs, as soon as its longest window is full', async () => {
    const wanted = { Ready: 'True', AbleToScale: 'True', ScalingActive: 'True' };
    const seen = async () => {
      const { status } = await cluster().latencyAutoscaler(release().namespace, 'ragscale-batched');
      const conditions = Object.fromEntries(status?.conditions?.map(({ type, status }) => [type, status]) ?? []);
      expect(conditions).toMatchObject(wanted);
      return true;
    };
    await waitFor('the autoscaler sees', seen, { namespace: release().namespace, everyMs: 2_000 });
  });

  it('computes every rule, and the share of bad answers from what was asked', async () => {
    const prometheus = new PrometheusApi(release());
    const url = await release().proxyUrl();
    const groups = await waitFor(
      'every rule was computed',
      async () => {
        // Rates need requests in between.
        expect((await question(url, HOVER)).status).toBe(200);
        const all = await prometheus.ruleGroups();
        return all.flatMap(({ rules }) => rules).every(({ health }) => health !== 'unknown') && all;
      },
      { namespace: release().namespace, everyMs: 2_000 },
    );
    expect(groups.map(({ name }) => name).sort()).toEqual([
      'ragscale.autoscaler',
      'ragscale.burn-rate',
      'ragscale.objective',
      'ragscale.serving',
    ]);
    const wrong = groups.flatMap(({ rules }) => rules).filter(({ health, lastError }) => health !== 'ok' || lastError);
    expect(wrong).toEqual([]);
    const bad = 'namespace_route:ragscale_bad:ratio_rate5m{route="batched"} >= 0';
    const share = await waitFor(
      'the share of bad answers is recorded',
      async () => {
        expect((await question(url, HOVER)).status).toBe(200);
        return (await prometheus.query(bad)).length === 1 && { bad: await prometheus.value(bad) };
      },
      { namespace: release().namespace, everyMs: 2_000 },
    );
    expect(share.bad).toBeLessThan(0.5);
  });

  it('alerts of nothing, not even soon, while all is well', async () => {
    const prometheus = new PrometheusApi(release());
    await waitFor(
      'no alert is pending',
      async () => {
        const alerts = await prometheus.alerts();
        if (alerts.length > 0) throw new Error(JSON.stringify(alerts));
        return true;
      },
      { namespace: release().namespace },
    );
    expect(await prometheus.query('count_over_time(ALERTS{alertstate="firing"}[1h])')).toEqual([]);
  });
}
