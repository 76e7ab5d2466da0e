/** Do both variants run beside each other, each reached by its name and scaled by itself? With what keeps nodes drained and pods spread. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingTools } from '../chart/tools.ts';
import { cluster, isReady, type KubernetesObject, noCluster, type Pod } from './support/cluster.ts';
import { createNamespace, removeNamespace } from './support/namespace.ts';
import { question } from './support/question.ts';
import { installRelease, type Release } from './support/release.ts';
import { waitFor } from './support/wait-for.ts';

const missing = noCluster ?? missingTools('helm4');
const VARIANTS = ['batched', 'baseline'] as const;

interface Budget extends KubernetesObject {
  readonly spec: { readonly unhealthyPodEvictionPolicy: string };
  readonly status: {
    readonly expectedPods: number;
    readonly currentHealthy: number;
    readonly disruptionsAllowed: number;
  };
}

interface SpreadPod extends Pod {
  readonly spec: Pod['spec'] & { readonly topologySpreadConstraints?: readonly { readonly topologyKey: string }[] };
}

describe.skipIf(missing)(`both variants${missing ? ` (${missing})` : ''}`, () => {
  let release: Release;
  let url: string;

  beforeAll(async () => {
    const values = { 'podDisruptionBudget.enabled': true, 'topologySpread.enabled': true };
    const files = ['ci/both-values.yaml'];
    release = await installRelease({ namespace: await createNamespace('variants'), files, values });
    url = await release.proxyUrl();
  });
  afterAll(async () => {
    await release?.close();
    if (release) await removeNamespace(release.namespace);
  });

  it.each(VARIANTS)('%s answers to its name, whole and streamed', async (variant) => {
    const headers = { 'x-ragscale-variant': variant };
    const whole = await question(url, undefined, { headers });
    expect([whole.status, whole.headers.get('x-ragscale-variant')]).toEqual([200, variant]);
    expect(whole.result).toMatch(/hummingbird/i);
    const streamed = await question(url, undefined, { headers, stream: true });
    expect([streamed.status, streamed.headers.get('x-ragscale-variant')]).toEqual([200, variant]);
    expect(streamed.text).toMatch(/^event: sources\n.*\nevent: done\ndata: .*\n\n$/s);
  });

  it('shares out the others by weight, nine of ten to batched', async () => {
    const counts = { batched: 0, baseline: 0 };
    for (let asked = 0; asked < 40; asked++) {
      const { status, headers } = await question(url);
      expect(status).toBe(200);
      counts[headers.get('x-ragscale-variant') as 'batched' | 'baseline']++;
    }
    expect(counts.batched + counts.baseline).toBe(40);
    // Each of the two proxies shares out what it gets, so that there may be one more or fewer of each.
    expect(counts.baseline).toBeGreaterThanOrEqual(2);
    expect(counts.baseline).toBeLessThanOrEqual(6);
  });

  it('knows no other name', async () => {
    const { status, text } = await question(url, undefined, { headers: { 'x-ragscale-variant': 'another' } });
    expect(status).toBe(400);
    expect(text).toMatch(/another|X-Ragscale-Variant/i);
  });

  it.each(VARIANTS)('%s is raised to its minimum by a LatencyAutoscaler of its own', async (variant) => {
    const name = `ragscale-${variant}`;
    const { spec, status } = await waitFor(
      `${name} has both pods ready`,
      async () => {
        const las = await cluster().latencyAutoscaler(release.namespace, name);
        return las.status?.readyReplicas === 2 && las;
      },
      { namespace: release.namespace },
    );
    expect(spec.scaleTargetRef.name).toBe(name);
    expect([status?.currentReplicas, status?.desiredReplicas]).toEqual([2, 2]);
    const { spec: target } = await cluster().deployment(release.namespace, name);
    expect(target.replicas).toBe(2);
  });

  it('lets one pod of each part go at a time', async () => {
    const at = `/apis/policy/v1/namespaces/${release.namespace}/poddisruptionbudgets`;
    const budgets = await waitFor(
      'every budget allows one',
      async () => {
        const all = await cluster().list<Budget>(at);
        return all.every(({ status }) => status?.disruptionsAllowed === 1) && all;
      },
      { namespace: release.namespace },
    );
    const told = budgets.map(({ metadata, spec, status }) => [
      metadata.name,
      spec.unhealthyPodEvictionPolicy,
      status.expectedPods,
      status.currentHealthy,
    ]);
    expect(told).toEqual(
      ['autoscaler', 'baseline', 'batched', 'proxy'].map((part) => [`ragscale-${part}`, 'AlwaysAllow', 2, 2]),
    );
  });

  it('spreads each part over zones and nodes', async () => {
    const pods = await cluster().list<SpreadPod>(`/api/v1/namespaces/${release.namespace}/pods`);
    const spread = pods.filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] !== 'prometheus');
    expect(spread.filter(isReady)).toHaveLength(8);
    const keys = ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'];
    for (const { metadata, spec } of spread)
      expect(
        spec.topologySpreadConstraints?.map(({ topologyKey }) => topologyKey),
        metadata.name,
      ).toEqual(keys);
    const nodes = await cluster().list('/api/v1/nodes');
    const used = new Set(spread.map(({ spec }) => spec.nodeName));
    expect(used.size).toBeGreaterThan(nodes.length > 1 ? 1 : 0);
  });
});
