import { expect, test } from 'vitest';
import type { ChaosRecord } from '../chaos/run-chaos.ts';
import { summarizeKill } from './kill.ts';

const record = (dueMs: number, endMs: number, ending: ChaosRecord['ending'] = 'answered'): ChaosRecord => ({
  ending,
  status: 200,
  sentAt: 0,
  firstTokenAt: undefined,
  began: false,
  doneAt: 0,
  stream: false,
  dueMs,
  endMs,
});

test('a request that was under way when the pod was killed belongs to the time after', () => {
  const { beforeP99, afterLongest, failed } = summarizeKill('any', [
    record(1000, 1100),
    record(3900, 4900),
    record(3950, 4001, 'reset'),
    record(5000, 5100),
  ]);
  expect({ beforeP99, afterLongest, failed }).toEqual({ beforeP99: 100, afterLongest: 1000, failed: 1 });
});

test('the timeline has the longest of each stretch, and nothing where nobody was answered', () => {
  const { timeline } = summarizeKill('any', [record(4010, 4030), record(4020, 4100), record(4300, 4310, 'reset')]);
  expect(timeline).toEqual([
    { fromMs: 0, longestMs: 80, failed: 0 },
    { fromMs: 250, longestMs: null, failed: 1 },
  ]);
});
