/** Does one autoscaler serve two hundred resources, and does Prometheus notice how many they are? */
import { TUNING } from '@ragscale/scaling/tuning';
import { ProxyMetrics } from '@ragscale/service/proxy-metrics';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cpuSample } from '../../../bench/lib/process-cpu.ts';
import type { Status } from '../src/kubernetes/status.ts';
import type { AutoscalerProcess } from './autoscaler-process.ts';
import { GROUP } from './cluster-fixture.ts';
import { MetricsServer } from './metrics-server.ts';
import { specWith } from './specs.ts';
import { missingForWorld, TEST_TIMEOUT_MS, WITHIN, World } from './whole-world.ts';

const missing = missingForWorld();
const FEW = 5;
const MANY = 200;
/** As many as there are between two looks. */
const ROUNDS = 4;
const names = Array.from({ length: MANY }, (_, index) => `rag-${index}`);

/** What happened while some rounds were counted. */
interface Cost {
  readonly queriesPerRound: number;
  readonly cpuMsPerRound: number;
}

describe.skipIf(missing)(`two hundred resources${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let world: World;
  let metrics: MetricsServer;
  let traffic: NodeJS.Timeout;
  let leader: AutoscalerProcess;
  let other: AutoscalerProcess;
  beforeAll(async () => {
    const proxy = new ProxyMetrics({ objectiveSeconds: 2 });
    for (const name of names) proxy.addRoute(name);
    // One request a second to each of them.
    traffic = setInterval(() => {
      for (const name of names) {
        proxy.arrived(name);
        proxy.upstreamEnded(name, 300);
        proxy.requestEnded(name, 200, 300);
      }
    }, 1_000);
    metrics = await MetricsServer.start(() => proxy);
    const scraped = [{ address: metrics.address, labels: { namespace: 'rag', pod: 'proxy-0' } }];
    world = await World.start({ programs: {}, scraped });
  });
  afterAll(async () => {
    clearInterval(traffic);
    await world?.[Symbol.asyncDispose]();
    await metrics?.[Symbol.asyncDispose]();
  });

  async function make(wanted: readonly string[]): Promise<void> {
    for (const name of wanted) {
      await world.room.deployment(name, 1);
      await world.room.autoscaler(name, specWith({ scaleTargetRef: { name } }));
    }
  }

  async function rounds(): Promise<number> {
    return leader.metric('ragscale_autoscaler_round_duration_seconds_count');
  }

  /** Asked of Prometheus so far. */
  async function queries(): Promise<number> {
    const response = await fetch(`${world.prometheus.url}/metrics`);
    const series = (await response.text())
      .split('\n')
      .filter((line) => /^prometheus_http_requests_total\{.*handler="\/api\/v1\/query"/.test(line));
    return series.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  async function nextRound(after: number): Promise<number> {
    return vi.waitFor(
      async () => {
        const now = await rounds();
        expect(now).toBeGreaterThan(after);
        return now;
      },
      // Each look costs the process something as well.
      { timeout: 60_000, interval: 1_000 },
    );
  }

  /** Between the ends of two rounds. */
  async function cost(): Promise<Cost> {
    const pid = leader.child.pid ?? 0;
    const from = await nextRound(await rounds());
    const [asked, used] = [await queries(), cpuSample(pid).server];
    const to = await nextRound(from + ROUNDS - 1);
    return {
      queriesPerRound: ((await queries()) - asked) / (to - from),
      cpuMsPerRound: (1_000 * (cpuSample(pid).server - used)) / (to - from),
    };
  }

  it('all are decided about by one of two, with as many queries as a few take', {
    timeout: TEST_TIMEOUT_MS,
  }, async () => {
    leader = await world.autoscaler('autoscaler-a', { PERIOD: '5s' });
    await leader.line('this process decides');
    other = await world.autoscaler('autoscaler-b', { PERIOD: '5s' });
    await other.line('this process stands by');
    await make(names.slice(0, FEW));
    await decidedAbout(FEW);
    const few = await cost();

    await make(names.slice(FEW));
    const madeAt = Date.now();
    await decidedAbout(MANY);
    console.log(
      `${MANY} resources have a status ${((Date.now() - madeAt) / 1_000).toFixed(1)} s after the last was made`,
    );
    const many = await cost();
    console.log(
      `a round of ${FEW}: ${few.queriesPerRound.toFixed(1)} queries, ${few.cpuMsPerRound.toFixed(0)} ms of processor time in its period; ` +
        `of ${MANY}: ${many.queriesPerRound.toFixed(1)} queries, ${many.cpuMsPerRound.toFixed(0)} ms`,
    );
    // Some are asked now and then, and a round may be under way while it is counted.
    expect(many.queriesPerRound).toBeLessThan(1.5 * few.queriesPerRound);
    expect(await other.metric('ragscale_autoscaler_round_duration_seconds_count')).toBe(0);
    const users = names.flatMap((name) => world.audit.scales(name)).map(({ user }) => user);
    expect(users.filter((user) => user !== 'autoscaler-a')).toEqual([]);
  });

  it('an API server that answers nothing ends no process, and takes nothing from anybody', {
    timeout: TEST_TIMEOUT_MS,
  }, async () => {
    const frozenAt = Date.now();
    world.plane.freeze();
    try {
      // It says nothing of its targets any more: its round is over, and it knows that it does not lead.
      const series = 'ragscale_autoscaler_replicas{';
      await vi.waitFor(() => expect(leader.metric(series)).rejects.toThrow('no series'), WITHIN);
      expect((await leader.ask('/livez')).status).toBe(200);
    } finally {
      world.plane.thaw();
    }
    const thawedAt = Date.now();
    await vi.waitFor(async () => {
      const lead = await Promise.all([leader, other].map((one) => one.metric('ragscale_autoscaler_leader{')));
      expect(lead.toSorted()).toEqual([0, 1]);
    }, WITHIN);
    await decidedAbout(MANY);
    // Whoever decides now has not seen for long enough that less would do.
    const writes = names.flatMap((name) => world.audit.scales(name));
    const tooSoon = writes.filter(({ from }) => from > frozenAt && from < thawedAt + TUNING.shortestWindowMs);
    expect(tooSoon).toEqual([]);
  });

  /** By what stands in their status: with data, and not the first time. */
  async function decidedAbout(count: number): Promise<void> {
    await vi.waitFor(async () => {
      const { items } = await world.room.get<{ items: { status?: Status }[] }>(GROUP, 'latencyautoscalers');
      const active = items.filter(({ status }) =>
        status?.conditions?.some(({ type, reason }) => type === 'ScalingActive' && reason.startsWith('Metrics')),
      );
      expect(active).toHaveLength(count);
    }, WITHIN);
  }
});
