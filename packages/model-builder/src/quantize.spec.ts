/** Are integers and scales as close to the weights as their steps allow? */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOCK, quantizeBlocks, quantizeRows } from './quantize.ts';

const weights = (length: number) =>
  fc
    .array(fc.float({ min: -8, max: 8, noNaN: true }), { minLength: length, maxLength: length })
    .map((values) => Float32Array.from(values));

describe('quantizeRows', () => {
  it("is within half a step of every weight, a step being the row's largest magnitude / 127", () => {
    fc.assert(
      fc.property(weights(24), (values) => {
        const { values: integers, scales } = quantizeRows(values, 3, 8);
        values.forEach((value, i) => {
          const scale = scales[Math.floor(i / 8)]!;
          expect(Math.abs(value - integers[i]! * scale)).toBeLessThanOrEqual(0.5001 * scale);
        });
      }),
    );
  });

  it('gives a row of zeros zeros and a harmless scale', () => {
    expect(quantizeRows(new Float32Array(4), 1, 4)).toEqual({ values: new Int8Array(4), scales: Float32Array.of(1) });
  });
});

describe.each([4, 8] as const)('quantizeBlocks with %i bits', (bits) => {
  const integer = (values: Uint8Array, i: number) =>
    bits === 8 ? values[i]! : (values[i >> 1]! >> (4 * (i & 1))) & 15;

  it('is within one step of every weight, and exact at the largest magnitude', () => {
    fc.assert(
      fc.property(weights(2 * BLOCK), (given) => {
        const { values, scales } = quantizeBlocks(given, bits);
        given.forEach((value, i) => {
          const scale = scales[Math.floor(i / BLOCK)]!;
          expect(Math.abs(value - (integer(values, i) - 2 ** (bits - 1)) * scale)).toBeLessThanOrEqual(
            1.0001 * Math.abs(scale),
          );
        });
      }),
    );
  });

  it('packs the first of two 4-bit values into the lower half', () => {
    const given = new Float32Array(BLOCK);
    given[0] = -8;
    given[1] = 4;
    const { values, scales } = quantizeBlocks(given, bits);
    expect(integer(values, 0)).toBe(0);
    expect(integer(values, 1)).toBe(bits === 4 ? 12 : 192);
    expect(scales[0]).toBe(bits === 4 ? 1 : 0.0625);
  });
});
