import type { CallOptions, Embeddings } from '@ragscale/inference/engine-api';
import { CancelledError, ContextLengthError } from '@ragscale/inference/errors';
import { describe, expect, it } from 'vitest';
import { EmbeddingCache, type EmbeddingCacheOptions } from './embedding-cache.ts';

const TOO_LONG = 'much too long';

/** An engine whose calls end when the test says so. */
class HeldEngine {
  readonly embedder = { prompt: { query: 'query: {text}', passage: '{text}' } } as never;
  readonly calls: { texts: readonly string[]; options: CallOptions; end: () => void }[] = [];
  counted = 0;

  embed(texts: readonly string[], as: 'query' | 'passage', options: CallOptions = {}): Promise<Embeddings> {
    return new Promise((resolve, reject) => {
      const end = () => {
        if (texts.includes(TOO_LONG)) reject(new ContextLengthError('passage', 300, 256));
        const vectors = texts.map((text) => Float32Array.of(text.length, as === 'query' ? 1 : 0));
        resolve({ vectors, tokens: this.#tokens(texts, as), timing: { queueMs: 0, runMs: 1_000 } });
      };
      options.signal?.addEventListener('abort', () => reject(new CancelledError('withdrawn')), { once: true });
      this.calls.push({ texts, options, end });
    });
  }

  async countTokens(texts: readonly string[]): Promise<number[]> {
    this.counted += texts.length;
    return texts.map((text) => text.length);
  }

  /** A token for each character of the text in its dress. */
  #tokens(texts: readonly string[], as: 'query' | 'passage'): number {
    return texts.reduce((sum, { length }) => sum + length + (as === 'query' ? 'query: '.length : 0), 0);
  }
}

function create(options: Partial<EmbeddingCacheOptions> = {}) {
  const engine = new HeldEngine();
  const lookups: string[] = [];
  const cache = new EmbeddingCache(engine, {
    maxBytes: 100_000,
    shares: true,
    metrics: { cacheLookedUp: (name, hit) => lookups.push(`${name} ${hit ? 'hit' : 'miss'}`) },
    ...options,
  });
  const end = async (number: number) => {
    engine.calls[number]?.end();
    await new Promise(setImmediate);
  };
  const texts = () => engine.calls.map((call) => call.texts);
  return { engine, cache, lookups, end, texts };
}

describe('a text that was embedded', () => {
  it('is not embedded again, in the same role', async () => {
    const { cache, end, texts, lookups } = create();
    const first = cache.embed(['bird'], 'query');
    await end(0);
    const again = await cache.embed(['bird'], 'query');
    expect(again).toEqual({ ...(await first), timing: { queueMs: 0, runMs: 0 } });
    const other = cache.embed(['bird'], 'passage');
    await end(1);
    expect([...(await other).vectors[0]!]).toEqual([4, 0]);
    expect(texts()).toEqual([['bird'], ['bird']]);
    expect(lookups.filter((line) => line === 'embedding hit')).toHaveLength(1);
    expect(lookups.filter((line) => line === 'embedding miss')).toHaveLength(2);
  });

  it('is embedded again when it was forgotten, or when nothing is kept', async () => {
    // Room for one text of four letters with its vector and what an entry costs.
    for (const maxBytes of [240, 0]) {
      const { cache, end, texts } = create({ maxBytes });
      for (const [number, text] of ['bird', 'fish', 'bird'].entries()) {
        const embedded = cache.embed([text], 'query');
        await end(number);
        await embedded;
      }
      expect(texts()).toEqual([['bird'], ['fish'], ['bird']]);
      expect(cache.bytes).toBeLessThanOrEqual(maxBytes);
    }
  });

  it('leaves only the others of a call to the engine, and the tokens of all are counted', async () => {
    const { cache, end, texts, engine } = create();
    const pair = cache.embed(['bird', 'fish'], 'query');
    await end(0);
    expect((await pair).tokens).toBe(22);
    const mixed = cache.embed(['frog', 'fish', 'ox'], 'query');
    await end(1);
    expect((await mixed).vectors.map(([length]) => length)).toEqual([4, 4, 2]);
    expect((await mixed).tokens).toBe(31);
    expect(texts()).toEqual([
      ['bird', 'fish'],
      ['frog', 'ox'],
    ]);
    expect((await cache.embed(['fish'], 'query')).tokens).toBe(11);
    expect(engine.counted).toBe(3);
  });
});

describe('a text that is being embedded', () => {
  it('is embedded once for all who want it at the time, and for a call that has it twice', async () => {
    const { cache, end, texts, lookups } = create();
    const answers = [cache.embed(['bird'], 'query'), cache.embed(['bird', 'fish', 'fish'], 'query')];
    await end(0);
    await end(1);
    const [one, three] = await Promise.all(answers);
    expect(texts()).toEqual([['bird'], ['fish']]);
    expect(three?.vectors[0]).toBe(one?.vectors[0]);
    expect(three?.tokens).toBe(33);
    expect(lookups.filter((line) => line.startsWith('in_flight'))).toEqual([
      'in_flight miss',
      'in_flight hit',
      'in_flight miss',
      'in_flight hit',
    ]);
    expect(cache.inFlight).toBe(0);
  });

  it('is embedded by each where sharing is off', async () => {
    const { cache, end, texts } = create({ shares: false });
    const answers = [cache.embed(['bird', 'bird'], 'query'), cache.embed(['bird'], 'query')];
    await end(0);
    await end(1);
    await Promise.all(answers);
    expect(texts()).toEqual([['bird', 'bird'], ['bird']]);
  });

  it('costs who joins no more time than the joiner has seen', async () => {
    const { cache, end } = create();
    const answers = [cache.embed(['bird'], 'query'), cache.embed(['bird'], 'query')];
    await end(0);
    const startedAt = performance.now();
    for (const { timing } of await Promise.all(answers)) {
      expect(timing.queueMs + timing.runMs).toBeLessThanOrEqual(performance.now() - startedAt + 1_000);
      expect(timing.runMs).toBeLessThan(1_000);
    }
  });

  it('goes on while anybody wants it, and is withdrawn when nobody does', async () => {
    const { cache, end, engine } = create();
    const [first, second] = [new AbortController(), new AbortController()];
    const gone = cache.embed(['bird'], 'query', first);
    const stays = cache.embed(['bird'], 'query', second);
    first.abort();
    await expect(gone).rejects.toThrow(CancelledError);
    expect(engine.calls[0]?.options.signal?.aborted).toBe(false);
    await end(0);
    expect((await stays).vectors).toHaveLength(1);
    const lonely = cache.embed(['fish'], 'query', second);
    second.abort();
    await expect(lonely).rejects.toThrow(CancelledError);
    expect(engine.calls[1]?.options.signal?.aborted).toBe(true);
    expect(cache.inFlight).toBe(0);
    await expect(cache.embed(['ox'], 'query', second)).rejects.toThrow(CancelledError);
    const after = cache.embed(['fish'], 'query');
    await end(2);
    expect((await after).vectors).toHaveLength(1);
  });

  it('keeps no text that failed, and fails nobody for the text of another', async () => {
    const { cache, end, engine, texts } = create();
    const own = cache.embed(['bird', TOO_LONG], 'passage');
    const other = cache.embed(['bird', 'fish'], 'passage');
    await Promise.all([expect(own).rejects.toThrow(ContextLengthError), end(0), end(1)]);
    expect(texts()[2]).toEqual(['bird', 'fish']);
    await end(2);
    expect((await other).vectors).toHaveLength(2);
    const again = cache.embed(['bird'], 'passage');
    expect(engine.calls).toHaveLength(4);
    await end(3);
    await again;
    expect(cache.inFlight).toBe(0);
  });
});
