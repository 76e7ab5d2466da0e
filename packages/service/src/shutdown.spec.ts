import { describe, expect, it } from 'vitest';
import { Lifecycle } from './lifecycle.ts';
import { shutDown } from './shutdown.ts';

function recorded(lifecycle: Lifecycle) {
  const steps: string[] = [];
  const note = (step: string) => () => {
    steps.push(`${step} while ${lifecycle.state}`);
  };
  return { steps, stopListening: note('stop listening'), abort: note('abort'), close: async () => note('close')() };
}

describe('shutting down', () => {
  it('waits for what is in flight, then closes', async () => {
    const lifecycle = new Lifecycle();
    lifecycle.advance('ready');
    const work = Promise.withResolvers<void>();
    const tracked = lifecycle.track(() => work.promise);
    const { steps, ...parts } = recorded(lifecycle);
    const ended = shutDown({ lifecycle, drainDelayMs: 5, timeoutMs: 10_000, ...parts });
    expect(lifecycle.state).toBe('leaving');
    setTimeout(() => work.resolve(), 30);
    expect(await ended).toBe(0);
    await tracked;
    expect(steps).toEqual(['stop listening while draining', 'close while draining']);
  });

  it('aborts what outlasts the timeout and says how many', async () => {
    const lifecycle = new Lifecycle();
    lifecycle.advance('ready');
    const work = Promise.withResolvers<void>();
    const tracked = lifecycle.track(() => work.promise);
    const { steps, ...parts } = recorded(lifecycle);
    const abort = () => {
      parts.abort();
      work.resolve();
    };
    expect(await shutDown({ lifecycle, drainDelayMs: 0, timeoutMs: 5, ...parts, abort })).toBe(1);
    await tracked;
    expect(steps).toEqual(['stop listening while draining', 'abort while draining', 'close while draining']);
  });

  it('does not delay when it never was ready', async () => {
    const lifecycle = new Lifecycle();
    const { steps, ...parts } = recorded(lifecycle);
    await shutDown({ lifecycle, drainDelayMs: 1_000_000, timeoutMs: 0, ...parts });
    expect(steps).toHaveLength(2);
  });
});
