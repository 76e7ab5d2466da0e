/** What comes of a pod that is slower than the others? The latency of all, by how the proxy chooses. */
import { uniform } from '../../lib/uniform.ts';
import { poissonArrivals } from '../../serving/schedule.ts';
import { quantile } from '../../serving/summary.ts';
import { Client } from '../client.ts';
import { fixed, markdownTable } from '../markdown.ts';
import { oneQueueTimes } from '../one-queue.ts';
import { openLoop } from '../open-loop.ts';
import { type Peer, type PeerName, startPeer } from '../peers.ts';
import { Pods } from '../pods.ts';
import type { Context, Scenario } from '../scenario.ts';

const SLOTS = 4;
/** As many as the real pod keeps waiting, by its default, and then some: nobody is refused, all wait. */
const QUEUE = 10_000;
const MEAN_SERVICE_MS = 100;
/** By pod: times as long as it should take. */
const SLOWDOWN = [2, 1, 1, 1];
const LOAD = 0.8;
const TIMEOUT_MS = 75_000;
/** Until queues have filled and what is learnt is learnt; what is due in it does not count. */
const LEAD_IN_SECONDS = 3;

/** Milliseconds from when a request was due to its whole answer. */
interface Latencies {
  readonly p50: number;
  readonly p99: number;
  readonly mean: number;
}

export interface SlowPodPeer extends Latencies {
  readonly name: string;
  readonly requests: number;
  readonly failed: number;
}

export interface SlowPod {
  readonly seconds: number;
  readonly rate: number;
  /** What one queue before all slots would come to (one-queue.ts). */
  readonly oneQueue: Latencies;
  readonly peers: readonly SlowPodPeer[];
}

export const slowPod: Scenario<SlowPod> = {
  name: 'slow-pod',
  peers: [
    'nginx',
    'nginx-least-conn',
    'haproxy',
    'haproxy-leastconn',
    'haproxy-maxconn',
    'ragscale-round-robin',
    'ragscale-least-request',
    'ragscale-two-choices',
    'ragscale-peak-ewma',
  ],
  needs: [],

  async measure({ quick, peers, progress }: Context): Promise<SlowPod> {
    const seconds = quick ? 10 : 60;
    const capacity = SLOWDOWN.reduce((sum, times) => sum + (SLOTS * 1000) / (MEAN_SERVICE_MS * times), 0);
    const rate = LOAD * capacity;
    const measured: SlowPodPeer[] = [];
    for (const name of peers) {
      progress(`${name}, ${seconds} s`);
      measured.push(await measurePeer(name, rate, seconds));
    }
    return { seconds, rate, oneQueue: oneQueueOf(rate, seconds), peers: measured };
  },

  tell({ seconds, rate, oneQueue, peers }: SlowPod): string {
    const roundRobin = peers.find(({ name }) => name === 'nginx')?.p99;
    const rows = peers.map(({ name, p50, p99, mean, requests, failed }) => [
      name,
      fixed(p50, 0),
      fixed(mean, 0),
      fixed(p99, 0),
      roundRobin === undefined ? '' : fixed(p99 / roundRobin, 2),
      requests,
      failed,
    ]);
    const ratio = roundRobin === undefined ? '' : fixed(oneQueue.p99 / roundRobin, 2);
    rows.push([
      'one queue (computed)',
      fixed(oneQueue.p50, 0),
      fixed(oneQueue.mean, 0),
      fixed(oneQueue.p99, 0),
      ratio,
      '',
      '',
    ]);
    return [
      '## One slow pod',
      '',
      `Four stand-in pods of ${SLOTS} slots with a queue each, exponential service of ${MEAN_SERVICE_MS} ms at the mean, the first of them at half speed; ` +
        `Poisson arrivals of ${fixed(rate, 0)} a second (load ${LOAD}) for ${seconds} s after ${LEAD_IN_SECONDS} s that do not count, the same requests at the same times for all. Milliseconds from when a ` +
        `request was due to its whole answer. An even share is more than the slow pod can bear, so that its queue grows as long as the run lasts. ` +
        `haproxy-maxconn: leastconn with at most ${SLOTS + 1} requests at a pod and the rest in HAProxy's own queue; last row: one queue before the slots of all pods, which gives each request to the fastest free one at once.`,
      '',
      markdownTable(['proxy', 'p50', 'mean', 'p99', 'p99 of nginx', 'requests', 'failed'], rows),
    ].join('\n');
  },
};

/** The same for all. */
function workload(rate: number, seconds: number) {
  const draw = uniform(2);
  const arrivals = poissonArrivals(rate, LEAD_IN_SECONDS + seconds, uniform(1));
  const times = arrivals.map(() => -Math.log(1 - draw()) * MEAN_SERVICE_MS);
  return { arrivals, times, firstCounted: arrivals.findIndex((at) => at >= LEAD_IN_SECONDS * 1000) };
}

function oneQueueOf(rate: number, seconds: number): Latencies {
  const { arrivals, times, firstCounted } = workload(rate, seconds);
  const slots = SLOWDOWN.flatMap((slowdown) => Array<number>(SLOTS).fill(slowdown));
  return latenciesOf(oneQueueTimes(arrivals, times, slots).slice(firstCounted));
}

function latenciesOf(times: readonly number[]): Latencies {
  return {
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    mean: times.reduce((sum, ms) => sum + ms, 0) / times.length,
  };
}

async function measurePeer(name: PeerName, rate: number, seconds: number): Promise<SlowPodPeer> {
  const pods = await Pods.start(SLOWDOWN.length, {
    slots: SLOTS,
    queue: QUEUE,
    drainDelayMs: 0,
    slowdown: SLOWDOWN,
  });
  let peer: Peer | undefined;
  const client = new Client();
  try {
    peer = await startPeer(name, { backends: pods.urls, slots: SLOTS });
    const url = peer.urls[0]!;
    const { arrivals, times, firstCounted } = workload(rate, seconds);
    const all = await openLoop(arrivals, async (index, dueAt) => {
      const question = { query: `Question ${index}?`, service_ms: times[index]! };
      return { dueAt, ...(await client.ask(url, question, { timeoutMs: TIMEOUT_MS })) };
    });
    const outcomes = all.slice(firstCounted);
    const answered = outcomes.filter(({ ending }) => ending === 'answered').map(({ dueAt, doneAt }) => doneAt - dueAt);
    return {
      name,
      ...latenciesOf(answered),
      requests: outcomes.length,
      failed: outcomes.length - answered.length,
    };
  } finally {
    client.close();
    await peer?.stop();
    await pods.stop();
  }
}
