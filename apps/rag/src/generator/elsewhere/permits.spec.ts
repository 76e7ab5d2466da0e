import { expect, it } from 'vitest';
import { Permits } from './permits.ts';

/** Work that ends when it is told to. */
function open(permits: Permits, begun: string[], name: string, order?: number, signal?: AbortSignal) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = permits.with(
    async () => {
      begun.push(name);
      await promise;
    },
    signal,
    order,
  );
  done.catch(() => undefined);
  return { done, finish: resolve };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

it('lets as many in as there are, then one for each that leaves, the lowest order first', async () => {
  const permits = new Permits(2);
  const begun: string[] = [];
  const [a, b] = [open(permits, begun, 'a', 1), open(permits, begun, 'b', 2)];
  const [c, d] = [open(permits, begun, 'c', 4), open(permits, begun, 'd', 3)];
  await turn();
  expect(begun).toEqual(['a', 'b']);
  a.finish();
  await a.done;
  await turn();
  expect(begun).toEqual(['a', 'b', 'd']);
  for (const each of [b, c, d]) each.finish();
  await Promise.all([b.done, c.done, d.done]);
  expect(begun).toEqual(['a', 'b', 'd', 'c']);
});

it('forgets who gives up while waiting, and keeps no permit of who fails', async () => {
  const permits = new Permits(1);
  const begun: string[] = [];
  const first = open(permits, begun, 'first');
  const gone = new AbortController();
  const second = open(permits, begun, 'second', undefined, gone.signal);
  const third = permits.with(async () => {
    begun.push('third');
    throw new Error('failed');
  }, undefined);
  third.catch(() => undefined);
  const fourth = open(permits, begun, 'fourth');
  gone.abort(new Error('gone'));
  await expect(second.done).rejects.toThrow('gone');
  first.finish();
  await expect(third).rejects.toThrow('failed');
  fourth.finish();
  await fourth.done;
  expect(begun).toEqual(['first', 'third', 'fourth']);
});
