import { expect, test } from 'vitest';
import { quietly } from './quiet.ts';

const run = (others: number) => ({ records: [], window: { from: 0, to: 1000 }, cpu: { server: 1, others } });

test('a quiet run stands at once', async () => {
  const runs = [run(0.05), run(0)];
  expect(
    await quietly(
      2,
      async () => runs.shift()!,
      () => expect.unreachable(),
    ),
  ).toEqual(run(0.05));
});

test('a noisy run is made again, and the quietest stands', async () => {
  const runs = [run(0.9), run(0.4), run(0.7)];
  const noise: number[] = [];
  expect(
    await quietly(
      2,
      async () => runs.shift()!,
      (taken) => noise.push(taken),
    ),
  ).toEqual(run(0.4));
  expect(noise).toEqual([0.9, 0.4]);
});
