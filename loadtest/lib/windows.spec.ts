import { expect, test } from 'vitest';
import { windowsOf } from './windows.ts';

test('a run has about sixty windows at most, and one for its last request', () => {
  expect(windowsOf(5_000)).toEqual({ lengthMs: 1_000, count: 6 });
  expect(windowsOf(60_000)).toEqual({ lengthMs: 1_000, count: 61 });
  expect(windowsOf(61_000)).toEqual({ lengthMs: 2_000, count: 31 });
  expect(windowsOf(1_200_000)).toEqual({ lengthMs: 20_000, count: 61 });
  expect(windowsOf(86_400_000)).toEqual({ lengthMs: 1_800_000, count: 49 });
});
