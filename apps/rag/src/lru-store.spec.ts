import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LruStore } from './lru-store.ts';

describe('the store', () => {
  it('forgets what was used least recently', () => {
    const store = new LruStore<number>(30);
    for (const key of ['a', 'b', 'c']) store.set(key, 1, 10);
    store.get('a');
    store.set('d', 1, 10);
    expect(['a', 'b', 'c', 'd'].map((key) => store.get(key))).toEqual([1, undefined, 1, 1]);
  });

  it('keeps nothing that alone is too large, nor what it replaces', () => {
    const store = new LruStore<number>(10);
    store.set('a', 1, 10);
    store.set('a', 2, 11);
    expect([store.get('a'), store.bytes]).toEqual([undefined, 0]);
  });

  it('never holds more bytes than it may, and the latest always', () => {
    const entry = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.integer({ min: 1, max: 60 }), fc.boolean());
    fc.assert(
      fc.property(fc.array(entry), (entries) => {
        const store = new LruStore<number>(100);
        for (const [key, bytes, reads] of entries) {
          if (reads) store.get(key);
          else store.set(key, bytes, bytes);
          const held = ['a', 'b', 'c', 'd', 'e'].map((each) => [each, store.get(each)] as const);
          expect(store.bytes).toBe(held.reduce((sum, [, value = 0]) => sum + value, 0));
          expect(store.bytes).toBeLessThanOrEqual(100);
          if (!reads) expect(store.get(key)).toBe(bytes);
        }
      }),
    );
  });
});
