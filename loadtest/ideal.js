/** How does the system answer at each of several rates, when questions come evenly, as they never do? */
import { evenArrivals } from './lib/arrivals.ts';
import { loadTest } from './lib/load.ts';
import { extentOf } from './lib/settings.ts';

export const { options, setup, ask, handleSummary } = loadTest({
  test: 'ideal',
  stages: (settings) =>
    settings.rates.map((rate) => ({ name: `${rate}/s`, rate, arrivalsMs: evenArrivals(rate, extentOf(settings)) })),
});
