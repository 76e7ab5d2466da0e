import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TrimmedText } from './trimmed-text.ts';

it('lets through, piece by piece, what trim leaves of the whole', () => {
  const piece = fc.string({ unit: fc.constantFrom(' ', '\n', 'a', 'b', '\u00a0'), maxLength: 4 });
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const text = new TrimmedText();
      expect(pieces.map((each) => text.push(each)).join('')).toBe(pieces.join('').trim());
    }),
  );
});
