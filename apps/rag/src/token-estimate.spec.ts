import { GREEDY } from '@ragscale/inference/engine-api';
import { describe, expect, it } from 'vitest';
import { tokensOfQuestion, tokensOfTexts } from './token-estimate.ts';

const settings = { ...GREEDY, maxTokens: 64 };

describe('the tokens of a request', () => {
  it('are those of its texts, its passages and its answer', () => {
    const limits = { passageTokens: 96, context: 4_096 };
    expect(tokensOfQuestion({ query: 'x'.repeat(41), k: 2, settings }, limits)).toBe(11 + 192 + 64);
    const conversation = {
      query: 'abcd',
      k: 1,
      settings,
      instructions: 'abcd',
      turns: [{ question: 'a', answer: 'abcde' }],
    };
    expect(tokensOfQuestion(conversation, limits)).toBe(1 + 1 + 1 + 2 + 96 + 64);
    expect(tokensOfTexts(['abcd', 'abcde', ''])).toBe(3);
  });

  it('are never more than a slot holds', () => {
    expect(tokensOfQuestion({ query: 'x', k: 20, settings }, { passageTokens: 96, context: 512 })).toBe(512);
  });
});
