/** What does a sudden crowd do to the system? `-e FROM=5` requests a second, and `-e TO=60` in the middle third of `-e MINUTES=6`. */
import { poissonArrivals } from './lib/arrivals.ts';
import { loadTest } from './lib/load.ts';

const MINUTES = 6;

export const { options, setup, ask, handleSummary } = loadTest({
  test: 'spike',
  pauses: false,
  stages: ({ from, to, durationMs = MINUTES * 60_000 }, random) => {
    const third = durationMs / 3;
    return [
      { name: `before, ${from}/s`, rate: from },
      { name: `spike, ${to}/s`, rate: to },
      { name: `after, ${from}/s`, rate: from },
    ].map(({ name, rate }, index) => ({
      name,
      rate,
      arrivalsMs: poissonArrivals(rate, { durationMs: third }, random(10 + index)),
      durationMs: third,
    }));
  },
});
