import { expect, test } from 'vitest';
import { countOutcomes } from './counts.ts';
import type { ChaosRecord } from './run-chaos.ts';

const record = (more: Partial<ChaosRecord>): ChaosRecord => ({
  ending: 'answered',
  status: 200,
  sentAt: 0,
  firstTokenAt: undefined,
  began: false,
  doneAt: 0,
  stream: false,
  dueMs: 0,
  endMs: 10,
  ...more,
});

test('failures are counted by kind', () => {
  const counts = countOutcomes(
    [
      record({}),
      record({ ending: 'status', status: 502 }),
      record({ ending: 'status', status: 502 }),
      record({ ending: 'status', status: 500 }),
      record({ ending: 'reset', status: 0 }),
      record({ ending: 'cut' }),
      record({ ending: 'timeout', status: 0 }),
      record({ ending: 'broken-stream', stream: true, began: true }),
      record({ ending: 'error-event', stream: true, began: true }),
    ],
    [],
  );
  expect(counts).toMatchObject({
    requests: 9,
    answered: 1,
    statuses: { 500: 1, 502: 2 },
    reset: 2,
    timeouts: 1,
    brokenStreams: 1,
    errorEvents: 1,
  });
});

test('a stream that had begun could not have been answered by another pod, whatever had not begun could', () => {
  const began = { ending: 'broken-stream', stream: true, began: true } as const;
  const not = { ending: 'error-event', stream: true } as const;
  const told = { ...began, ending: 'error-event' } as const;
  const counts = countOutcomes([record(began), record(told), record(not), record({ ending: 'reset' })], []);
  expect(counts).toMatchObject({ avoidable: 2, lostSilently: 1, errorEvents: 2 });
});

test('a failure belongs to the fault of its time', () => {
  const events = [
    { fault: 'kill', pod: 0, fromMs: 1000, toMs: 2000 },
    { fault: 'freeze', pod: 1, fromMs: 6000, toMs: 7000 },
  ] as const;
  const failed = (dueMs: number, endMs: number) => record({ ending: 'reset', dueMs, endMs });
  const { byFault } = countOutcomes([failed(100, 200), failed(900, 1000), failed(6500, 6600)], events);
  expect(byFault).toEqual({ kill: 1, drain: 0, freeze: 1, fail: 0, none: 1 });
});

test('latency is that of whole answers, from when they were due', () => {
  const records = [record({ dueMs: 5, endMs: 25 }), record({ stream: true, endMs: 900 }), record({ ending: 'reset' })];
  expect(countOutcomes(records, [])).toMatchObject({ p50: 20, p99: 20, longestMs: 20 });
});
