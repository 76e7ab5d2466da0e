/** What is lost while pods come, go, freeze and fail? */
import { uniform } from '../../lib/uniform.ts';
import { type ChaosCounts, countOutcomes } from '../chaos/counts.ts';
import { CHAOS_LOAD, CHAOS_PODS, runChaos } from '../chaos/run-chaos.ts';
import { chaosSchedule, FAULTS } from '../chaos/schedule.ts';
import { fixed, markdownTable } from '../markdown.ts';
import { startPeer } from '../peers.ts';
import { Pods } from '../pods.ts';
import type { Context, Scenario } from '../scenario.ts';

export interface ChaosPeer extends ChaosCounts {
  readonly name: string;
}

export interface Chaos {
  readonly seconds: number;
  /** How often each fault came. */
  readonly faults: Readonly<Record<string, number>>;
  readonly peers: readonly ChaosPeer[];
}

export const chaos: Scenario<Chaos> = {
  name: 'chaos',
  peers: ['relay', 'nginx', 'nginx-retries', 'haproxy', 'haproxy-retries', 'ragscale'],
  needs: [],

  async measure({ quick, peers: names, progress }: Context): Promise<Chaos> {
    // The pod that is asked to leave does so within the fault's time; so long, too, does a frozen one answer nobody.
    const times = quick ? { seconds: 16, faultMs: 2000, pauseMs: 1500 } : { seconds: 62, faultMs: 2800, pauseMs: 2000 };
    const events = chaosSchedule({ ...times, pods: CHAOS_PODS.count }, uniform(11));
    const measured: ChaosPeer[] = [];
    for (const name of names) {
      progress(`${name}, ${times.seconds} s, ${events.length} faults`);
      const pods = await Pods.start(CHAOS_PODS.count, CHAOS_PODS);
      try {
        const peer = await startPeer(name, { backends: pods.urls, slots: CHAOS_PODS.slots });
        try {
          const load = { ...CHAOS_LOAD, seconds: times.seconds };
          const records = await runChaos(peer.urls[0]!, pods, load, events);
          measured.push({ name, ...countOutcomes(records, events) });
        } finally {
          await peer.stop();
        }
      } finally {
        await pods.stop();
      }
    }
    const faults = FAULTS.map((fault) => [fault, events.filter((event) => event.fault === fault).length]);
    return { seconds: times.seconds, faults: Object.fromEntries(faults), peers: measured };
  },

  tell({ seconds, faults, peers }: Chaos): string {
    const rows = peers.map((peer) => [
      peer.name,
      peer.requests,
      peer.answered,
      peer.avoidable,
      Object.entries(peer.statuses)
        .map(([status, count]) => `${status}: ${count}`)
        .join(', '),
      peer.reset,
      peer.timeouts,
      peer.brokenStreams,
      peer.errorEvents,
      FAULTS.map((fault) => peer.byFault[fault]).join(' / '),
      fixed(peer.p50, 0),
      fixed(peer.p99, 0),
      fixed(peer.longestMs, 0),
    ]);
    const { rate, streamShare, timeoutMs } = CHAOS_LOAD;
    return [
      '## Chaos',
      '',
      `${rate} requests a second for ${seconds} s, ${100 * streamShare}% of them streams, over ${CHAOS_PODS.count} stand-in pods. One pod after the other is killed and started again ` +
        `(${faults.kill} times), asked to leave and started again (${faults.drain}), frozen and thawed (${faults.freeze}), or answers 500 for a while (${faults.fail}); the others are well meanwhile. ` +
        `Avoidable: failures of requests whose answer had not begun, so that another pod could have given it. Times in milliseconds, of answers that are no streams; ` +
        `the client waits ${timeoutMs / 1000} s.`,
      '',
      markdownTable(
        [
          'proxy',
          'requests',
          'answered',
          'avoidable failures',
          'statuses',
          'reset',
          'timeout',
          'streams broken silently',
          'streams ended with `error`',
          `failed at ${FAULTS.join(' / ')}`,
          'p50',
          'p99',
          'longest',
        ],
        rows,
      ),
    ].join('\n');
  },
};
