import { expect, it } from 'vitest';
import { inParallel } from './in-parallel.ts';

it('does all, no more than so many at once', async () => {
  let now = 0;
  let most = 0;
  const done: number[] = [];
  await inParallel(3, [1, 2, 3, 4, 5, 6, 7], async (item) => {
    most = Math.max(most, ++now);
    await Promise.resolve();
    now--;
    done.push(item);
  });
  expect(most).toBe(3);
  expect(done.toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

it('fails when all under way are done', async () => {
  const done: number[] = [];
  const all = inParallel(2, [1, 2, 3], async (item) => {
    if (item === 1) throw new Error('one');
    await Promise.resolve();
    done.push(item);
  });
  await expect(all).rejects.toThrow('one');
  expect(done).toEqual([2, 3]);
});
