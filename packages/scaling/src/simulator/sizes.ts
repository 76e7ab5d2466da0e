/** How much work is each request? In milliseconds of a pod at full speed that has nothing else to do. */
import type { Arrivals } from '../arrivals/arrivals.ts';
import type { PodOptions } from './options.ts';
import { exponential, lognormal } from './random.ts';

/** @throws RangeError where sizes are to follow tokens and the arrivals have none */
export function worksOf(
  { timesMs, tokens }: Arrivals,
  { sizes, meanServiceMs }: Pick<PodOptions, 'sizes' | 'meanServiceMs'>,
  random: () => number,
): Float64Array {
  const count = timesMs.length;
  if (sizes.kind === 'tokens') {
    if (tokens?.length !== count) throw new RangeError('sizes by tokens need arrivals that have tokens');
    const mean = tokens.reduce((sum, each) => sum + each, 0) / count;
    return tokens.map((each) => (meanServiceMs * each) / mean);
  }
  const works = new Float64Array(count).fill(meanServiceMs);
  if (sizes.kind === 'constant') return works;
  return works.map((ms) =>
    sizes.kind === 'exponential' ? ms * exponential(random) : ms * lognormal(random, sizes.variation),
  );
}
