import { expect, it } from 'vitest';
import { pauseMs, realClock } from './clock.ts';

it('pauses grow from half a second to half a minute', () => {
  expect([1, 2, 3, 6, 7, 8, 1_000_000].map((failures) => pauseMs(failures, 1))).toEqual([
    500, 1000, 2000, 16_000, 30_000, 30_000, 30_000,
  ]);
});

it('pauses are drawn from the upper half', () => {
  expect(pauseMs(1, 0)).toBe(250);
  expect(pauseMs(7, 0.5)).toBe(22_500);
});

it('a sleep ends early, without an error, when it is called off', async () => {
  const abort = new AbortController();
  const asleep = realClock.sleep(60_000, abort.signal);
  abort.abort();
  await asleep;
  await realClock.sleep(60_000, abort.signal);
});
