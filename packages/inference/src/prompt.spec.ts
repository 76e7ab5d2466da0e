import { describe, expect, it } from 'vitest';
import { ContextLengthError } from './errors.ts';
import { fillTemplate, fitPrompt, type PromptEncoder } from './prompt.ts';

const format = { kind: 'template', template: 'Q: {question}\n{passages}\nA:', passageSeparator: '\n' } as const;
/** One token per character. */
const encode = (text: string) => [...text].map((char) => char.charCodeAt(0));
const encoder: PromptEncoder = { encode, encodeAround: (parts, join) => encode(join(parts)) };

describe('fillTemplate', () => {
  it('puts each passage on a line of its own and the question on one', () => {
    expect(fillTemplate(format, { question: ' why\n so ', passages: ['a\nb', 'c'] })).toBe('Q: why so\na b\nc\nA:');
  });

  it('takes placeholders and replacement patterns in texts as text', () => {
    expect(fillTemplate(format, { question: '{passages} $& $1', passages: ['{question}', "$'"] })).toBe(
      "Q: {passages} $& $1\n{question}\n$'\nA:",
    );
  });

  it('puts instructions in front, and earlier questions with their answers before the last', () => {
    const turns = [{ question: 'one', answer: 'first\nline' }];
    const prompt = { question: 'two', passages: ['p'], instructions: ' Be brief. ', turns };
    expect(fillTemplate(format, prompt)).toBe('Be brief.\n\nQ: one\n\nA: first line\n\nQ: two\np\nA:');
  });
});

describe('fitPrompt', () => {
  const bare = 'Q: q\n\nA:'.length;

  it('leaves passages out from the last until prompt and answer fit', () => {
    const fit = (room: number) =>
      fitPrompt(format, { question: 'q', passages: ['1111', '2222', '3'] }, encoder, room, 5).passagesUsed;
    expect(fit(bare + 5 + 4 + 5 + 2)).toBe(3);
    expect(fit(bare + 5 + 4 + 5 + 1)).toBe(2);
    expect(fit(bare + 5 + 4 + 4)).toBe(1);
    expect(fit(bare + 5)).toBe(0);
  });

  it('refuses with both numbers when not even the question fits', () => {
    expect(() => fitPrompt(format, { question: 'q', passages: ['1'] }, encoder, bare + 4, 5)).toThrow(
      new ContextLengthError('prompt', bare + 5, bare + 4),
    );
  });
});
