/** Where do chance and its shapes come from? Seeded, so that a simulation can be repeated, and one stream for each cause. */

/**
 * Draws from [0, 1), the same ones for a seed and a stream. Streams keep causes apart: two policies that are compared under one seed see the
 * same requests, however many pods each of them starts. Splitmix32 (Steele, Lea and Flood, OOPSLA 2014) seeds sfc32 (Doty-Humphrey, PractRand).
 */
export function seededRandom(seed: number, stream = 0): () => number {
  let state = Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca77);
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  };
  let [a, b, c, counter] = [next(), next(), next(), 1];
  return () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
}

/** With mean 1. */
export function exponential(random: () => number): number {
  return -Math.log(1 - random());
}

/** With mean 0 and deviation 1 (Box and Muller 1958; the second value is thrown away). */
export function normal(random: () => number): number {
  return Math.sqrt(2 * exponential(random)) * Math.cos(2 * Math.PI * random());
}

/** Lognormal with mean 1. @param variation deviation by mean */
export function lognormal(random: () => number, variation: number): number {
  const variance = Math.log(1 + variation * variation);
  return Math.exp(Math.sqrt(variance) * normal(random) - variance / 2);
}
