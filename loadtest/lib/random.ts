/** Where does chance come from? Seeded, so that a load can be sent again. Written here once more, because k6 runs this folder alone. */

/**
 * Draws from [0, 1), the same ones for a seed and a stream; streams keep causes apart. Splitmix32 (Steele, Lea and Flood, OOPSLA 2014) seeds sfc32
 * (Doty-Humphrey, PractRand).
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

/** With mean 1 (inverse transform). */
export function exponential(random: () => number): number {
  return -Math.log(1 - random());
}
