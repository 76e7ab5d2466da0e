import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { HandClock, settled } from '../../../../test/support/hand-clock.ts';
import { FakeApi, refused } from '../../test/fake-api.ts';
import { EventRecorder } from './event-recorder.ts';
import { latencyAutoscalerSchema } from './latency-autoscaler.ts';

const RESOURCE = latencyAutoscalerSchema.parse({
  metadata: {
    ...{ name: 'a', namespace: 'rag', uid: 'u', resourceVersion: '7' },
    creationTimestamp: '2026-11-22T10:00:00Z',
  },
});
const EVENT = { type: 'Normal', reason: 'SuccessfulRescale', message: '2 -> 3' } as const;

let clock: HandClock;
let api: FakeApi;
let recorder: EventRecorder;
let lines: string[];

beforeEach(() => {
  clock = new HandClock();
  api = new FakeApi();
  lines = [];
  const logger = pino({}, { write: (line: string) => lines.push((JSON.parse(line) as { msg: string }).msg) });
  const wallNow = () => Date.parse('2026-11-22T10:00:00Z') + clock.now();
  recorder = new EventRecorder({ api, clock, logger, wallNow, instance: 'autoscaler-1' });
});

async function record(event: Parameters<EventRecorder['record']>[1] = EVENT): Promise<void> {
  recorder.record(RESOURCE, event);
  await settled();
}

describe('EventRecorder', () => {
  it('writes an Event about the resource', async () => {
    await record();
    const [{ path, body } = { path: '', body: {} }] = api.asked;
    expect(path).toBe('/api/v1/namespaces/rag/events');
    expect(body).toMatchObject({
      metadata: { namespace: 'rag', name: expect.stringMatching(/^a\.[0-9a-f]{16}$/) },
      involvedObject: { apiVersion: 'ragscale.dev/v1alpha1', kind: 'LatencyAutoscaler', name: 'a', uid: 'u' },
      ...EVENT,
      firstTimestamp: '2026-11-22T10:00:00Z',
      lastTimestamp: '2026-11-22T10:00:00Z',
      count: 1,
      reportingInstance: 'autoscaler-1',
    });
  });

  it('counts the same again within 5 minutes, and tells it anew later', async () => {
    await record();
    await clock.advance(60_000);
    await record();
    await clock.advance(60_000);
    await record();
    const counted = api.asked.slice(1).map(({ method, body }) => [method, body]);
    expect(counted).toEqual([
      ['PATCH', { count: 2, lastTimestamp: '2026-11-22T10:01:00Z' }],
      ['PATCH', { count: 3, lastTimestamp: '2026-11-22T10:02:00Z' }],
    ]);
    await clock.advance(301_000);
    await record();
    expect(api.asked.at(-1)).toMatchObject({ method: 'POST', body: { count: 1 } });
  });

  it('tells anew what somebody has deleted', async () => {
    await record();
    api.answer = ({ method }) => {
      if (method === 'PATCH') throw refused(404);
      return {};
    };
    await record();
    expect(api.asked.map(({ method }) => method)).toEqual(['POST', 'PATCH', 'POST']);
  });

  it('does not flood: some at once, then one a minute', async () => {
    for (let i = 0; i < 50; i++) await record({ ...EVENT, message: `${i}` });
    expect(api.asked).toHaveLength(10);
    await clock.advance(60_000);
    for (let i = 50; i < 60; i++) await record({ ...EVENT, message: `${i}` });
    expect(api.asked).toHaveLength(11);
  });

  it('says once that it cannot write, and goes on', async () => {
    api.answer = () => {
      throw refused(403);
    };
    await record();
    await record({ ...EVENT, message: 'other' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('create and patch on events');
    api.answer = () => ({});
    await record();
    expect(api.asked).toHaveLength(3);
  });

  it('cuts what is too long for the API server', async () => {
    await record({ ...EVENT, message: 'x'.repeat(2_000) });
    const [message = ''] = api.asked.map(({ body }) => (body as { message: string }).message);
    expect(message).toHaveLength(1_024);
    expect(message).toMatch(/x\.\.\.$/);
  });

  it('writes what waits before it ends, and nothing after', async () => {
    recorder.record(RESOURCE, EVENT);
    recorder.record(RESOURCE, { ...EVENT, message: 'other' });
    await recorder.stop();
    expect(api.asked).toHaveLength(2);
    await record();
    expect(api.asked).toHaveLength(2);
  });

  it('ends soon where the server is away', async () => {
    api.answer = () => {
      throw new Error('no answer');
    };
    for (let i = 0; i < 5; i++) recorder.record(RESOURCE, { ...EVENT, message: `${i}` });
    await recorder.stop();
    expect(api.asked).toHaveLength(1);
  });
});
