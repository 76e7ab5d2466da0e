/** Does the system answer at all? Ten questions, two a second; the run fails unless every one is answered. */
import { evenArrivals } from './lib/arrivals.ts';
import { loadTest } from './lib/load.ts';

export const { options, setup, ask, handleSummary } = loadTest({
  test: 'smoke',
  allAnswered: true,
  stages: () => [{ name: 'smoke', arrivalsMs: evenArrivals(2, { requests: 10 }) }],
});
