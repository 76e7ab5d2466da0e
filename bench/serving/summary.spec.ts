import { expect, test } from 'vitest';
import type { RequestRecord } from './load.ts';
import { completedWithin, median, quantile, summarize } from './summary.ts';

const record = (dueAt: number, doneAt: number, more: Partial<RequestRecord> = {}): RequestRecord => ({
  dueAt,
  sentAt: dueAt,
  firstTokenAt: undefined,
  doneAt,
  status: 200,
  tokens: 10,
  ...more,
});

test('a quantile is a value that was measured', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect(quantile(hundred, 0.5)).toBe(50);
  expect(quantile(hundred, 0.99)).toBe(99);
  expect(quantile([3], 0.99)).toBe(3);
  expect(quantile([], 0.5)).toBeNaN();
});

test('a median of an even number of values lies between the two in the middle', () => {
  expect(median([4, 1, 3])).toBe(3);
  expect(median([4, 1, 3, 2])).toBe(2.5);
});

test('bursts count by their share of the window, wherever it begins', () => {
  // Batches of 4, each a second long, back to back: 4 a second whatever the phase.
  const batches = Array.from({ length: 40 }, (_, i) => {
    const start = 1000 * Math.floor(i / 4);
    return record(start, start + 1000);
  });
  for (const from of [1000, 1300, 1999]) {
    expect(completedWithin(batches, { from, to: from + 5000 }) / 5).toBeCloseTo(4);
    expect(completedWithin(batches, { from, to: from + 2500 }) / 2.5).toBeCloseTo(4);
  }
});

test('what failed counts as a failure and not as throughput', () => {
  const records = [record(0, 500), record(0, 500, { status: 429 }), record(0, 500, { status: 0 })];
  const { requests, failures, requestsPerSecond } = summarize([
    { records, window: { from: 0, to: 1000 }, cpu: { server: 1, others: 0 } },
  ]);
  expect({ requests, failures, requestsPerSecond }).toEqual({ requests: 3, failures: 2, requestsPerSecond: 1 });
});

test('latency counts from when a request was due, and only those due in the window', () => {
  const records = [record(0, 50), record(100, 350, { sentAt: 130, firstTokenAt: 200 }), record(1200, 1300)];
  const summary = summarize([{ records, window: { from: 100, to: 1100 }, cpu: { server: 0.5, others: 0 } }]);
  expect(summary.requests).toBe(1);
  expect(summary.latency.p50).toBe(250);
  expect(summary.firstToken.p50).toBe(100);
  expect(summary.lagP99).toBe(30);
  expect(summary.cpuSecondsPerRequest).toBe(0.5);
});

test('without a first token of its own, an answer begins when it ends', () => {
  const summary = summarize([
    { records: [record(0, 80)], window: { from: 0, to: 100 }, cpu: { server: 0, others: 0 } },
  ]);
  expect(summary.firstToken).toEqual(summary.latency);
});

test('runs of one kind are one sample', () => {
  const run = (latency: number) => ({
    records: [record(0, latency), record(0, latency)],
    window: { from: 0, to: 1000 },
    cpu: { server: 1, others: 0 },
  });
  const { requests, latency, requestsPerSecond } = summarize([run(100), run(300)]);
  expect({ requests, p50: latency.p50, p99: latency.p99, requestsPerSecond }).toEqual({
    requests: 4,
    p50: 100,
    p99: 300,
    requestsPerSecond: 2,
  });
});
