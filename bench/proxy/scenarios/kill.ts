/** What do those notice who ask while a pod dies? Latency before, and in the seconds after, the SIGKILL of one of four pods. */
import { quantile } from '../../serving/summary.ts';
import { CHAOS_LOAD, CHAOS_PODS, type ChaosRecord, runChaos } from '../chaos/run-chaos.ts';
import { fixed, markdownTable } from '../markdown.ts';
import { startPeer } from '../peers.ts';
import { Pods } from '../pods.ts';
import type { Context, Scenario } from '../scenario.ts';

const KILL_MS = 4000;
const AFTER_MS = 5000;
const BIN_MS = 250;

export interface KillPeer {
  readonly name: string;
  /** Milliseconds from when a request was due to its whole answer. */
  readonly beforeP99: number;
  readonly afterP99: number;
  readonly afterLongest: number;
  /** Of requests that were under way at the kill, or due in the seconds after it. */
  readonly failed: number;
  /** The longest in each quarter of a second, from a second before the kill on; null where none was answered. */
  readonly timeline: readonly { readonly fromMs: number; readonly longestMs: number | null; readonly failed: number }[];
}

export interface Kill {
  readonly rounds: number;
  readonly peers: readonly KillPeer[];
}

export const kill: Scenario<Kill> = {
  name: 'kill',
  peers: ['relay', 'nginx', 'nginx-retries', 'haproxy', 'haproxy-retries', 'ragscale'],
  needs: [],

  async measure({ quick, peers: names, progress }: Context): Promise<Kill> {
    const rounds = quick ? 1 : 4;
    const records = new Map<string, ChaosRecord[]>(names.map((name) => [name, []]));
    for (let round = 0; round < rounds; round++) {
      for (const name of names) {
        progress(`round ${round + 1}, ${name}`);
        const pods = await Pods.start(CHAOS_PODS.count, CHAOS_PODS);
        try {
          const peer = await startPeer(name, { backends: pods.urls, slots: CHAOS_PODS.slots });
          try {
            const seconds = (KILL_MS + AFTER_MS) / 1000;
            const load = { ...CHAOS_LOAD, seconds, streamShare: 0, meanServiceMs: 100, seed: 100 + round };
            const event = { fault: 'kill', pod: 1, fromMs: KILL_MS, toMs: KILL_MS + AFTER_MS } as const;
            records.get(name)!.push(...(await runChaos(peer.urls[0]!, pods, load, [event])));
          } finally {
            await peer.stop();
          }
        } finally {
          await pods.stop();
        }
      }
    }
    return { rounds, peers: names.map((name) => summarizeKill(name, records.get(name)!)) };
  },

  tell({ rounds, peers }: Kill): string {
    const rows = peers.map(({ name, beforeP99, afterP99, afterLongest, failed }) => [
      name,
      fixed(beforeP99, 0),
      fixed(afterP99, 0),
      fixed(afterLongest, 0),
      failed,
    ]);
    return [
      '## A pod is killed under load',
      '',
      `${CHAOS_LOAD.rate} requests a second of 100 ms at the mean, none of them a stream; one of ${CHAOS_PODS.count} pods is ended with SIGKILL and stays away. ` +
        `Milliseconds from when a request was due to its answer: p99 in the ${KILL_MS / 1000} s before, p99 and longest of those under way at the kill and due in the ` +
        `${AFTER_MS / 1000} s after; ${rounds} rounds together.`,
      '',
      markdownTable(['proxy', 'p99 before', 'p99 after', 'longest after', 'failed'], rows),
    ].join('\n');
  },
};

export function summarizeKill(name: string, records: readonly ChaosRecord[]): KillPeer {
  const isBefore = ({ dueMs, endMs }: ChaosRecord) => dueMs < KILL_MS && endMs < KILL_MS;
  const after = records.filter((record) => !isBefore(record));
  const bins = Map.groupBy(after, ({ dueMs }) => Math.floor((dueMs - KILL_MS) / BIN_MS));
  const timeline = [...bins].toSorted(([a], [b]) => a - b);
  return {
    name,
    beforeP99: quantile(timesOf(records.filter(isBefore)), 0.99),
    afterP99: quantile(timesOf(after), 0.99),
    afterLongest: Math.max(...timesOf(after)),
    failed: after.filter(({ ending }) => ending !== 'answered').length,
    timeline: timeline.map(([bin, of]) => ({
      fromMs: bin * BIN_MS,
      longestMs: timesOf(of).reduce<number | null>((longest, ms) => Math.max(longest ?? 0, ms), null),
      failed: of.filter(({ ending }) => ending !== 'answered').length,
    })),
  };
}

function timesOf(records: readonly ChaosRecord[]): number[] {
  return records.filter(({ ending }) => ending === 'answered').map(({ dueMs, endMs }) => endMs - dueMs);
}
