/** What does a proxy cost at full load? Requests a second of one processor, and processor time of each. */
import { median } from '../../serving/summary.ts';
import { startFastBackends } from '../backends.ts';
import { fixed, markdownTable } from '../markdown.ts';
import { PROXY_PROCESSOR } from '../placement.ts';
import { pairedRatio } from '../ratios.ts';
import { type Context, inTurns, type Scenario, withPeers } from '../scenario.ts';
import { wrk } from '../wrk.ts';

const CONNECTIONS = 64;
const SLOTS = 256;

export interface ThroughputPeer {
  readonly name: string;
  /** By round. */
  readonly requestsPerSecond: readonly number[];
  /** Microseconds of the proxy's processor time for each request, by round; null of `direct`. */
  readonly cpuMicroseconds: readonly (number | null)[];
  readonly p99Ms: readonly number[];
  readonly failed: number;
}

export interface Throughput {
  readonly seconds: number;
  readonly rounds: number;
  readonly peers: readonly ThroughputPeer[];
}

export const throughput: Scenario<Throughput> = {
  name: 'throughput',
  peers: ['direct', 'relay', 'nginx', 'haproxy', 'ragscale'],
  needs: ['nginx', 'wrk'],

  async measure({ quick, peers: names, progress }: Context): Promise<Throughput> {
    const { rounds, seconds, warmUp } = quick
      ? { rounds: 2, seconds: 2, warmUp: 1 }
      : { rounds: 7, seconds: 6, warmUp: 4 };
    const backends = await startFastBackends();
    const options = { backends: backends.urls, slots: SLOTS, cpus: PROXY_PROCESSOR };
    const measured = names.map((name) => ({
      name,
      requestsPerSecond: [] as number[],
      cpuMicroseconds: [] as number[],
      p99Ms: [] as number[],
      failed: 0,
    }));
    try {
      await withPeers(names, options, async (peers) => {
        for (const { urls } of peers) await wrk(urls[0]!, CONNECTIONS, warmUp);
        await inTurns(peers, rounds, async (peer, round) => {
          progress(`round ${round + 1}, ${peer.name}`);
          const before = peer.cpuSeconds();
          const { requests, seconds: took, p99Ms, failed } = await wrk(peer.urls[0]!, CONNECTIONS, seconds);
          const used = peer.cpuSeconds() - before;
          const row = measured.find(({ name }) => name === peer.name)!;
          row.requestsPerSecond.push(requests / took);
          row.cpuMicroseconds.push((used * 1e6) / requests);
          row.p99Ms.push(p99Ms);
          row.failed += failed;
        });
      });
    } finally {
      await backends.stop();
    }
    return { seconds, rounds, peers: measured };
  },

  tell({ seconds, rounds, peers }: Throughput): string {
    const relay = peers.find(({ name }) => name === 'relay');
    const numbers = (values: readonly (number | null)[]) => values.map((value) => value ?? Number.NaN);
    const rows = peers.map(({ name, requestsPerSecond, cpuMicroseconds, p99Ms, failed }) => [
      name,
      fixed(median(requestsPerSecond), 0),
      relay === undefined ? '' : fixed(pairedRatio(requestsPerSecond, relay.requestsPerSecond), 2),
      name === 'direct' ? '' : fixed(median(numbers(cpuMicroseconds)), 1),
      relay === undefined || name === 'direct'
        ? ''
        : fixed(pairedRatio(numbers(relay.cpuMicroseconds), numbers(cpuMicroseconds)), 2),
      fixed(median(p99Ms), 1),
      failed,
    ]);
    return [
      '## Throughput',
      '',
      `wrk with ${CONNECTIONS} connections that each ask on; small answers that nginx gives at once. The proxy has a processor for itself, wrk and ` +
        `backends the rest. Medians of ${rounds} rounds of ${seconds} s in turns. CPU seconds per 1,000 requests are a thousandth of the microseconds ` +
        'per request; direct is the most that wrk and backends can do there; the last ratio is that of the relay over the one named, so that higher is better in both.',
      '',
      markdownTable(['proxy', 'requests/s', 'of relay', 'CPU us/request', 'relay / it', 'p99 ms', 'failed'], rows),
    ].join('\n');
  },
};
