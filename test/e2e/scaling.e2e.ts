/** Do replicas follow the load on a real cluster: up before the objective is lost, down a window after it, to nothing and back, and only ours? */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allAnswered, goodShare } from './support/account.ts';
import { cluster, noCluster } from './support/cluster.ts';
import { pacedPods, QUICK_AUTOSCALER, QUICK_PERIOD_MS } from './support/paced-pods.ts';
import { BATCHED, SystemUnderLoad } from './support/system-under-load.ts';
import { waitFor } from './support/wait-for.ts';

const WINDOW_SECONDS = 10;
/** A fifth of a second. */
const ANSWER_TOKENS = 8;
/** Of the chart's objective. */
const WITHIN_MS = 2_000;
const PERCENTILE = 95;
/** Of which two would do for the load before it doubles, and not for twice that. */
const LEAST = 3;
const RATE = 6;

const valuesWith = (autoscaling: object, spec: object = {}) => ({
  ...pacedPods({ tokenMs: 25, slots: 1 }),
  ...QUICK_AUTOSCALER,
  'proxy.replicas': 1,
  'autoscaler.replicas': 1,
  'variants.batched.autoscaling': {
    ...{ maxReplicas: 8, ...autoscaling },
    spec: { behavior: { scaleDown: { stabilizationWindowSeconds: WINDOW_SECONDS } }, ...spec },
  },
});

let system: SystemUnderLoad;

describe.skipIf(noCluster)(`replicas follow the load${noCluster ? ` (skipped: ${noCluster})` : ''}`, () => {
  beforeAll(async () => {
    system = await SystemUnderLoad.install('scaling', valuesWith({ minReplicas: LEAST }));
    await system.condition('ScalingActive', 'True', ['MetricsFound']);
  });
  afterAll(() => system?.[Symbol.asyncDispose]());

  it('the load doubles: more pods before the objective is lost, and fewer a window after it has ended', async () => {
    await using load = system.load({ maxTokens: ANSWER_TOKENS });
    await using history = system.history();
    load.perSecond = RATE;
    await load.more(20 * RATE);
    const { wanted: before } = history.now;
    const doubledAt = Date.now();
    load.perSecond = 2 * RATE;
    await waitFor('more pods are ready', () => history.now.ready > before, { namespace: system.namespace });
    await load.more(15 * 2 * RATE);
    const account = await load.end();
    const endedAt = Date.now();
    expect(account).toEqual(allAnswered(account));
    const since = load.records.filter(({ dueAt }) => dueAt >= doubledAt);
    expect(goodShare(since, WITHIN_MS), `${history}`).toBeGreaterThanOrEqual(PERCENTILE / 100);

    await waitFor('as few as before', () => history.now.wanted === LEAST, { namespace: system.namespace });
    const [first] = history.falls(doubledAt);
    expect(first!.at - endedAt, `${history}`).toBeGreaterThanOrEqual(WINDOW_SECONDS * 1_000 - QUICK_PERIOD_MS);
    await system.settled('batched');
    const { status } = await cluster().latencyAutoscaler(system.namespace, BATCHED);
    expect(status).toMatchObject({ currentReplicas: LEAST, desiredReplicas: LEAST });
  });

  it('an HPA of the same target is refused, and the target ours again when it is gone', async () => {
    const at = `/apis/autoscaling/v2/namespaces/${system.namespace}/horizontalpodautoscalers`;
    const cpu = { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } };
    await using history = system.history();
    await waitFor('only the minimum', () => history.now.wanted === LEAST, { namespace: system.namespace });
    const before = Date.now();
    await cluster().request('POST', at, {
      metadata: { name: 'rival' },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: BATCHED },
        ...{ minReplicas: 2, maxReplicas: 4, metrics: [{ type: 'Resource', resource: cpu }] },
      },
    });
    const message = await system.condition('AbleToScale', 'False', ['AmbiguousOwner']);
    expect(message).toContain('rival');
    // What it would do at once, if the target were its own.
    await system.annotateAutoscaler({ 'ragscale.dev/paused-replicas': `${LEAST + 1}` });
    const until = (await system.rounds()) + 3;
    const passed = async () => (await system.rounds()) >= until;
    await waitFor('some rounds have passed', passed, { namespace: system.namespace });
    expect(history.wantedSince(before), `${history}`).toEqual([LEAST]);

    await cluster().request('DELETE', `${at}/rival`);
    await waitFor('what was asked for', () => history.now.wanted === LEAST + 1, { namespace: system.namespace });
    await system.condition('AbleToScale', 'True', ['ReadyForNewScale']);
    await system.annotateAutoscaler({ 'ragscale.dev/paused-replicas': null });
  });

  it('nobody asks: no pods; the first request is held until there is one, and answered', async () => {
    await system.release.upgrade({ values: valuesWith({ minReplicas: 0 }, { idleAfter: '5s' }) });
    const none = async () => (await cluster().pods(system.namespace, 'batched')).length === 0;
    await waitFor('no pod is left', none, { namespace: system.namespace });
    await using load = system.load({ maxTokens: ANSWER_TOKENS });
    const first = load.ask();
    // Those that come while it waits, and while the first pod comes up, wait as well.
    load.perSecond = 2;
    const held = await first;
    await load.more(10);
    const account = await load.end();
    expect(account).toEqual(allAnswered(account));
    const [, waited] = /proxy-wait;dur=([\d.]+)/.exec(held.headers['server-timing'] ?? '') ?? [];
    // A pod has to be made; nothing that exists takes this long to be found.
    expect(Number(waited)).toBeGreaterThan(1_000);
  });

  it('all pods are taken away from those that ask: they wait until there are others, and all are answered', async () => {
    await using load = system.load({ maxTokens: ANSWER_TOKENS });
    load.perSecond = 2;
    await load.more(4);
    const before = await system.pods('batched');
    await system.kubectl('scale', 'deployment', BATCHED, '--replicas=0');
    await system.settled('batched', before);
    await load.more(10);
    const account = await load.end();
    expect(account).toEqual(allAnswered(account));
  });
});
