import { describe, expect, it } from 'vitest';
import type { FaultRecord } from './chaos.ts';
import type { SoakRecord } from './soak-load.ts';
import { type Findings, faultsDuring, verdictOf } from './verdict.ts';
import { type Life, WATCHED_METRICS, type WatchedMetric } from './watch.ts';

const request = (more: Partial<SoakRecord> = {}): SoakRecord => ({
  outcome: 'answered',
  status: 200,
  reason: '',
  requestId: 'id',
  headers: {},
  body: '',
  streamed: false,
  dueAt: 0,
  dueMs: 0,
  lagMs: 1,
  durationMs: 100,
  askedAgain: 0,
  ...more,
});

function life(name: string, value: (metric: WatchedMetric, share: number) => number, seconds = 120): Life {
  const count = seconds / 2;
  const series = (metric: WatchedMetric) =>
    Array.from({ length: count }, (_, i) => ({ atMs: i * 2_000, value: value(metric, i / count) }));
  const points = Object.fromEntries(WATCHED_METRICS.map((metric) => [metric, series(metric)])) as Life['points'];
  return { name, part: 'pod', startedAt: 0, points };
}

const flat = life('pod a', () => 100);
const killed: FaultRecord = { kind: 'kill-pod', fromMs: 1_000, toMs: 5_000, victim: 'pod a' };
const good: Findings = {
  planned: 2,
  minutes: 2,
  records: [request(), request({ outcome: 'refused', status: 429, reason: 'queue_full' })],
  faults: [killed],
  lives: [flat],
  replicas: [],
  unrest: [],
};
const failing = (more: Partial<Findings>) =>
  verdictOf({ ...good, ...more })
    .checks.filter(({ holds }) => !holds)
    .map(({ what }) => what);

describe('a run', () => {
  it('passes when all is accounted for, nothing failed, nothing grew and all is at rest', () => {
    const verdict = verdictOf(good);
    expect(verdict.checks.filter(({ holds }) => !holds)).toEqual([]);
    expect(verdict.passed).toBe(true);
    expect(verdict.account).toMatchObject({ asked: 2, answered: 1, refused: 1, broken: 0, failed: 0 });
  });

  it('fails with one failed request', () => {
    const records = [request(), request({ outcome: 'failed', status: 502 })];
    expect(failing({ records })).toEqual(['no request failed']);
    expect(verdictOf({ ...good, records }).passed).toBe(false);
  });

  it('fails when a request is missing from the account', () => {
    expect(failing({ planned: 3 })).toEqual(['every request is accounted for']);
    expect(failing({ planned: 0, records: [] })).toEqual(['every request is accounted for']);
  });

  it('fails when nothing was done, or something could not be done or undone', () => {
    expect(failing({ faults: [] })).toEqual(['faults were done, and undone']);
    expect(failing({ faults: [{ ...killed, victim: '', leftOut: 'one pod' }] })).toEqual([
      'faults were done, and undone',
    ]);
    expect(failing({ faults: [killed, { ...killed, error: 'not undone' }] })).toEqual(['faults were done, and undone']);
  });

  it('fails when a process grew, and names it', () => {
    const leak = life('pod b', (metric, share) => (metric === 'process_open_fds' ? 20 + 60 * share : 100));
    const verdict = verdictOf({ ...good, lives: [flat, leak] });
    const check = verdict.checks.find(({ what }) => what === 'no process grew');
    expect(check).toMatchObject({ holds: false });
    expect(check?.found).toMatch(/^open files of pod b by 2\d\.\d, allowed 8\.0$/);
  });

  it('lets memory of a young process grow by more, and of no old one', () => {
    const growing = (seconds: number) =>
      life('pod b', (metric, share) => (metric.startsWith('process_resident') ? 200e6 + 80e6 * share : 100), seconds);
    expect(failing({ lives: [growing(120)] })).toEqual([]);
    expect(failing({ lives: [growing(1_200)], minutes: 20 })).toEqual(['no process grew']);
  });

  it('fails when no process could be judged', () => {
    expect(failing({ lives: [] })).toEqual(['no process grew']);
    expect(failing({ lives: [life('young', (_, share) => 1e9 * share, 40)] })).toEqual(['no process grew']);
  });

  it('fails when something did not come to rest', () => {
    expect(failing({ unrest: ['proxy: ragscale_proxy_in_flight is 1'] })).toEqual(['all came to rest']);
  });

  it('counts whoever asked again', () => {
    expect(verdictOf({ ...good, records: [request({ askedAgain: 3 }), request()] }).askedAgain).toBe(1);
  });

  it('has the latency of what was answered', () => {
    const records = [
      request({ durationMs: 10 }),
      request({ durationMs: 30 }),
      request({ outcome: 'refused', durationMs: 1 }),
    ];
    expect(verdictOf({ ...good, records, planned: 3 }).latencies).toEqual({ p50: 10, p95: 30, p99: 30, longest: 30 });
  });
});

describe('who looks for the cause of a failure', () => {
  it('finds what was going on while the request was under way, also if it began before', () => {
    const other: FaultRecord = { ...killed, kind: 'freeze-pod', fromMs: 7_000, toMs: 8_000 };
    const faults = [killed, other, { ...killed, victim: '', leftOut: 'why' }];
    expect(faultsDuring(request({ dueMs: 500, durationMs: 600 }), faults)).toEqual([killed]);
    expect(faultsDuring(request({ dueMs: 4_000, durationMs: 4_000 }), faults)).toEqual([killed, other]);
    expect(faultsDuring(request({ dueMs: 5_500, durationMs: 10 }), faults)).toEqual([]);
  });
});
