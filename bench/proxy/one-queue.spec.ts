import { expect, test } from 'vitest';
import { oneQueueTimes } from './one-queue.ts';

test('a free slot answers at once, the fastest of them first', () => {
  expect(oneQueueTimes([0, 0], [10, 10], [2, 1])).toEqual([10, 20]);
});

test('who finds no free slot waits for the first, in order', () => {
  expect(oneQueueTimes([0, 1, 2], [10, 10, 10], [1])).toEqual([10, 19, 28]);
});

test('a slot that is free again is free', () => {
  expect(oneQueueTimes([0, 50], [10, 10], [1])).toEqual([10, 10]);
});
