import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VectorIndex } from './vector-index.ts';

function normalised(values: readonly number[]): Float32Array {
  const length = Math.hypot(...values);
  return Float32Array.from(values, (value) => value / length);
}

function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
}

function filled(rows: readonly Float32Array[], dimensions: number): VectorIndex {
  const index = new VectorIndex(dimensions, rows.length);
  for (const row of rows) index.add(row);
  return index;
}

const DIMENSIONS = 3;
// Small integers give equal cosines often; no vector of zeros, which has no direction.
const vector = fc
  .tuple(...Array.from({ length: DIMENSIONS }, () => fc.integer({ min: -3, max: 3 })))
  .filter((values) => values.some((value) => value !== 0))
  .map(normalised);

describe('the index', () => {
  it('finds what a full sort by cosine finds', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(vector, { maxLength: 50 }),
        vector,
        fc.integer({ min: 1, max: 60 }),
        async (rows, query, k) => {
          const expected = rows
            .map((row, index) => ({ index, score: cosine(row, query) }))
            .sort((a, b) => b.score - a.score || a.index - b.index)
            .slice(0, k);
          expect(await filled(rows, DIMENSIONS).search(query, k)).toEqual(expected);
        },
      ),
    );
  });

  it('lets the event loop turn between blocks of about a million products', async () => {
    const dimensions = 1_000;
    const row = normalised(Array.from({ length: dimensions }, () => 1));
    const index = filled(
      Array.from({ length: 3_500 }, () => row),
      dimensions,
    );
    let pauses = 0;
    const pause = async () => {
      pauses += 1;
    };
    expect((await index.search(row, 2, { pause })).map((hit) => hit.index)).toEqual([0, 1]);
    expect(pauses).toBe(3);
  });

  it('stops between blocks when nobody wants the result any more', async () => {
    const dimensions = 1_000_000;
    const row = new Float32Array(dimensions);
    row[0] = 1;
    const index = filled([row, row, row], dimensions);
    const controller = new AbortController();
    const pause = async () => controller.abort(new Error('withdrawn'));
    await expect(index.search(row, 1, { signal: controller.signal, pause })).rejects.toThrow('withdrawn');
  });

  it('refuses vectors that are not of its kind', async () => {
    const index = new VectorIndex(2, 1);
    expect(() => index.add(Float32Array.of(1, 0, 0))).toThrow('3 dimensions in an index of 2');
    expect(() => index.add(Float32Array.of(1, 1))).toThrow('not normalised');
    expect(() => index.add(Float32Array.of(Number.NaN, 0))).toThrow('not normalised');
    expect(index.add(Float32Array.of(0, 1))).toBe(0);
    expect(() => index.add(Float32Array.of(0, 1))).toThrow('full');
    await expect(index.search(Float32Array.of(0, 0), 1)).rejects.toThrow('not normalised');
  });

  it('has nothing to find when it is empty', async () => {
    expect(await new VectorIndex(2, 0).search(Float32Array.of(1, 0), 3)).toEqual([]);
  });
});
