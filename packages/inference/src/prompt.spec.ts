import { describe, expect, it } from 'vitest';
import { ContextLengthError } from './errors.ts';
import { fillTemplate, fitPrompt } from './prompt.ts';

const format = { kind: 'template', template: 'Q: {question}\n{passages}\nA:', passageSeparator: '\n' } as const;
/** One token per character. */
const encode = (text: string) => [...text].map((char) => char.charCodeAt(0));

describe('fillTemplate', () => {
  it('puts each passage on a line of its own and the question on one', () => {
    expect(fillTemplate(format, ' why\n so ', ['a\nb', 'c'])).toBe('Q: why so\na b\nc\nA:');
  });

  it('takes placeholders and replacement patterns in texts as text', () => {
    expect(fillTemplate(format, '{passages} $& $1', ['{question}', "$'"])).toBe(
      "Q: {passages} $& $1\n{question}\n$'\nA:",
    );
  });
});

describe('fitPrompt', () => {
  const bare = 'Q: q\n\nA:'.length;

  it('leaves passages out from the last until prompt and answer fit', () => {
    const fit = (room: number) => fitPrompt(format, 'q', ['1111', '2222', '3'], encode, room, 5).passagesUsed;
    expect(fit(bare + 5 + 4 + 5 + 2)).toBe(3);
    expect(fit(bare + 5 + 4 + 5 + 1)).toBe(2);
    expect(fit(bare + 5 + 4 + 4)).toBe(1);
    expect(fit(bare + 5)).toBe(0);
  });

  it('refuses with both numbers when not even the question fits', () => {
    expect(() => fitPrompt(format, 'q', ['1'], encode, bare + 4, 5)).toThrow(
      new ContextLengthError('prompt', bare + 5, bare + 4),
    );
  });
});
