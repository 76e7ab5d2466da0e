import { expect, test } from 'vitest';
import type { RequestRecord } from './load.ts';
import { recoveryMs, summarizePhase } from './overload-summary.ts';

const record = (dueAt: number, latency: number, status = 200): RequestRecord => ({
  dueAt,
  sentAt: dueAt,
  firstTokenAt: undefined,
  doneAt: dueAt + latency,
  status,
  tokens: 64,
});

test('only complete answers within the objective are goodput', () => {
  const records = [record(0, 900), record(10, 1100), record(20, 3, 429), record(30, 4, 504), record(40, 100, 0)];
  const phase = summarizePhase(records, { from: 0, to: 2000 }, 1000);
  expect(phase.goodput).toBe(0.5);
  expect(phase.offered).toBe(2.5);
  expect(phase.statuses).toEqual({ 0: 1, 200: 2, 429: 1, 504: 1 });
  expect(phase.refusalP99).toBe(3);
  expect(phase.longestMs).toBe(1100);
});

test('a phase is what was due in it', () => {
  const records = [record(0, 100), record(1000, 100), record(2000, 100)];
  expect(summarizePhase(records, { from: 1000, to: 2000 }, 500).statuses).toEqual({ 200: 1 });
});

test('latency is back when enough requests in a row were fast', () => {
  const times = [3000, 100, 2000, 100, 100, 100, 100];
  const records = times.map((latency, i) => record(1000 + 100 * i, latency));
  expect(recoveryMs(records, 1000, 500, 3)).toBe(300);
  expect(recoveryMs(records, 1000, 500, 1)).toBe(100);
  expect(recoveryMs(records, 1000, 500, 5)).toBeUndefined();
});

test('a refusal is not fast', () => {
  const records = [record(0, 5, 429), record(100, 50), record(200, 50)];
  expect(recoveryMs(records, 0, 500, 2)).toBe(100);
});
