import fc from 'fast-check';
import { expect, it } from 'vitest';
import { planBatches } from './encoder.ts';

it('puts every text in exactly one batch, of equal padded length, within both budgets', () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 600 }), { maxLength: 60 });
  const budget = fc.record({ tokens: fc.integer({ min: 1, max: 2000 }), rows: fc.integer({ min: 1, max: 10 }) });
  fc.assert(
    fc.property(lengths, budget, (sizes, { tokens, rows }) => {
      const texts = sizes.map((size, index) => ({ index, ids: new Array<number>(size).fill(1) }));
      const batches = planBatches(texts, tokens, rows);
      expect(
        batches
          .flat()
          .map(({ index }) => index)
          .toSorted((a, b) => a - b),
      ).toEqual(sizes.map((_, index) => index));
      for (const batch of batches) {
        const widths = new Set(batch.map(({ ids }) => Math.ceil(ids.length / 8) * 8));
        expect(widths.size).toBe(1);
        expect(batch.length).toBeLessThanOrEqual(rows);
        // A text above the budget is served alone rather than never.
        if (batch.length > 1) expect(batch.length * [...widths][0]!).toBeLessThanOrEqual(tokens);
      }
    }),
  );
});
