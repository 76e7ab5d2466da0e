/** A minute of 200 requests a second over four pods that are killed, drained, frozen and broken, one at a time: what is lost? */
import { afterAll, expect, it } from 'vitest';
import { uniform } from '../../../bench/lib/uniform.ts';
import { countOutcomes } from '../../../bench/proxy/chaos/counts.ts';
import { CHAOS_LOAD, CHAOS_PODS, runChaos } from '../../../bench/proxy/chaos/run-chaos.ts';
import { chaosSchedule, FAULTS } from '../../../bench/proxy/chaos/schedule.ts';
import { cleanUp } from '../../../bench/proxy/child.ts';
import { startPeer } from '../../../bench/proxy/peers.ts';
import { Pods } from '../../../bench/proxy/pods.ts';

const SECONDS = 60;

afterAll(cleanUp);

it('no request that could be answered fails, and no stream ends without a word', { timeout: 150_000 }, async () => {
  const times = { seconds: SECONDS, faultMs: 2_800, pauseMs: 2_000 };
  const events = chaosSchedule({ ...times, pods: CHAOS_PODS.count }, uniform(7));
  expect(new Set(events.map(({ fault }) => fault))).toEqual(new Set(FAULTS));
  const pods = await Pods.start(CHAOS_PODS.count, CHAOS_PODS);
  const peer = await startPeer('ragscale', { backends: pods.urls, slots: CHAOS_PODS.slots });
  try {
    const records = await runChaos(peer.urls[0]!, pods, { ...CHAOS_LOAD, seconds: SECONDS }, events);
    const { requests, avoidable, lostSilently, timeouts, reset, errorEvents, answered } = countOutcomes(
      records,
      events,
    );
    expect({ avoidable, lostSilently, timeouts, reset }).toEqual({
      avoidable: 0,
      lostSilently: 0,
      timeouts: 0,
      reset: 0,
    });
    expect(answered + errorEvents).toBe(requests);
    expect(requests).toBeGreaterThan(0.9 * CHAOS_LOAD.rate * SECONDS);
  } finally {
    await peer.stop();
    await pods.stop();
  }
});
