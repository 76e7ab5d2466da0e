/** What does a proxy do to streams? The first event, the gap between two, the way of one from pod to client, and processor time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { median, quantile } from '../../serving/summary.ts';
import { Client } from '../client.ts';
import { fixed, markdownTable } from '../markdown.ts';
import { monotonicMs } from '../monotonic.ts';
import type { Peer } from '../peers.ts';
import { besideProxy, OTHER_PROCESSORS, PROXY_PROCESSOR } from '../placement.ts';
import { Pods } from '../pods.ts';
import { pairedDifference } from '../ratios.ts';
import { type Context, inTurns, type Scenario, withPeers } from '../scenario.ts';

const STREAMS = 100;
const TOKENS = 50;
const TOKEN_MS = 20;
const TIMEOUT_MS = 10_000;
const PODS = 2;
const SLOTS = 256;

export interface StreamsPeer {
  readonly name: string;
  /** Milliseconds, by round, as all here: from sending the request to the first token. */
  readonly firstEventP50: readonly number[];
  /** Between two tokens of a stream as they come to the client. */
  readonly gapP50: readonly number[];
  readonly gapP99: readonly number[];
  /** From the pod's writing a token to the client's reading it. */
  readonly transitP50: readonly number[];
  readonly transitP99: readonly number[];
  /** Processor seconds of the proxy for 1,000 events. */
  readonly cpuSecondsPer1000: readonly (number | null)[];
  readonly failed: number;
}

export interface Streams {
  readonly seconds: number;
  readonly rounds: number;
  readonly peers: readonly StreamsPeer[];
}

export const streams: Scenario<Streams> = {
  name: 'streams',
  peers: ['direct', 'relay', 'nginx', 'haproxy', 'ragscale'],
  needs: [],

  async measure({ quick, peers: names, progress }: Context): Promise<Streams> {
    const { rounds, seconds } = quick ? { rounds: 1, seconds: 3 } : { rounds: 5, seconds: 8 };
    const pods = await Pods.start(PODS, { slots: SLOTS, queue: SLOTS, drainDelayMs: 0, cpus: OTHER_PROCESSORS });
    const options = { backends: pods.urls, slots: SLOTS, cpus: PROXY_PROCESSOR };
    const measured = names.map((name) => ({
      name,
      firstEventP50: [] as number[],
      gapP50: [] as number[],
      gapP99: [] as number[],
      transitP50: [] as number[],
      transitP99: [] as number[],
      cpuSecondsPer1000: [] as number[],
      failed: 0,
    }));
    try {
      await withPeers(names, options, (peers) =>
        besideProxy(async () => {
          for (const peer of peers) await visit(peer, 2);
          await inTurns(peers, rounds, async (peer, round) => {
            progress(`round ${round + 1}, ${peer.name}`);
            const { firsts, gaps, transits, cpuSeconds, failed } = await visit(peer, seconds);
            const row = measured.find(({ name }) => name === peer.name)!;
            row.firstEventP50.push(quantile(firsts, 0.5));
            row.gapP50.push(quantile(gaps, 0.5));
            row.gapP99.push(quantile(gaps, 0.99));
            row.transitP50.push(quantile(transits, 0.5));
            row.transitP99.push(quantile(transits, 0.99));
            row.cpuSecondsPer1000.push((cpuSeconds * 1000) / transits.length);
            row.failed += failed;
          });
        }),
      );
    } finally {
      await pods.stop();
    }
    return { seconds, rounds, peers: measured };
  },

  tell({ seconds, rounds, peers }: Streams): string {
    const direct = peers.find(({ name }) => name === 'direct');
    const rows = peers.map((peer) => [
      peer.name,
      fixed(median(peer.firstEventP50), 2),
      direct === undefined || direct === peer
        ? ''
        : fixed(pairedDifference(peer.firstEventP50, direct.firstEventP50), 2),
      fixed(median(peer.gapP50), 2),
      fixed(median(peer.gapP99), 2),
      fixed(median(peer.transitP50), 2),
      fixed(median(peer.transitP99), 2),
      peer === direct ? '' : fixed(median(peer.cpuSecondsPer1000.map((value) => value ?? Number.NaN)), 4),
      peer.failed,
    ]);
    return [
      '## Streams',
      '',
      `${STREAMS} streams at once of ${TOKENS} tokens, one each ${TOKEN_MS} ms, from ${PODS} stand-in pods; each that ends is followed by another. ` +
        `Medians of ${rounds} rounds of ${seconds} s in turns, milliseconds. Transit: from the pod's writing an event to the client's reading it.`,
      '',
      markdownTable(
        [
          'proxy',
          'first event p50',
          'added',
          'gap p50',
          'gap p99',
          'transit p50',
          'transit p99',
          'CPU s/1,000 events',
          'failed',
        ],
        rows,
      ),
    ].join('\n');
  },
};

async function visit({ urls, cpuSeconds }: Peer, seconds: number) {
  const client = new Client();
  const [firsts, gaps, transits]: [number[], number[], number[]] = [[], [], []];
  let failed = 0;
  const question = { query: 'How do tokens come?', stream: true, tokens: TOKENS, token_ms: TOKEN_MS };
  const before = cpuSeconds();
  const end = performance.now() + seconds * 1000;
  const one = async (place: number) => {
    // Spread over the time of a stream, as streams are that have nothing to do with each other.
    await sleep((place * TOKENS * TOKEN_MS) / STREAMS);
    while (performance.now() < end) {
      let last: number | undefined;
      const onToken = (data: string) => {
        const now = monotonicMs();
        transits.push(now - (JSON.parse(data) as { at: number }).at);
        if (last !== undefined) gaps.push(now - last);
        last = now;
      };
      const outcome = await client.ask(urls[place % urls.length]!, question, { timeoutMs: TIMEOUT_MS, onToken });
      if (outcome.ending !== 'answered') failed += 1;
      else firsts.push(outcome.firstTokenAt! - outcome.sentAt);
    }
  };
  await Promise.all(Array.from({ length: STREAMS }, (_, place) => one(place)));
  const used = cpuSeconds() - before;
  client.close();
  return { firsts, gaps, transits, cpuSeconds: used, failed };
}
