import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HandClock } from '../../../../test/support/hand-clock.ts';
import { FakeApi, refused } from '../../test/fake-api.ts';
import { type LatencyAutoscaler, latencyAutoscalerSchema } from './latency-autoscaler.ts';
import type { Status } from './status.ts';
import { StatusWriter } from './status-writer.ts';

let clock: HandClock;
let api: FakeApi;
let writer: StatusWriter;
let remainingMs: number;
let lines: string[];

beforeEach(() => {
  clock = new HandClock();
  api = new FakeApi();
  remainingMs = 10_000;
  lines = [];
  const logger = pino({}, { write: (line: string) => lines.push((JSON.parse(line) as { msg: string }).msg) });
  writer = new StatusWriter({ api, clock, logger, leadership: { remainingMs: () => remainingMs } });
  writer.start();
});
afterEach(() => writer.stop());

function resource(name = 'a', uid = 'u', status?: Status): LatencyAutoscaler {
  const metadata = { name, namespace: 'rag', uid, resourceVersion: '1', creationTimestamp: '2026-11-22T10:00:00Z' };
  return latencyAutoscalerSchema.parse({ metadata, spec: {}, status });
}

function want(status: Status, of = resource()): void {
  writer.want(of, () => status);
}

function written(): unknown[] {
  return api.asked.map(({ body }) => (body as { value: unknown }[])[1]?.value);
}

describe('StatusWriter', () => {
  it('writes the first status soon, with the uid of the one that is meant', async () => {
    want({ currentReplicas: 2 });
    await clock.advance(1_000);
    expect(api.asked).toEqual([
      {
        method: 'PATCH',
        path: '/apis/ragscale.dev/v1alpha1/namespaces/rag/latencyautoscalers/a/status',
        body: [
          { op: 'test', path: '/metadata/uid', value: 'u' },
          { op: 'add', path: '/status', value: { currentReplicas: 2 } },
        ],
      },
    ]);
  });

  it('writes nothing that stands there already', async () => {
    want({ currentReplicas: 2 }, resource('a', 'u', { currentReplicas: 2 }));
    await clock.advance(120_000);
    expect(api.asked).toEqual([]);
  });

  it('writes at most every 5 s, and then the newest', async () => {
    for (let replicas = 1; replicas <= 10; replicas++) {
      want({ currentReplicas: replicas });
      await clock.advance(1_000);
    }
    expect(written()).toEqual([{ currentReplicas: 1 }, { currentReplicas: 6 }]);
  });

  it('writes every minute what only moves, and with it what happens', async () => {
    for (let i = 0; i < 130; i++) {
      want({ currentReplicas: i < 100 ? 2 : 3, good: `${i}%` });
      await clock.advance(1_000);
    }
    expect(written()).toEqual([
      { currentReplicas: 2, good: '0%' },
      { currentReplicas: 2, good: '60%' },
      { currentReplicas: 3, good: '100%' },
    ]);
  });

  it('tries again what failed, after the same pause, and says so once', async () => {
    api.answer = () => {
      throw refused(500);
    };
    want({ currentReplicas: 2 });
    await clock.advance(11_000);
    expect(api.asked).toHaveLength(3);
    expect(lines).toEqual(['the status cannot be written; it is tried again']);
    api.answer = () => ({});
    await clock.advance(60_000);
    expect(api.asked).toHaveLength(4);
  });

  it('names the right that is missing', async () => {
    api.answer = () => {
      throw refused(403);
    };
    want({ currentReplicas: 2 });
    await clock.advance(1_000);
    expect(lines.join()).toContain(
      'patch on latencyautoscalers/status (API group "ragscale.dev") in the namespace rag',
    );
  });

  it('says nothing of a resource that is gone', async () => {
    api.answer = () => {
      throw refused(404);
    };
    want({ currentReplicas: 2 });
    await clock.advance(60_000);
    expect(lines).toEqual([]);
  });

  it('begins anew with another resource of the same name', async () => {
    want({ currentReplicas: 2 });
    await clock.advance(1_000);
    writer.want(resource('a', 'other'), (previous) => ({ ...previous, readyReplicas: 1 }));
    await clock.advance(1_000);
    expect(written()).toEqual([{ currentReplicas: 2 }, { readyReplicas: 1 }]);
  });

  it('writes nothing while another one decides, nor what was forgotten', async () => {
    remainingMs = 0;
    want({ currentReplicas: 2 });
    want({ currentReplicas: 2 }, resource('b'));
    await clock.advance(30_000);
    expect(api.asked).toEqual([]);
    writer.forget('rag/a');
    remainingMs = 10_000;
    await clock.advance(1_000);
    expect(api.requests).toEqual(['PATCH /apis/ragscale.dev/v1alpha1/namespaces/rag/latencyautoscalers/b/status']);
  });
});
