/** Is a timer that fires late made up for, so that a busy machine does not make paced pods slow? */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Pace } from './pace.ts';

const STEP_MS = 10;
let now = 0;
let pace: Pace;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setImmediate', 'Date'] });
  now = 0;
  pace = new Pace({ stepMs: STEP_MS, curve: [[1, 1]], slots: 1, now: () => now });
});
afterEach(() => {
  vi.useRealTimers();
});

/** How long its timer is set for; then `lateMs` pass beyond that. */
async function stepWaits(lateMs: number): Promise<number> {
  const step = pace.step(1, 1);
  const before = vi.getMockedSystemTime()!.getTime();
  await vi.runAllTimersAsync();
  await step;
  const waitedMs = vi.getMockedSystemTime()!.getTime() - before;
  now += waitedMs + lateMs;
  return waitedMs;
}

it('the next step is shorter by what the last was late', async () => {
  expect(await stepWaits(4)).toBe(10);
  expect(await stepWaits(25)).toBe(6);
  // Two steps late: one is made up for at once.
  expect(await stepWaits(0)).toBe(0);
  expect(await stepWaits(0)).toBe(0);
  expect(await stepWaits(0)).toBe(5);
});

it('nothing is made up for after idleness', async () => {
  await stepWaits(7);
  pace.idle();
  expect(await stepWaits(0)).toBe(10);
});

it('a process that was frozen has lost that time', async () => {
  await stepWaits(5_000);
  expect(await stepWaits(0)).toBe(10);
});
