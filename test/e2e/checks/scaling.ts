/** Do replicas follow the load: up before the objective is lost, down a window after it, to nothing and back, and only where they are ours? */
import { expect, it } from 'vitest';
import { allAnswered, goodShare } from '../support/account.ts';
import { cluster } from '../support/cluster.ts';
import { ANSWER_TOKENS, PERIOD_MS, quickAutoscaling, WINDOW_MS } from '../support/quick-autoscaling.ts';
import { BATCHED, type SystemUnderLoad } from '../support/system-under-load.ts';
import { waitFor } from '../support/wait-for.ts';

/** Two of them would do for the load before it doubles; twice that takes more. */
export const LEAST = 3;
const RATE = 6;
/** Of the chart's objective. */
const WITHIN_MS = 2_000;
const PERCENTILE = 95;

/** @param system as `quickAutoscaling` of LEAST makes it */
export function checkScaling(system: () => SystemUnderLoad): void {
  const until = (what: string, condition: () => Promise<boolean> | boolean) =>
    waitFor(what, condition, { namespace: system().namespace });

  it('adds pods when the load doubles, before the objective is lost, and takes them away a window after it has ended', async () => {
    await using load = system().load({ maxTokens: ANSWER_TOKENS });
    await using history = system().history();
    load.perSecond = RATE;
    await load.more(15 * RATE);
    const before = history.now.wanted;
    const doubledAt = Date.now();
    load.perSecond = 2 * RATE;
    await until('more pods are ready', () => history.now.ready > before);
    await load.more(12 * 2 * RATE);
    const account = await load.end();
    const endedAt = Date.now();
    expect(account).toEqual(allAnswered(account));
    const since = load.records.filter(({ dueAt }) => dueAt >= doubledAt);
    expect(goodShare(since, WITHIN_MS), `${history}`).toBeGreaterThanOrEqual(PERCENTILE / 100);

    await until('as few as may be', () => history.now.wanted === LEAST);
    const last = history.falls(doubledAt).at(-1);
    expect(last!.at - endedAt, `${history}`).toBeGreaterThanOrEqual(WINDOW_MS - PERIOD_MS);
    await system().settled('batched');
    const { status } = await cluster().latencyAutoscaler(system().namespace, BATCHED);
    expect(status).toMatchObject({ currentReplicas: LEAST, desiredReplicas: LEAST });
  });

  it('refuses a target that an HPA has, and takes it up when that is gone', async () => {
    const at = `/apis/autoscaling/v2/namespaces/${system().namespace}/horizontalpodautoscalers`;
    const cpu = { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } };
    await using history = system().history();
    await until('as few as may be', () => history.now.wanted === LEAST);
    const before = Date.now();
    await cluster().request('POST', at, {
      metadata: { name: 'rival' },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: BATCHED },
        ...{ minReplicas: 2, maxReplicas: 4, metrics: [{ type: 'Resource', resource: cpu }] },
      },
    });
    expect(await system().condition('AbleToScale', 'False', ['AmbiguousOwner'])).toContain('rival');
    // What it would do at once, if the target were its own.
    await system().annotateAutoscaler({ 'ragscale.dev/paused-replicas': `${LEAST + 1}` });
    const rounds = (await system().rounds()) + 3;
    await until('some rounds have passed', async () => (await system().rounds()) >= rounds);
    expect(history.wantedSince(before), `${history}`).toEqual([LEAST]);

    await cluster().request('DELETE', `${at}/rival`);
    await until('what was asked for', () => history.now.wanted === LEAST + 1);
    await system().condition('AbleToScale', 'True', ['ReadyForNewScale']);
    await system().annotateAutoscaler({ 'ragscale.dev/paused-replicas': null });
  });

  it('goes to no pods while nobody asks; the first request is held until there is one, and answered', async () => {
    const values = quickAutoscaling({ minReplicas: 0, spec: { idleAfter: '5s' } });
    await system().release.upgrade({ values });
    await until('no pod is left', async () => (await cluster().pods(system().namespace, 'batched')).length === 0);
    await using load = system().load({ maxTokens: ANSWER_TOKENS });
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

  it('brings other pods when all are taken away from those that ask, and all are answered', async () => {
    await using load = system().load({ maxTokens: ANSWER_TOKENS });
    load.perSecond = 2;
    await load.more(4);
    const before = await system().pods('batched');
    await system().kubectl('scale', 'deployment', BATCHED, '--replicas=0');
    await system().settled('batched', before);
    await load.more(10);
    const account = await load.end();
    expect(account).toEqual(allAnswered(account));
  });
}
