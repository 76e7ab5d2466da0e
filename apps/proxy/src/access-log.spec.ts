import { createLogger, type LogLevel } from '@ragscale/service/logging';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { AccessLog, type AccessLogFields, MAX_FAILURES_PER_SECOND, MAX_OTHERS_PER_SECOND } from './access-log.ts';

interface Settings {
  readonly sampleRate?: number;
  readonly level?: LogLevel;
  readonly random?: () => number;
}

function create({ sampleRate = 1, level = 'info', random = () => 0.5 }: Settings = {}) {
  const log: Record<string, unknown>[] = [];
  const logger = createLogger({ level, format: 'json' }, { write: (line: string) => log.push(JSON.parse(line)) });
  return { log, accessLog: new AccessLog({ logger, sampleRate, random }) };
}

const fields: AccessLogFields = {
  requestId: 'r-1',
  method: 'POST',
  path: '/rag',
  route: 'default',
  status: 200,
  durationMs: 12.34567,
  waitMs: 0,
  upstreamMs: 12.0004,
  attempts: 1,
  pod: '10.0.0.1:8000',
  bytesOut: 512,
};

describe('a line', () => {
  it('has what is known of the request, in one object', () => {
    const { log, accessLog } = create();
    accessLog.write({ ...fields, keyName: 'team-a', errorCode: undefined, traceId: 'a'.repeat(32) });
    expect(log).toEqual([
      {
        ...fields,
        level: 'info',
        time: expect.any(String),
        durationMs: 12.346,
        upstreamMs: 12,
        keyName: 'team-a',
        traceId: 'a'.repeat(32),
        msg: 'request',
      },
    ]);
  });

  it.each([
    ['/rag?query=secret', '/rag'],
    ['/rag#secret', '/rag'],
    ['?secret', ''],
    ['http://user:secret@host:9000/rag?x', '/rag'],
    ['*', '*'],
    [`/${'a'.repeat(200)}`, `/${'a'.repeat(127)}`],
    [`/${'a'.repeat(200)}?secret`, `/${'a'.repeat(127)}`],
    ['/a\nb\u00e9 c"', '/a_b__c"'],
  ])('of %j tells the path %j', (path, told) => {
    const { log, accessLog } = create();
    accessLog.write({ ...fields, path });
    expect(log[0]?.path).toBe(told);
    expect(JSON.stringify(log)).not.toContain('secret');
  });
});

describe('the sample', () => {
  it.each([
    [0, 0],
    [0.3, 3],
    [1, 10],
  ])('at %d has %d of ten', (sampleRate, wanted) => {
    let drawn = 0;
    const { accessLog } = create({ sampleRate, random: () => drawn++ / 10 });
    expect(Array.from({ length: 10 }, () => accessLog.wants(200, 0)).filter(Boolean)).toHaveLength(wanted);
  });

  it('holds every failure, and nothing else by right', () => {
    const { accessLog } = create({ sampleRate: 0 });
    const wanted = [200, 400, 401, 404, 429, 499, 500, 502, 503, 504].filter((status) => accessLog.wants(status, 0));
    expect(wanted).toEqual([429, 500, 502, 503, 504]);
  });

  it('is empty where the level hides it, and draws nothing', () => {
    const { accessLog } = create({ level: 'warn', random: () => expect.fail('drawn') });
    expect([200, 500].map((status) => accessLog.wants(status, 0))).toEqual([false, false]);
  });
});

describe('many failures', () => {
  afterEach(() => vi.useRealTimers());

  const fail = (accessLog: AccessLog, count: number, now: number): number =>
    Array.from({ length: count }, () => accessLog.wants(503, now)).filter(Boolean).length;

  it('get a hundred lines a second, then one that counts the others', () => {
    const { log, accessLog } = create({ sampleRate: 0 });
    expect(fail(accessLog, 250, 10)).toBe(MAX_FAILURES_PER_SECOND);
    expect(fail(accessLog, 7, 1009)).toBe(0);
    expect(log).toEqual([]);
    expect(fail(accessLog, 3, 1010)).toBe(3);
    expect(log).toMatchObject([{ level: 'warn', failures: 157, others: 0 }]);
    accessLog.close();
    expect(log).toHaveLength(1);
  });

  it('leave the lines of the others alone, and the other way round', () => {
    const { log, accessLog } = create();
    const asked = [503, 200].map(
      (status) => Array.from({ length: 300 }, () => accessLog.wants(status, 10)).filter(Boolean).length,
    );
    expect(asked).toEqual([MAX_FAILURES_PER_SECOND, MAX_OTHERS_PER_SECOND]);
    accessLog.close();
    expect(log).toMatchObject([{ level: 'warn', failures: 200, others: 100 }]);
  });

  it('are counted though nothing fails any more', () => {
    vi.useFakeTimers();
    const { log, accessLog } = create();
    fail(accessLog, 101, 0);
    vi.advanceTimersByTime(1_000);
    expect(log).toMatchObject([{ failures: 1 }]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('are counted at the end', () => {
    vi.useFakeTimers();
    const { log, accessLog } = create();
    fail(accessLog, 102, 0);
    accessLog.close();
    expect(log).toMatchObject([{ failures: 2 }]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
