import { describe, expect, it } from 'vitest';
import { settled } from '../../../test/support/hand-clock.ts';
import { Turns } from './turns.ts';

const never = new AbortController().signal;

function open(turns: Turns, name: string, log: string[], signal = never) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = turns.run(async () => {
    log.push(name);
    await promise;
  }, signal);
  return { done, finish: resolve };
}

describe('turns', () => {
  it('come in the order of asking, when others are done', async () => {
    const turns = new Turns(2);
    const log: string[] = [];
    const [a] = ['a', 'b', 'c', 'd'].map((name) => open(turns, name, log));
    await settled();
    expect(log).toEqual(['a', 'b']);
    a?.finish();
    await a?.done;
    await settled();
    expect(log).toEqual(['a', 'b', 'c']);
  });

  it('are passed on by work that fails, and not taken by whoever has left', async () => {
    const turns = new Turns(1);
    const log: string[] = [];
    const broken = turns.run(() => Promise.reject(new Error('broken')), never);
    const leaving = new AbortController();
    const left = open(turns, 'left', log, leaving.signal);
    const last = open(turns, 'last', log);
    leaving.abort(new Error('away'));
    await expect(left.done).rejects.toThrow('away');
    await expect(broken).rejects.toThrow('broken');
    await settled();
    expect(log).toEqual(['last']);
    last.finish();
    await last.done;
    const after = open(turns, 'after', log);
    await settled();
    expect(log).toEqual(['last', 'after']);
    after.finish();
  });
});
