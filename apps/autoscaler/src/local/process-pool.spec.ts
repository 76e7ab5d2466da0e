import { beforeEach, describe, expect, it } from 'vitest';
import { HandClock } from '../../../../test/support/hand-clock.ts';
import { FakeProgram } from '../../test/fake-program.ts';
import { FleetError } from '../fleet.ts';
import type { Target } from '../target.ts';
import { ProcessPool } from './process-pool.ts';

const TARGET = { id: 'local' } as Target;

let clock: HandClock;
let pods: FakeProgram[];
let pool: ProcessPool;

beforeEach(() => {
  clock = new HandClock();
  pods = [];
  pool = new ProcessPool({
    startPod: async () => {
      const pod = new FakeProgram(8_000 + pods.length);
      pods.push(pod);
      return pod;
    },
    onAble: () => undefined,
    onDied: () => undefined,
    onKilled: () => undefined,
    drainTimeoutMs: 5_000,
    clock,
    random: () => 1,
  });
});

async function able(...ports: number[]): Promise<void> {
  await clock.advance(0);
  for (const port of ports) pods[port - 8_000]!.condition = 'able';
  await clock.advance(100);
}

describe('a pool of processes', () => {
  it('tells of those that are able and how old the others are', async () => {
    pool.resize(2);
    await clock.advance(3_000);
    await able(8_001);
    await pool.scale(TARGET, 2, 3);
    await clock.advance(1_000);
    expect(await pool.look()).toEqual({
      replicas: { spec: 3, ready: 1, startingAgesMs: [4_100, 1_000] },
      readyPods: ['127.0.0.1:8001'],
    });
  });

  it('takes away those that are not able first, then the newest, withdrawn before they are told to end', async () => {
    pool.resize(4);
    await able(8_000, 8_002, 8_003);
    await pool.scale(TARGET, 4, 2);
    await clock.advance(0);
    expect(pods.map(({ done }) => done.join())).toEqual(['', 'withdrawn,stopped', '', 'withdrawn,stopped']);
    expect((await pool.look()).readyPods).toEqual(['127.0.0.1:8000', '127.0.0.1:8002']);
  });

  it('goes to zero and comes back', async () => {
    pool.resize(1);
    await able(8_000);
    await pool.scale(TARGET, 1, 0);
    await clock.advance(0);
    expect(await pool.look()).toEqual({ replicas: { spec: 0, ready: 0, startingAgesMs: [] }, readyPods: [] });
    await pool.scale(TARGET, 0, 1);
    await able(8_001);
    expect((await pool.look()).readyPods).toEqual(['127.0.0.1:8001']);
  });

  it('replaces one that dies, with an age of its own', async () => {
    pool.resize(2);
    await able(8_000, 8_001);
    await clock.advance(60_000);
    pods[0]!.end(null, 'SIGKILL');
    await clock.advance(200);
    expect(await pool.look()).toEqual({
      replicas: { spec: 2, ready: 1, startingAgesMs: [200] },
      readyPods: ['127.0.0.1:8001'],
    });
    await able(8_002);
    expect((await pool.look()).readyPods).toEqual(['127.0.0.1:8002', '127.0.0.1:8001']);
  });

  it('says why one does not start, whose age stays', async () => {
    pool.resize(1);
    await clock.advance(1_000);
    pods[0]!.end(1, null, 'the model folder is missing');
    await clock.advance(600);
    expect(await pool.look()).toEqual({
      replicas: { spec: 1, ready: 0, startingAgesMs: [1_600] },
      readyPods: [],
      waitingFor: 'pod 8000 ends at its start: the model folder is missing',
    });
  });

  it('changes nothing where there are not as many as somebody thought', async () => {
    pool.resize(2);
    await expect(pool.scale(TARGET, 3, 4)).rejects.toThrow(FleetError);
    expect(pool.wanted).toBe(2);
  });

  it('ends all and takes no more', async () => {
    pool.resize(2);
    await able(8_000);
    await pool.stop();
    expect(pods.map(({ done }) => done.join())).toEqual(['withdrawn,stopped', 'withdrawn,stopped']);
    await expect(pool.scale(TARGET, 0, 1)).rejects.toThrow('is being shut down');
  });
});
