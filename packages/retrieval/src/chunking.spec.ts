import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Passage, passagesOf, type TokenCounter } from './chunking.ts';

/** A token per word, and two special ones. */
const countWords: TokenCounter = async (texts) => texts.map((text) => 2 + (text.match(/\S+/g)?.length ?? 0));

/** A token per three code units begun, and one special: no multiple of a word. */
const countThirds: TokenCounter = async (texts) => texts.map((text) => 1 + Math.ceil(text.length / 3));

async function chunk(
  text: string,
  maxTokens: number,
  countTokens = countWords,
  format: 'plain' | 'markdown' = 'plain',
) {
  const passages: Passage[] = [];
  const document = { id: 'guide.md', format, text };
  for await (const passage of passagesOf(document, { maxTokens, countTokens })) passages.push(passage);
  return passages;
}

describe('chunking', () => {
  it('packs as many sentences as fit, and numbers the passages of a document', async () => {
    expect(await chunk('One two. Three four. Five six seven.', 6)).toEqual([
      { id: 'guide.md#1', text: 'One two. Three four.' },
      { id: 'guide.md#2', text: 'Five six seven.' },
    ]);
  });

  it('divides a sentence that does not fit at white space', async () => {
    const passages = await chunk('one two three four five six seven', 5);
    expect(passages.map((passage) => passage.text)).toEqual(['one two three', 'four five six', 'seven']);
  });

  it('begins a passage with each heading, and keeps headings that follow each other together', async () => {
    const passages = await chunk('# A\n## B\ntext.\n\n## C\nmore.', 50, countWords, 'markdown');
    expect(passages.map((passage) => passage.text)).toEqual(['# A\n## B\ntext.', '## C\nmore.']);
  });

  it('takes a word apart only when it fits into no passage', async () => {
    const passages = await chunk(`short ${'x'.repeat(100)} end`, 10, countThirds);
    expect(Math.max(...passages.map((passage) => passage.text.length))).toBeLessThanOrEqual(27);
    expect(
      passages
        .map((passage) => passage.text)
        .join('')
        .replaceAll(/\s/g, ''),
    ).toBe(`short${'x'.repeat(100)}end`);
  });

  it('says so when not even one character fits', async () => {
    await expect(chunk('👩‍👩‍👧', 2, countThirds)).rejects.toThrow('a single character has more than 2 tokens');
  });

  it('asks the counter for many texts at once', async () => {
    let calls = 0;
    const counted: TokenCounter = (texts) => {
      calls += 1;
      return countWords(texts);
    };
    expect(await chunk('A sentence. '.repeat(1_000), 12, counted)).toHaveLength(200);
    expect(calls).toBeLessThan(12);
  });

  it('makes passages that fit, are parts of the text in order, lose nothing, and end at white space where words fit', async () => {
    const word = fc.string({
      unit: fc.constantFrom('a', 'b', 'Z', '.', '👍', 'é', '-', '`', '#'),
      minLength: 1,
      maxLength: 12,
    });
    const text = fc.array(fc.tuple(word, fc.constantFrom(' ', '\n', '\n\n', '. ')), { maxLength: 60 });
    const parameters = fc.record({
      text,
      maxTokens: fc.integer({ min: 12, max: 40 }),
      format: fc.constantFrom('plain' as const, 'markdown' as const),
    });
    await fc.assert(
      fc.asyncProperty(parameters, async ({ text: words, maxTokens, format }) => {
        const given = words.flat().join('');
        const passages = await chunk(given, maxTokens, countThirds, format);
        let end = 0;
        for (const passage of passages) {
          const start = given.indexOf(passage.text, end);
          expect(given.slice(end, start).trim()).toBe('');
          end = start + passage.text.length;
          expect(await countThirds([passage.text]).then(([count]) => count)).toBeLessThanOrEqual(maxTokens);
          expect(passage.text.isWellFormed()).toBe(true);
          expect(end === given.length || /\s/.test(given[end] ?? '')).toBe(true);
        }
        expect(given.slice(end).trim()).toBe('');
      }),
    );
  });
});
