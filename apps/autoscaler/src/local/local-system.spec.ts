import type { Observation } from '@ragscale/scaling/observation';
import { createLogger } from '@ragscale/service/logging';
import { beforeEach, describe, expect, it } from 'vitest';
import { HandClock } from '../../../../test/support/hand-clock.ts';
import { FakeProgram } from '../../test/fake-program.ts';
import type { Measured } from '../measurements.ts';
import type { Report } from '../report.ts';
import { readConfiguration } from './configuration.ts';
import { LocalSystem } from './local-system.ts';
import { StartError } from './start-error.ts';
import type { SystemEvent } from './system-event.ts';

const EMPTY = { kind: 'empty' } as const;
const UNKNOWN: Omit<Observation, 'replicas'> = {
  arrivalRates: [],
  waiting: EMPTY,
  running: EMPTY,
  completionRate: EMPTY,
  serviceMs: EMPTY,
  serviceP95Ms: EMPTY,
  badShares: [],
  slots: EMPTY,
};

let clock: HandClock;
let proxies: FakeProgram[];
let pods: FakeProgram[];
let told: SystemEvent[];
let reports: Report[];
let observation: Omit<Observation, 'replicas'>;
let system: LocalSystem;

function newSystem(env: Record<string, string> = {}): LocalSystem {
  return new LocalSystem({
    configuration: readConfiguration(env, 8),
    children: {
      startProxy: async () => started(proxies, 9_000),
      startPod: async () => started(pods, 8_000),
    },
    measurements: {
      measure: async (targets) =>
        new Map(targets.map(({ target }) => [target.id, { observation, trouble: undefined } as Measured])),
    },
    reporter: { report: (report) => reports.push(report), forget: () => undefined },
    screen: { tell: (event) => told.push(event), log: () => undefined },
    logger: createLogger({ level: 'silent', format: 'json' }),
    clock,
    random: () => 1,
  });
}

function started(all: FakeProgram[], port: number): FakeProgram {
  const program = new FakeProgram(port + all.length);
  all.push(program);
  return program;
}

beforeEach(() => {
  clock = new HandClock();
  proxies = [];
  pods = [];
  told = [];
  reports = [];
  observation = UNKNOWN;
  system = newSystem();
});

async function start(): Promise<void> {
  const starting = system.start();
  await clock.advance(0);
  for (const program of [...proxies, ...pods]) program.condition = 'able';
  await clock.advance(100);
  await starting;
}

describe('a local system', () => {
  it('is ready when the proxy and all its pods are', async () => {
    let isStarted = false;
    const starting = system.start().then(() => {
      isStarted = true;
    });
    await clock.advance(0);
    expect([proxies.length, pods.length]).toEqual([1, 2]);
    for (const program of [...pods, ...proxies]) {
      expect([system.isReady, isStarted]).toEqual([false, false]);
      program.condition = 'able';
      await clock.advance(100);
    }
    await starting;
    expect(system.isReady).toBe(true);
    expect(told).toEqual([
      { kind: 'starting', pods: 2 },
      { kind: 'progress', ready: 1, pods: 2 },
      { kind: 'progress', ready: 2, pods: 2 },
    ]);
    await system.stop();
  });

  it('can be without a pod', async () => {
    system = newSystem({ MIN_REPLICAS: '0' });
    await start();
    expect([system.isReady, pods.length]).toEqual([true, 0]);
    await system.stop();
  });

  it.each([
    ['pod', () => pods[1]!, 'pod 8001 ended with code 1:\nno such folder'],
    ['proxy', () => proxies[0]!, 'pod 9000 ended with code 1:\nno such folder'],
  ])('does not start when a %s dies meanwhile', async (_, dying, message) => {
    const starting = system.start();
    await clock.advance(0);
    dying().end(1, null, 'no such folder');
    await expect(starting).rejects.toThrow(new StartError(message));
    await system.kill();
    expect([...proxies, ...pods].filter(({ done }) => done.includes('killed')).length).toBe(2);
    await clock.advance(60_000);
    expect([proxies.length, pods.length]).toEqual([1, 2]);
  });

  it('starts and ends pods as the law decides', async () => {
    await start();
    const value = (number: number) => ({ kind: 'value', value: number }) as const;
    observation = {
      arrivalRates: [10_000, 30_000, 60_000].map((windowMs) => ({ windowMs, reading: value(30) })),
      waiting: value(200),
      running: value(32),
      completionRate: value(4),
      serviceMs: value(4_000),
      serviceP95Ms: value(6_000),
      badShares: [10_000, 60_000].map((windowMs) => ({ windowMs, reading: value(0.9) })),
      slots: value(16),
    };
    await clock.advance(10_000);
    expect(pods.length).toBe(4);
    expect(reports.filter(({ scaled }) => scaled).map(({ decision }) => decision?.replicas)).toEqual([4]);
    await system.stop();
  });

  it('starts a proxy that died again, and tells the pods', async () => {
    await start();
    await clock.advance(60_000);
    proxies[0]!.end(null, 'SIGKILL', '');
    await clock.advance(0);
    expect([proxies.length, system.isReady]).toEqual([2, false]);
    expect(told.at(-1)).toMatchObject({ kind: 'died', death: { name: 'pod 9000' } });
    proxies[1]!.condition = 'able';
    await clock.advance(100);
    expect(system.isReady).toBe(true);
    await system.stop();
  });

  it('ends the proxy first, and pods only when that has answered all', async () => {
    await start();
    const { program } = proxies[0]!;
    const drained = Promise.withResolvers<boolean>();
    program.stop = () => drained.promise;
    const stopping = system.stop();
    await clock.advance(10_000);
    expect(pods.map(({ done }) => done)).toEqual([[], []]);
    drained.resolve(true);
    await stopping;
    expect(pods.map(({ done }) => done.join())).toEqual(['withdrawn,stopped', 'withdrawn,stopped']);
    const rounds = reports.length;
    await clock.advance(60_000);
    expect([pods.length, reports.length]).toEqual([2, rounds]);
  });

  it('can be told to end while it starts', async () => {
    const starting = system.start();
    await clock.advance(0);
    await system.stop();
    await starting;
    expect(pods.map(({ done }) => done.join())).toEqual(['withdrawn,stopped', 'withdrawn,stopped']);
  });
});
