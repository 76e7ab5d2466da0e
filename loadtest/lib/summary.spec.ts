import { expect, test } from 'vitest';
import { METRICS, tagged, taggedMetrics } from './measures.ts';
import { pageOf } from './page.ts';
import { planOf } from './plan.ts';
import { readSettings } from './settings.ts';
import { reportOf, type SummaryData } from './summary.ts';
import { announcement, textOf } from './terminal.ts';
import { windowsOf } from './windows.ts';

const EVIL = `<script>alert("x")</script> & 'co'`;

const settings = readSettings({ NAME: EVIL, API_KEY: 'secret-key', OBJECTIVE: '500ms' }, 'poisson');
const { stages, durationMs } = planOf(
  [
    { name: '2/s', rate: 2, arrivalsMs: [100, 900], durationMs: 1_000 },
    { name: '<b>4/s', rate: 4, arrivalsMs: [10, 20, 30, 40], durationMs: 1_000 },
  ],
  500,
);
const outline = { stages, requests: 6, durationMs, virtualUsers: 6, variation: 1 };
const windows = windowsOf(durationMs);

const trend = (...values: number[]) => ({
  values: {
    count: values.length,
    avg: values.reduce((sum, value) => sum + value, 0) / values.length,
    min: Math.min(...values),
    max: Math.max(...values),
    'p(50)': values[0]!,
    'p(95)': values.at(-1)!,
    'p(99)': values.at(-1)!,
  },
});
const counted = (count: number) => ({ values: { count } });

/** Two answers in the first stage; in the second an answer, a refusal and a loss, and one that was never sent. */
const data: SummaryData = {
  state: { testRunDurationMs: 4_000 },
  metrics: {
    [METRICS.duration]: trend(100, 300, 800),
    [tagged(METRICS.duration, { stage: 0 })]: trend(100, 300),
    [tagged(METRICS.duration, { stage: 1 })]: trend(800),
    [tagged(METRICS.duration, { window: 0 })]: trend(100, 300),
    [tagged(METRICS.outcomes, { outcome: 'answered' })]: counted(3),
    [tagged(METRICS.outcomes, { outcome: 'refused' })]: counted(1),
    [tagged(METRICS.outcomes, { outcome: 'failed' })]: {
      ...counted(1),
      thresholds: { 'count==0': { ok: false } },
    },
    [tagged(METRICS.outcomes, { outcome: 'answered', stage: 0 })]: counted(2),
    [tagged(METRICS.outcomes, { outcome: 'answered', stage: 1 })]: counted(1),
    [tagged(METRICS.outcomes, { outcome: 'refused', stage: 1 })]: counted(1),
    [tagged(METRICS.outcomes, { outcome: 'failed', stage: 1 })]: counted(1),
    [tagged(METRICS.outcomes, { outcome: 'refused', reason: 'queue_full' })]: counted(1),
    [tagged(METRICS.outcomes, { outcome: 'failed', reason: 'connection_lost' })]: counted(1),
    [tagged(METRICS.outcomes, { outcome: 'answered', window: 0 })]: counted(2),
    [tagged(METRICS.outcomes, { status: 200 })]: counted(3),
    [tagged(METRICS.outcomes, { status: 0 })]: counted(1),
    [METRICS.good]: counted(2),
    [tagged(METRICS.good, { stage: 0 })]: counted(2),
    [tagged(METRICS.elapsed, { stage: 0 })]: trend(1_000),
    [tagged(METRICS.elapsed, { stage: 1 })]: trend(2_000),
    [tagged(METRICS.carriedOver, { stage: 1 })]: trend(1),
    [tagged(METRICS.serverTime, { part: 'queue' })]: trend(5, 7),
    [METRICS.inFlight]: trend(1, 3),
    [METRICS.lag]: trend(0.5, 2),
    [METRICS.late]: counted(1),
  },
};

const report = reportOf({ test: 'poisson', settings, outline, windows, data, now: new Date('2026-11-22T12:00:00Z') });

test('the report accounts for every request', () => {
  expect(report.total).toMatchObject({
    planned: 6,
    sent: 5,
    good: 2,
    outcomes: { answered: 3, refused: 1, broken: 0, failed: 1 },
  });
  expect(report.generator).toMatchObject({ virtualUsers: 6, mostInFlight: 3, late: 1, dropped: 1 });
  expect(report.reasons).toEqual([
    { outcome: 'refused', reason: 'queue_full', count: 1 },
    { outcome: 'failed', reason: 'connection_lost', count: 1 },
  ]);
  expect(report.statuses).toEqual([
    { status: 0, count: 1 },
    { status: 200, count: 3 },
  ]);
  expect(report.passed).toBe(false);
});

test('a stage has its own numbers, and its throughput is of answers until its last request ended', () => {
  expect(report.stages.map(({ name, throughput, good, carriedOver }) => [name, throughput, good, carriedOver])).toEqual(
    [
      ['2/s', 2, 2, 0],
      ['<b>4/s', 0.5, 0, 1],
    ],
  );
  expect(report.stages[0]!.latency).toMatchObject({ count: 2, mean: 200, p50: 100, p99: 300, max: 300 });
  expect(report.stages[1]!.firstToken).toEqual({
    count: 0,
    mean: null,
    p50: null,
    p95: null,
    p99: null,
    max: null,
    distribution: [],
  });
  expect(report.windows.rows.map(({ outcomes, p50 }) => [outcomes.answered, p50])).toEqual([
    [2, 100],
    [0, null],
    [0, null],
  ]);
});

test('a run that was not sent whole has not passed, whatever k6 says', () => {
  const { thresholds: _, ...failed } = data.metrics[tagged(METRICS.outcomes, { outcome: 'failed' })]!;
  const without = { ...data, metrics: { ...data.metrics, [tagged(METRICS.outcomes, { outcome: 'failed' })]: failed } };
  const parts = { test: 'x', settings, windows, data: without, now: new Date() };
  expect(reportOf({ ...parts, outline }).passed).toBe(false);
  expect(reportOf({ ...parts, outline: { ...outline, requests: 5 } }).passed).toBe(true);
});

test('everything that the report reads of a tag is something that k6 is told to keep', () => {
  const kept = new Set<string>([...taggedMetrics(stages.length, windows.count), ...Object.values(METRICS)]);
  const asked = new Set<string>();
  const metrics = new Proxy({} as SummaryData['metrics'], {
    get: (_, name) => {
      asked.add(String(name));
      return undefined;
    },
  });
  reportOf({ test: 'x', settings, outline, windows, data: { ...data, metrics }, now: new Date() });
  expect(asked.size).toBeGreaterThan(100);
  expect([...asked].filter((name) => !kept.has(name))).toEqual([]);
});

test('the page shows what it was given as text, and holds no secret', () => {
  const page = pageOf(report);
  expect(page).not.toContain('<script');
  expect(page).not.toContain('<b>');
  expect(page).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;co&#39;');
  expect(page + JSON.stringify(report)).not.toContain('secret-key');
  expect(page.match(/<svg/g)).toHaveLength(5);
  expect(page).not.toMatch(/NaN|Infinity|undefined/);
  expect(page).not.toMatch(/(?:src|href)=|url\(|@import/);
});

test('a run without a single answer has a page and a text too', () => {
  const nothing = reportOf({ test: 'x', settings, outline, windows, data: { ...data, metrics: {} }, now: new Date() });
  expect(pageOf(nothing)).not.toMatch(/NaN|Infinity|undefined/);
  expect(textOf(nothing)).toContain('0 of 6 requests were sent, 6 were not');
});

test('the text says what happened, and what was not met', () => {
  const text = textOf(report);
  for (const part of [
    'refused: 1 x queue_full',
    'failed: 1 x connection_lost',
    '5 of 6 requests were sent',
    'k6 did not keep up',
    'NOT MET: request_outcomes{outcome:failed} count==0',
    'FAILED',
  ]) {
    expect(text).toContain(part);
  }
  expect(announcement(settings, outline)).toBe(
    '6 requests in 2 stages to http://localhost:9000 in 3 s, with 6 virtual users',
  );
});
