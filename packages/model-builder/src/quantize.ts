/** How do float32 weights become integers and scales? */

/** Integers and the float32 scale of each row or block: `value ≈ (integer - zero) * scale`. */
export interface Quantized<T> {
  readonly values: T;
  readonly scales: Float32Array;
}

/** Symmetric int8 in [-127, 127] with a scale per row of `[rows, columns]`; zero stays zero. */
export function quantizeRows(weights: Float32Array, rows: number, columns: number): Quantized<Int8Array> {
  const values = new Int8Array(rows * columns);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    const end = start + columns;
    let largest = 0;
    for (let i = start; i < end; i++) largest = Math.max(largest, Math.abs(weights[i]!));
    if (largest === 0) {
      // Any scale does; one keeps the kernels away from 0 and infinity.
      scales[row] = 1;
      continue;
    }
    const scale = Math.fround(largest / 127);
    scales[row] = scale;
    for (let i = start; i < end; i++) values[i] = Math.round(weights[i]! / scale);
  }
  return { values, scales };
}

/** Weights of a block in MatMulNBits and GatherBlockQuantized. */
export const BLOCK = 32;

/**
 * Unsigned integers of 4 or 8 bits, zero at 2^(bits-1), with a scale per block of 32 along each row; `columns` is a multiple of 32.
 * The value of largest magnitude becomes the lowest integer exactly: the range has one more step below zero than above.
 * Of 4-bit values two share a byte, the first in the lower half.
 */
export function quantizeBlocks(weights: Float32Array, bits: 4 | 8): Quantized<Uint8Array> {
  const zero = 2 ** (bits - 1);
  const highest = 2 ** bits - 1;
  const values = new Uint8Array((weights.length * bits) / 8);
  const scales = new Float32Array(weights.length / BLOCK);
  for (let block = 0; block < scales.length; block++) {
    const start = block * BLOCK;
    let extreme = 0;
    for (let i = start; i < start + BLOCK; i++) if (Math.abs(weights[i]!) > Math.abs(extreme)) extreme = weights[i]!;
    const scale = extreme === 0 ? 1 : Math.fround(extreme / -zero);
    scales[block] = scale;
    for (let i = start; i < start + BLOCK; i++) {
      const value = Math.min(highest, Math.max(0, Math.round(weights[i]! / scale) + zero));
      if (bits === 8) values[i] = value;
      else values[i >> 1] = values[i >> 1]! | (value << (4 * (i & 1)));
    }
  }
  return { values, scales };
}
