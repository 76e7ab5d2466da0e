import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TopK } from './top-k.ts';

describe('the k best', () => {
  it('are those of a full sort, whatever the order they come in', () => {
    // Few distinct scores, so that ties are common.
    const scores = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 60 });
    fc.assert(
      fc.property(scores, fc.integer({ min: 1, max: 70 }), fc.infiniteStream(fc.nat()), (values, k, random) => {
        const hits = values.map((score, index) => ({ index, score }));
        const expected = hits.toSorted((a, b) => b.score - a.score || a.index - b.index).slice(0, k);
        const top = new TopK(k);
        const shuffled = hits.map((hit) => ({ hit, key: random.next().value ?? 0 })).sort((a, b) => a.key - b.key);
        for (const { hit } of shuffled) top.offer(hit.index, hit.score);
        expect(top.best()).toEqual(expected);
      }),
    );
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses k = %d', (k) => {
    expect(() => new TopK(k)).toThrow(RangeError);
  });
});
