/** What happens to requests and replicas while the autoscaler's leader, the API server or Prometheus is gone? Nothing; and then it goes on. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NOT_OWN, ownNode } from '../../cluster/node/own-node.ts';
import { allAnswered } from '../support/account.ts';
import { noCluster } from '../support/cluster.ts';
import type { Load } from '../support/load.ts';
import { ANSWER_TOKENS, WINDOW_MS } from '../support/quick-autoscaling.ts';
import type { ReplicaHistory } from '../support/replica-history.ts';
import type { SystemUnderLoad } from '../support/system-under-load.ts';
import { waitFor } from '../support/wait-for.ts';

const FROZEN_MS = 20_000;
/** Two pods are busy with it all the time. */
const RATE = 10;
/** With fewer the objective is lost. */
const NEEDED = 3;
const MOST = 6;

const own = noCluster === undefined ? ownNode() : undefined;
const onOwnOnly = own === undefined ? ` (skipped: ${NOT_OWN})` : '';

/** @param system as `quickAutoscaling` makes it. Helm may not upgrade it afterwards: limits are changed as kubectl does */
export function checkOutages(system: () => SystemUnderLoad): void {
  let load: Load;
  let history: ReplicaHistory;

  const until = (what: string, condition: () => Promise<boolean> | boolean) =>
    waitFor(what, condition, { namespace: system().namespace });

  /** Seconds, as whoever decides tells it. */
  const metricAge = () => system().autoscalerMetric(/^ragscale_autoscaler_metric_age_seconds/);

  /** Resolves when whoever decides has followed a change that is made now. */
  async function decidesAgain(): Promise<void> {
    const more = history.now.wanted + 1;
    await system().changeAutoscaler({ minReplicas: more, maxReplicas: more });
    await until('one more', () => history.now.wanted === more);
  }

  async function everyRequestIsAnswered(): Promise<void> {
    const account = await load.end();
    expect(account).toEqual(allAnswered(account));
  }

  describe('under a steady load', () => {
    beforeEach(async () => {
      await system().changeAutoscaler({ minReplicas: 1, maxReplicas: MOST });
      load = system().load({ maxTokens: ANSWER_TOKENS });
      history = system().history();
      load.perSecond = RATE;
      await until('whoever decides knows the load', async () => (await metricAge()) < WINDOW_MS / 1_000);
      await until('enough pods', () => history.now.ready >= NEEDED && history.now.wanted <= MOST);
      await system().settled('batched');
    });
    afterEach(async () => {
      await load[Symbol.asyncDispose]();
      await history[Symbol.asyncDispose]();
    });

    it('another autoscaler takes over and decides when the leader is killed, and nothing is taken away for it', async () => {
      const leader = (await system().leader()) as string;
      const since = Date.now();
      const pids = await own?.processesOf({ namespace: system().namespace, name: leader });
      if (pids === undefined) await system().kubectl('delete', 'pod', leader, '--force', '--grace-period=0');
      for (const pid of pids ?? []) process.kill(pid, 'SIGKILL');
      await until('another one decides', async () => ![undefined, leader].includes(await system().leader()));
      await decidesAgain();
      expect(history.falls(since), `${history}`).toEqual([]);
      await everyRequestIsAnswered();
    });

    it.skipIf(own === undefined)(`the API server is started anew${onOwnOnly}`, async () => {
      const since = Date.now();
      await own?.restartApiServer();
      await decidesAgain();
      expect(Math.min(...history.wantedSince(since)), `${history}`).toBeGreaterThanOrEqual(NEEDED);
      await everyRequestIsAnswered();
    });

    it.skipIf(own === undefined)(`the API server answers nothing for ${FROZEN_MS / 1_000} s${onOwnOnly}`, async () => {
      const since = Date.now();
      own?.freezeApiServer();
      try {
        await load.more((FROZEN_MS / 1_000) * RATE);
      } finally {
        own?.thawApiServer();
      }
      await decidesAgain();
      expect(Math.min(...history.wantedSince(since)), `${history}`).toBeGreaterThanOrEqual(NEEDED);
      await everyRequestIsAnswered();
    });

    it('Prometheus is deleted: the age of what is known is told, and nothing is taken away until it was back for a window', async () => {
      const since = Date.now();
      await system().kubectl('scale', 'deployment', 'ragscale-prometheus', '--replicas=0');
      await system().condition('ScalingActive', 'False', ['MetricsMissing', 'MetricsStale']);
      // From here on one pod would do, if one knew.
      await everyRequestIsAnswered();
      await until('a window has passed', async () => (await metricAge()) > WINDOW_MS / 1_000);
      const backAt = Date.now();
      await system().kubectl('scale', 'deployment', 'ragscale-prometheus', '--replicas=1');
      await until('one pod', () => history.now.wanted === 1);
      expect(history.falls(since)[0]!.at - backAt, `${history}`).toBeGreaterThanOrEqual(WINDOW_MS);
      expect(await load.ask()).toMatchObject({ outcome: 'answered' });
    });
  });
}
