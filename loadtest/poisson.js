/** How does the system answer at each of several rates, when questions come as those of many people do, each at its own time? */
import { poissonArrivals } from './lib/arrivals.ts';
import { loadTest } from './lib/load.ts';
import { extentOf } from './lib/settings.ts';

export const { options, setup, ask, handleSummary } = loadTest({
  test: 'poisson',
  stages: (settings, random) =>
    settings.rates.map((rate, index) => ({
      name: `${rate}/s`,
      rate,
      arrivalsMs: poissonArrivals(rate, extentOf(settings), random(10 + index)),
      ...(settings.durationMs === undefined ? {} : { durationMs: settings.durationMs }),
    })),
});
