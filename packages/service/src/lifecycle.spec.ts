import { describe, expect, it } from 'vitest';
import { Lifecycle } from './lifecycle.ts';

describe('a lifecycle', () => {
  it('goes forward only: told to leave while it starts, it never becomes ready', () => {
    const lifecycle = new Lifecycle();
    lifecycle.advance('leaving');
    lifecycle.advance('ready');
    expect(lifecycle.state).toBe('leaving');
  });

  it('is idle when everything in flight has settled, failures included', async () => {
    const lifecycle = new Lifecycle();
    const first = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    const tracked = [lifecycle.track(() => first.promise), lifecycle.track(() => second.promise)];
    let idle = false;
    const done = lifecycle.idle().then(() => {
      idle = true;
    });
    first.resolve();
    await tracked[0];
    expect([lifecycle.inFlight, idle]).toEqual([1, false]);
    second.reject(new Error('failed'));
    await expect(tracked[1]).rejects.toThrow('failed');
    await done;
    expect(lifecycle.inFlight).toBe(0);
    await lifecycle.idle();
  });
});
