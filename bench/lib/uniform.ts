/** Draws from [0, 1), the same ones for a seed. */
import { randomIntegers } from '@ragscale/model-builder/random-values';

export function uniform(seed: number): () => number {
  const draw = randomIntegers(seed);
  return () => draw(2 ** 32) / 2 ** 32;
}
