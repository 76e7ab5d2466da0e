/** What happens to requests and replicas while the autoscaler's leader, the API server or Prometheus is gone? Nothing; and then it goes on. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NOT_OWN, ownNode } from '../cluster/node/own-node.ts';
import { allAnswered } from './support/account.ts';
import { noCluster } from './support/cluster.ts';
import type { Load } from './support/load.ts';
import { pacedPods, QUICK_AUTOSCALER, QUICK_PERIOD_MS } from './support/paced-pods.ts';
import type { ReplicaHistory } from './support/replica-history.ts';
import { SystemUnderLoad } from './support/system-under-load.ts';
import { waitFor } from './support/wait-for.ts';

const WINDOW_MS = 15_000;
/** A fifth of a second. */
const ANSWER_TOKENS = 8;
const FROZEN_MS = 20_000;
const RATE = 10;
const MOST = 6;
const VALUES = {
  ...pacedPods({ tokenMs: 25, slots: 1 }),
  ...QUICK_AUTOSCALER,
  'proxy.replicas': 1,
  'variants.batched.autoscaling': {
    ...{ minReplicas: 1, maxReplicas: MOST },
    spec: { behavior: { scaleDown: { stabilizationWindowSeconds: WINDOW_MS / 1_000 } } },
  },
};
const own = noCluster === undefined ? ownNode() : undefined;

let system: SystemUnderLoad;
let load: Load;
let history: ReplicaHistory;

/** Resolves when whoever decides has followed a change that was made now. */
async function decidesAgain(): Promise<void> {
  const more = history.now.wanted + 1;
  await system.changeAutoscaler({ minReplicas: more, maxReplicas: more });
  await waitFor('one more', () => history.now.wanted === more, { namespace: system.namespace });
}

/** Seconds, as whoever decides tells it. */
const metricAge = () => system.autoscalerMetric(/^ragscale_autoscaler_metric_age_seconds/);

describe.skipIf(noCluster)(`outages under load${noCluster ? ` (skipped: ${noCluster})` : ''}`, () => {
  beforeAll(async () => {
    system = await SystemUnderLoad.install('outages', VALUES);
  });
  afterAll(() => system?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    await system.changeAutoscaler({ minReplicas: 1, maxReplicas: MOST });
    load = system.load({ maxTokens: ANSWER_TOKENS });
    history = system.history();
    load.perSecond = RATE;
    const isFresh = async () => (await metricAge()) < 6;
    await waitFor('whoever decides knows the load', isFresh, { namespace: system.namespace });
    const isEnough = () => history.now.ready >= 3 && history.now.wanted <= MOST;
    await waitFor('there are pods for the load', isEnough, { namespace: system.namespace });
    await system.settled('batched');
  });
  afterEach(async () => {
    await load[Symbol.asyncDispose]();
    await history[Symbol.asyncDispose]();
  });

  it("the autoscaler's leader is killed: the other one takes over and decides, and replicas never fall for it", async () => {
    const leader = (await system.leader()) as string;
    const killedAt = Date.now();
    if (own)
      for (const pid of await own.processesOf({ namespace: system.namespace, name: leader }))
        process.kill(pid, 'SIGKILL');
    else await system.kubectl('delete', 'pod', leader, '--force', '--grace-period=0');
    await waitFor('another one decides', async () => ![undefined, leader].includes(await system.leader()), {
      namespace: system.namespace,
    });
    await decidesAgain();
    expect(history.falls(killedAt), `${history}`).toEqual([]);
    const account = await load.end();
    expect(account).toEqual(allAnswered(account));
  });

  it.skipIf(own === undefined)(`the API server is started anew${own ? '' : ` (skipped: ${NOT_OWN})`}`, async () => {
    const since = Date.now();
    await own?.restartApiServer();
    await decidesAgain();
    expect(history.falls(since), `${history}`).toEqual([]);
    const account = await load.end();
    expect(account).toEqual(allAnswered(account));
  });

  it.skipIf(own === undefined)(
    `the API server answers nothing for ${FROZEN_MS / 1_000} s${own ? '' : ` (skipped: ${NOT_OWN})`}`,
    async () => {
      const since = Date.now();
      own?.freezeApiServer();
      try {
        await load.more((FROZEN_MS / 1_000) * RATE);
      } finally {
        own?.thawApiServer();
      }
      await decidesAgain();
      expect(history.falls(since), `${history}`).toEqual([]);
      const account = await load.end();
      expect(account).toEqual(allAnswered(account));
    },
  );

  it('Prometheus is deleted: the age of what is known is told, nothing is taken away before it was back for a window', async () => {
    const since = Date.now();
    await system.kubectl('scale', 'deployment', 'ragscale-prometheus', '--replicas=0');
    await system.condition('ScalingActive', 'False', ['MetricsMissing', 'MetricsStale']);
    const account = await load.end();
    expect(account).toEqual(allAnswered(account));
    // From here on one pod would do, if one knew.
    const isOld = async () => (await metricAge()) > WINDOW_MS / 1_000;
    await waitFor('the metrics are older than a window', isOld, { namespace: system.namespace });
    expect(history.falls(since), `${history}`).toEqual([]);

    await system.kubectl('scale', 'deployment', 'ragscale-prometheus', '--replicas=1');
    await system.settled('prometheus');
    await system.condition('ScalingActive', 'True', ['MetricsFound', 'MetricsIncomplete']);
    const knownAt = Date.now();
    await waitFor('one pod', () => history.now.wanted === 1, { namespace: system.namespace });
    expect(history.falls(since)[0]!.at - knownAt, `${history}`).toBeGreaterThanOrEqual(WINDOW_MS - QUICK_PERIOD_MS);
    const again = await load.ask();
    expect(again).toMatchObject({ outcome: 'answered' });
  });
});
