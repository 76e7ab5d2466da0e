import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { finerPieces, piecesOf } from './text-pieces.ts';

function textsOf(text: string, format: 'plain' | 'markdown'): string[] {
  return [...piecesOf(text, format)].map((piece) => text.slice(piece.start, piece.end));
}

describe('pieces of plain text', () => {
  it('are sentences', () => {
    expect(textsOf('One. Two!  Three?" Four…\nfive\n\nsix', 'plain')).toEqual([
      'One.',
      'Two!',
      'Three?"',
      'Four…',
      'five',
      'six',
    ]);
  });

  it('are not cut at abbreviations, initials and numbers', () => {
    const text = 'Dr. J. Smith measured 3.5 m, e.g. at night. Then he left.';
    expect(textsOf(text, 'plain')).toEqual(['Dr. J. Smith measured 3.5 m, e.g. at night.', 'Then he left.']);
  });

  it('are sentences in scripts without spaces too', () => {
    expect(textsOf('你好。再见！', 'plain')).toEqual(['你好。', '再见！']);
  });
});

describe('pieces of Markdown', () => {
  it('keep headings, list items, table rows and fenced code whole', () => {
    const text = `# Guide
Intro one. Intro two.

- first item. It has two sentences
  and a second line
- second
1. numbered

| a | b |
|---|---|
\`\`\`sh
# not a heading

run it. now
\`\`\`
After.`;
    expect(textsOf(text, 'markdown')).toEqual([
      '# Guide',
      'Intro one.',
      'Intro two.',
      '- first item. It has two sentences\n  and a second line',
      '- second',
      '1. numbered',
      '| a | b |',
      '|---|---|',
      '```sh\n# not a heading\n\nrun it. now\n```',
      'After.',
    ]);
  });

  it('end an unclosed fence with the text, and close a fence only with its own kind', () => {
    expect(textsOf('~~~\n```\na\n', 'markdown')).toEqual(['~~~\n```\na']);
    expect(textsOf('````\n```\n````\nb', 'markdown')).toEqual(['````\n```\n````', 'b']);
  });
});

describe('finer pieces', () => {
  const finer = (text: string, kind: 'text' | 'code' = 'text') =>
    [...finerPieces(text, { start: 0, end: text.length, kind })].map((piece) => text.slice(piece.start, piece.end));

  it('go down step by step: lines, sentences, words, words without spaces, characters', () => {
    expect(finer('a. b\nc', 'code')).toEqual(['a. b', 'c']);
    expect(finer('An ox. It ran.')).toEqual(['An ox.', 'It ran.']);
    expect(finer('a b')).toEqual(['a', 'b']);
    expect(finer('a/b')).toEqual(['a', '/', 'b']);
    expect(finer('a'.repeat(40))).toEqual(['a'.repeat(16), 'a'.repeat(16), 'a'.repeat(8)]);
    expect(finer('ab')).toEqual(['a', 'b']);
    expect(finer('👩‍👩‍👧')).toEqual(['👩‍👩‍👧']);
  });
});

it.each(['.', '."', ' ', '\n', '`', '# ', '- ', 'a', '語'])(
  'are found in one pass over a text that is only %j',
  (unit) => {
    // What looked ahead or back from every place would take hours here.
    const text = unit.repeat(1_000_000 / unit.length);
    let found = 0;
    for (const format of ['plain', 'markdown'] as const) for (const _ of piecesOf(text, format)) found += 1;
    expect(found).toBeLessThanOrEqual(1_000_000);
  },
);

it('lose nothing but white space, keep the order, and never cut a surrogate pair', () => {
  const alphabet = ['a', 'B', '.', ' ', '\n', '\n\n', '# ', '- ', '```\n', '| ', '👍', '。', 'ü', '\t', '!'];
  const text = fc.array(fc.constantFrom(...alphabet), { maxLength: 80 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, fc.constantFrom('plain' as const, 'markdown' as const), (given, format) => {
      const pieces = [...piecesOf(given, format)].flatMap((piece) => [...finerPieces(given, piece)]);
      let end = 0;
      for (const piece of pieces) {
        expect(given.slice(end, piece.start).trim()).toBe('');
        const part = given.slice(piece.start, piece.end);
        expect(part).toBe(part.trim());
        expect(part.isWellFormed() && part !== '').toBe(true);
        end = piece.end;
      }
      expect(given.slice(end).trim()).toBe('');
    }),
  );
});
