/** How much later is an answer because of the proxy, at a rate that all of them bear? */
import { setTimeout as sleep } from 'node:timers/promises';
import { uniform } from '../../lib/uniform.ts';
import { poissonArrivals } from '../../serving/schedule.ts';
import { median, quantile } from '../../serving/summary.ts';
import { QUESTION, startFastBackends } from '../backends.ts';
import { Client, type Question } from '../client.ts';
import { fixed, markdownTable } from '../markdown.ts';
import { openLoop } from '../open-loop.ts';
import type { Peer } from '../peers.ts';
import { besideProxy, PROXY_PROCESSOR } from '../placement.ts';
import { pairedDifference } from '../ratios.ts';
import { type Context, inTurns, type Scenario, withPeers } from '../scenario.ts';

const RATE = 1000;
const TIMEOUT_MS = 10_000;
const SLOTS = 256;

export interface LatencyPeer {
  readonly name: string;
  /** Milliseconds from sending to the whole answer, by round. */
  readonly p50: readonly number[];
  readonly p99: readonly number[];
  /** How late the load itself was, at worst of the rounds' p99. */
  readonly lagP99: number;
  readonly cpuMicroseconds: readonly (number | null)[];
  readonly failed: number;
}

export interface Latency {
  readonly rate: number;
  readonly seconds: number;
  readonly rounds: number;
  readonly peers: readonly LatencyPeer[];
}

export const latency: Scenario<Latency> = {
  name: 'latency',
  peers: ['direct', 'relay', 'nginx', 'haproxy', 'ragscale'],
  needs: ['nginx'],

  async measure({ quick, peers: names, progress }: Context): Promise<Latency> {
    const { rounds, seconds } = quick ? { rounds: 2, seconds: 2 } : { rounds: 7, seconds: 6 };
    const backends = await startFastBackends();
    const options = { backends: backends.urls, slots: SLOTS, cpus: PROXY_PROCESSOR };
    const measured = names.map((name) => ({
      name,
      p50: [] as number[],
      p99: [] as number[],
      lagP99: 0,
      cpuMicroseconds: [] as number[],
      failed: 0,
    }));
    try {
      await withPeers(names, options, (peers) =>
        besideProxy(async () => {
          for (const peer of peers) await visit(peer, 0, 2);
          await inTurns(peers, rounds, async (peer, round) => {
            progress(`round ${round + 1}, ${peer.name}`);
            const { times, lags, cpuSeconds, failed } = await visit(peer, round + 1, seconds);
            const row = measured.find(({ name }) => name === peer.name)!;
            row.p50.push(quantile(times, 0.5));
            row.p99.push(quantile(times, 0.99));
            row.lagP99 = Math.max(row.lagP99, quantile(lags, 0.99));
            row.cpuMicroseconds.push((cpuSeconds * 1e6) / lags.length);
            row.failed += failed;
          });
        }),
      );
    } finally {
      await backends.stop();
    }
    return { rate: RATE, seconds, rounds, peers: measured };
  },

  tell({ rate, seconds, rounds, peers }: Latency): string {
    const direct = peers.find(({ name }) => name === 'direct');
    const added = (own: readonly number[], other: readonly number[] | undefined) =>
      other === undefined || own === other ? '' : fixed(pairedDifference(own, other), 2);
    const rows = peers.map(({ name, p50, p99, lagP99, cpuMicroseconds, failed }) => [
      name,
      fixed(median(p50), 2),
      added(p50, direct?.p50),
      fixed(median(p99), 2),
      added(p99, direct?.p99),
      name === 'direct' ? '' : fixed(median(cpuMicroseconds.map((value) => value ?? Number.NaN)), 0),
      fixed(lagP99, 1),
      failed,
    ]);
    return [
      '## Added latency',
      '',
      `${rate} requests a second at the times of a Poisson process that no answer delays, the same ones for all; answers that nginx gives at once. ` +
        `Milliseconds from sending to the end of the answer, at the client; medians of ${rounds} rounds of ${seconds} s in turns; added: the ` +
        "median of a round's difference from asking the backends directly. The client is a Node process, whose own time is in all of them.",
      '',
      markdownTable(
        ['proxy', 'p50 ms', 'added', 'p99 ms', 'added', 'CPU us/request', 'sent late, p99 ms', 'failed'],
        rows,
      ),
    ].join('\n');
  },
};

async function visit({ urls, cpuSeconds }: Peer, seed: number, seconds: number) {
  const client = new Client();
  const question = JSON.parse(QUESTION) as Question;
  const lags: number[] = [];
  const before = cpuSeconds();
  const outcomes = await openLoop(poissonArrivals(RATE, seconds, uniform(seed)), (index, dueAt) => {
    lags.push(performance.now() - dueAt);
    return client.ask(urls[index % urls.length]!, question, { timeoutMs: TIMEOUT_MS });
  });
  const used = cpuSeconds() - before;
  client.close();
  await sleep(100);
  const answered = outcomes.filter(({ ending }) => ending === 'answered');
  return {
    times: answered.map(({ sentAt, doneAt }) => doneAt - sentAt),
    lags,
    cpuSeconds: used,
    failed: outcomes.length - answered.length,
  };
}
