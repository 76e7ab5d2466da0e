/** How does the system follow a load that grows? From `-e FROM=5` to `-e TO=60` requests a second in `-e MINUTES=10`, in a straight line. */
import { thinnedArrivals } from './lib/arrivals.ts';
import { loadTest } from './lib/load.ts';

const MINUTES = 10;

export const { options, setup, ask, handleSummary } = loadTest({
  test: 'ramp',
  stages: ({ from, to, durationMs = MINUTES * 60_000 }, random) => {
    const rateAt = (/** @type {number} */ at) => from + ((to - from) * at) / durationMs;
    const arrivalsMs = thinnedArrivals({ rateAt, maxRate: Math.max(from, to), durationMs }, random(10));
    return [{ name: `${from} to ${to}/s`, arrivalsMs, durationMs }];
  },
});
