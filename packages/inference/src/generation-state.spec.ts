import { describe, expect, it } from 'vitest';
import { type GenerationSettings, GREEDY } from './engine-api.ts';
import { GenerationState } from './generation-state.ts';

const EOS = 0;
/** Token n is the letter with that number. */
const decode = (ids: readonly number[]) => ids.map((id) => String.fromCharCode(96 + id)).join('');
const next = (id: number) => ({ ids: BigInt64Array.of(BigInt(id)), values: Float32Array.of(1) });

function start(settings: Partial<GenerationSettings> = {}) {
  return new GenerationState({
    promptIds: [5, 6, 7],
    settings: { ...GREEDY, maxTokens: 10, ...settings },
    eos: [EOS],
    vocabulary: 27,
    decode,
  });
}

function feed(state: GenerationState, ids: readonly number[]) {
  for (const id of ids) if (!state.finished) state.advance(next(id));
  return state.result();
}

describe('GenerationState', () => {
  it('ends at the end-of-sequence token, which is not part of the answer', () => {
    expect(feed(start(), [1, 2, EOS, 3])).toMatchObject({ text: 'ab', tokens: [1, 2], finishReason: 'stop' });
  });

  it('goes on past it where it is told to', () => {
    expect(feed(start({ ignoreEos: true, maxTokens: 3 }), [1, EOS, 2, 3]).tokens).toEqual([1, EOS, 2]);
  });

  it('ends at the token limit', () => {
    expect(feed(start({ maxTokens: 2 }), [1, 2, 3])).toMatchObject({ text: 'ab', finishReason: 'length' });
  });

  it('ends before a stop sequence that spans tokens', () => {
    expect(feed(start({ stop: ['cd'] }), [1, 2, 3, 4, 5])).toMatchObject({ text: 'ab', finishReason: 'stop' });
  });

  it('gives out a stop sequence that was only begun', () => {
    expect(feed(start({ stop: ['cd'], maxTokens: 3 }), [1, 2, 3]).text).toBe('abc');
  });

  it('counts what the cache holds: all but the last token', () => {
    const state = start();
    state.advance(next(1));
    expect([state.length, state.lastToken]).toEqual([3, 1]);
    state.advance(next(2));
    expect([state.length, state.lastToken]).toEqual([4, 2]);
  });

  it('returns the pieces as they become certain', () => {
    const state = start({ stop: ['bz'] });
    expect([1, 2, 3].map((id) => state.advance(next(id)))).toEqual(['a', '', 'bc']);
  });
});
