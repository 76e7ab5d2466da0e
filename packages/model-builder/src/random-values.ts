/** How are random numbers made, many millions of weights among them, the same ones for a seed? */

const TABLE_SIZE = 1 << 16;

/** Marsaglia's xorshift of 32 bits (Journal of Statistical Software 8(14), 2003). The state is never 0. */
function step(state: number): number {
  let next = state ^ (state << 13);
  next ^= next >>> 17;
  return next ^ (next << 5);
}

/** The seed is spread over all bits first: small seeds would begin with small numbers. */
const stateOf = (seed: number): number => Math.imul(seed + 1, 0x9e3779b1) || 1;

/** Whole numbers from 0 to below a bound. */
export function randomIntegers(seed: number): (bound: number) => number {
  let state = stateOf(seed);
  return (bound) => {
    state = step(state);
    return (state >>> 0) % bound;
  };
}

/**
 * Fills arrays with draws from 65,536 normal samples of the given standard deviation: one shift-register step per value
 * instead of a logarithm and a cosine.
 */
export function normalValues(seed: number, deviation: number): (count: number) => Float32Array {
  let state = stateOf(seed);
  const uniform = () => {
    state = step(state);
    return (state >>> 0) / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  const table = Float32Array.from({ length: TABLE_SIZE }, () => deviation * normal());
  return (count) => {
    const values = new Float32Array(count);
    // A local state stays in a register; the captured one would be boxed at every step (ten times slower).
    let local = state;
    for (let i = 0; i < count; i++) {
      local = step(local);
      values[i] = table[local >>> 16]!;
    }
    state = local;
    return values;
  };
}
