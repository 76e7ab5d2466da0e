/** What does the whole autoscaler do when Prometheus, its data, the pods' metrics or the API server are gone? It holds what there is. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AutoscalerProcess } from './autoscaler-process.ts';
import { GROUP } from './cluster-fixture.ts';
import type { ScaleWrite } from './whole-audit.ts';
import type { Load } from './whole-load.ts';
import { PacedPod } from './whole-paced-pod.ts';
import { missingForWorld, quickSpec, TEST_TIMEOUT_MS, WINDOW_MS, WITHIN, World } from './whole-world.ts';

const missing = missingForWorld();
const MANY = 5;
/** In which it would do harm if it did any. */
const ROUNDS = 12;
const switches = { silent: false };

let world: World;
let autoscaler: AutoscalerProcess;
let load: Load;

/** Decides when it resolves. */
async function start(podName: string): Promise<void> {
  autoscaler = await world.autoscaler(podName, { PROMETHEUS_TIMEOUT: '1s' });
  await autoscaler.line('this process decides');
}

async function rounds(): Promise<number> {
  return autoscaler.metric('ragscale_autoscaler_round_duration_seconds_count');
}

async function someRounds(): Promise<void> {
  const until = (await rounds()) + ROUNDS;
  await vi.waitFor(async () => expect(await rounds()).toBeGreaterThanOrEqual(until), WITHIN);
}

/** Those that took replicas away. */
function falls(): ScaleWrite[] {
  const writes = world.audit.scales('light');
  return writes.filter(({ replicas }, index) => replicas < (writes[index - 1]?.replicas ?? 1));
}

/** There are many under load, and all is known of them. */
async function underLoad(): Promise<void> {
  load.perSecond = 20;
  await world.replicasUntil('light', (replicas) => replicas >= MANY, 'what is asked takes five');
  await vi.waitFor(() => expect(world.kubelet.ready('light')).toBeGreaterThanOrEqual(MANY), WITHIN);
  await active(['MetricsFound']);
}

async function active(reasons: readonly string[]): Promise<void> {
  await vi.waitFor(async () => {
    const { conditions = [] } = await world.status('light');
    expect(reasons).toContain(conditions.find(({ type }) => type === 'ScalingActive')?.reason);
  }, WITHIN);
}

describe.skipIf(missing)(`while something is gone${missing ? ` (skipped: ${missing})` : ''}`, () => {
  beforeAll(async () => {
    const pace = { slots: 1, serviceMs: 200 };
    world = await World.start({ programs: { light: () => PacedPod.start(pace, switches) } });
    await world.room.deployment('light', 1);
    await world.room.autoscaler('light', quickSpec('light', { coldStart: '2s' }));
    await start('autoscaler-a');
  });
  afterAll(() => world?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    load = world.load('light');
    await underLoad();
  });
  afterEach(async () => {
    await load[Symbol.asyncDispose]();
  });

  const outages = [
    {
      name: 'Prometheus is killed and comes back',
      begin: () => world.prometheus.end('SIGKILL'),
      end: async () => world.prometheus.begin(),
    },
    {
      name: 'Prometheus is killed and comes back without its data',
      begin: () => world.prometheus.end('SIGKILL'),
      end: async () => {
        await world.prometheus.loseData();
        world.prometheus.begin();
      },
    },
    {
      name: 'Prometheus answers nothing for a while',
      begin: async () => world.prometheus.freeze(),
      end: async () => world.prometheus.thaw(),
    },
    {
      name: 'Prometheus and the autoscaler are killed, and come back knowing nothing',
      begin: async () => {
        await world.prometheus.end('SIGKILL');
        autoscaler.signal('SIGKILL');
        await start('autoscaler-b');
      },
      end: async () => {
        await world.prometheus.loseData();
        world.prometheus.begin();
      },
    },
    {
      name: 'the metrics of the pods are gone and those of the proxies are not',
      begin: async () => {
        switches.silent = true;
      },
      end: async () => {
        switches.silent = false;
      },
    },
  ];
  it.each(outages)(
    '$name: nothing is taken away until a window is full again',
    {
      timeout: TEST_TIMEOUT_MS,
    },
    async ({ begin, end }) => {
      await begin();
      await active(['MetricsMissing', 'MetricsStale', 'MetricsIncomplete']);
      const before = falls().length;
      try {
        // From here on a single pod would do, if one knew.
        await load.end();
        await someRounds();
        expect(falls()).toHaveLength(before);
      } finally {
        await end();
      }
      const endedAt = Date.now();
      await world.replicasUntil('light', (replicas) => replicas === 1, 'nobody asks');
      expect(falls()[before]!.from - endedAt).toBeGreaterThanOrEqual(WINDOW_MS);
    },
  );

  it('the API server is killed and comes back: what was missed is made up for, and nothing is taken away', {
    timeout: TEST_TIMEOUT_MS,
  }, async () => {
    await world.plane.kill();
    const before = falls().length;
    const had = world.audit.scales('light').at(-1)!.replicas;
    load.perSecond = 30;
    expect((await autoscaler.ask('/livez')).status).toBe(200);
    await world.plane.restart();
    // Nobody can watch yet.
    await world.room.patch(GROUP, 'latencyautoscalers/light', { spec: { minReplicas: had + 1, maxReplicas: 20 } });
    await world.replicasUntil('light', (replicas) => replicas > had, 'the edit was missed');
    await vi.waitFor(async () => {
      const replicas = await world.room.replicas('light');
      expect(await world.status('light')).toMatchObject({ currentReplicas: replicas, readyReplicas: replicas });
      expect(world.kubelet.ready('light')).toBe(replicas);
    }, WITHIN);
    expect(falls()).toHaveLength(before);
    expect(load.failed).toBe(0);
  });
});
