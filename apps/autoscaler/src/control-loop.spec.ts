import type { Observation, Reading } from '@ragscale/scaling/observation';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HandClock, settled } from '../../../test/support/hand-clock.ts';
import { ControlLoop } from './control-loop.ts';
import { type Fleet, FleetError, type FleetState } from './fleet.ts';
import type { Measured, MeasuredTarget, Measurements } from './measurements.ts';
import type { Report, Reporter } from './report.ts';
import type { Target } from './target.ts';

const PERIOD_MS = 5_000;

const value = (number: number): Reading => ({ kind: 'value', value: number });

/** Of pods with one slot that take half a second: the load `perSecond` is also what they finish. */
function observed(perSecond: number): Omit<Observation, 'replicas'> {
  return {
    arrivalRates: [10_000, 30_000, 60_000].map((windowMs) => ({ windowMs, reading: value(perSecond) })),
    waiting: value(0),
    running: value(perSecond / 2),
    completionRate: value(perSecond),
    serviceMs: value(500),
    serviceP95Ms: value(900),
    badShares: [60_000, 300_000].map((windowMs) => ({ windowMs, reading: value(0) })),
    slots: value(1),
  };
}

function targetNamed(name: string, changes: Partial<Target> = {}): Target {
  const objective = { metric: 'duration', latencyMs: 2_000, percentile: 95 } as const;
  return {
    id: `rag/${name}`,
    namespace: 'rag',
    name,
    generation: 1,
    route: name,
    policy: { minReplicas: 1, maxReplicas: 50, objective },
    ...changes,
  };
}

class FakeFleet implements Fleet {
  readonly replicas = new Map<string, number>();
  readonly scaled: [string, number, number][] = [];
  lookError: ((target: Target) => Error | undefined) | undefined;
  /** How long a look takes. */
  slowness: ((signal: AbortSignal) => Promise<void>) | undefined;
  scaleError: Error | undefined;
  looksAtOnce = 0;
  mostLooksAtOnce = 0;

  async look(target: Target, signal: AbortSignal): Promise<FleetState> {
    this.looksAtOnce++;
    this.mostLooksAtOnce = Math.max(this.mostLooksAtOnce, this.looksAtOnce);
    await this.slowness?.(signal);
    this.looksAtOnce--;
    const error = this.lookError?.(target);
    if (error) throw error;
    const count = this.replicas.get(target.id) ?? 2;
    const replicas = { spec: count, ready: count, startingAgesMs: [] };
    return { replicas, readyPods: Array.from({ length: count }, (_, i) => `${target.name}-${i}`) };
  }

  async scale(target: Target, from: number, to: number): Promise<void> {
    if (this.scaleError) throw this.scaleError;
    this.scaled.push([target.id, from, to]);
    this.replicas.set(target.id, to);
  }
}

class FakeMeasurements implements Measurements {
  readonly asked: (readonly MeasuredTarget[])[] = [];
  perSecond = 2;
  /** Nothing is answered until it is resolved. */
  hold: Promise<void> | undefined;

  async measure(targets: readonly MeasuredTarget[]): Promise<ReadonlyMap<string, Measured>> {
    this.asked.push(targets);
    await this.hold;
    const measured: Measured = {
      observation: observed(this.perSecond),
      ageMs: 1_000,
      scrapeIntervalMs: 1_000,
      isTooCoarse: false,
      boundMs: 2_000,
      trouble: undefined,
    };
    return new Map(targets.map(({ target }) => [target.id, measured]));
  }
}

class Reports implements Reporter {
  readonly all: Report[] = [];
  readonly forgotten: string[] = [];

  report(report: Report): void {
    this.all.push(report);
  }

  forget(target: Target): void {
    this.forgotten.push(target.id);
  }
}

const fleet = () => new FakeFleet();
let parts: {
  fleet: FakeFleet;
  measurements: FakeMeasurements;
  reporter: Reports;
  clock: HandClock;
  leadership: { ms: number; remainingMs(): number };
};
let loop: ControlLoop;

beforeEach(() => {
  const leadership = {
    ms: Number.POSITIVE_INFINITY,
    remainingMs() {
      return this.ms;
    },
  };
  parts = {
    fleet: fleet(),
    measurements: new FakeMeasurements(),
    reporter: new Reports(),
    clock: new HandClock(),
    leadership,
  };
  const logger = pino({ level: 'silent' });
  loop = new ControlLoop({ ...parts, periodMs: PERIOD_MS, logger, wallNow: () => 42 });
});

afterEach(() => loop.stop());

async function rounds(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await parts.clock.advance(PERIOD_MS);
}

describe('a round', () => {
  it('looks, measures all targets at once, decides, scales, and reports', async () => {
    loop.setTargets([targetNamed('a'), targetNamed('b')]);
    parts.measurements.perSecond = 40;
    loop.start();
    await settled();
    expect(parts.measurements.asked.map((targets) => targets.map(({ target }) => target.id))).toEqual([
      ['rag/a', 'rag/b'],
    ]);
    expect(parts.measurements.asked[0]?.[0]?.readyPods).toEqual(['a-0', 'a-1']);
    const [[id, from, to] = []] = parts.fleet.scaled;
    expect([id, from]).toEqual(['rag/a', 2]);
    expect(to).toBeGreaterThanOrEqual(20);
    const report = parts.reporter.all[0];
    expect(report).toMatchObject({ target: { id: 'rag/a' }, at: 42, scaled: true, problem: undefined });
    expect(report?.decision?.replicas).toBe(to);
    expect(report?.estimates?.arrivalRate).toBe(40);
  });

  it('comes each period, and is not made up for where one took longer', async () => {
    loop.setTargets([targetNamed('a')]);
    loop.start();
    await rounds(3);
    expect(parts.measurements.asked).toHaveLength(4);
    let release = () => {};
    parts.measurements.hold = new Promise((resolve) => {
      release = resolve;
    });
    await rounds(4);
    expect(parts.measurements.asked).toHaveLength(5);
    release();
    await settled();
    await rounds(1);
    expect(parts.measurements.asked.length).toBeLessThanOrEqual(7);
  });

  it('asks for no more than 16 at once, and for each of 200 once', async () => {
    loop.setTargets(Array.from({ length: 200 }, (_, i) => targetNamed(`t${i}`)));
    loop.start();
    await settled();
    await settled();
    expect(parts.fleet.mostLooksAtOnce).toBe(16);
    expect(parts.measurements.asked).toHaveLength(1);
    expect(new Set(parts.reporter.all.map(({ target }) => target.id)).size).toBe(200);
  });

  it('is over when nothing is to be scaled', async () => {
    loop.start();
    await rounds(1);
    expect(loop.lastRoundAt).toBe(PERIOD_MS);
    expect(parts.measurements.asked).toEqual([]);
  });
});

describe('trouble', () => {
  it('with one target leaves the others alone, and is reported in its words', async () => {
    const problem = { reason: 'TargetNotFound', message: 'there is no Deployment a' };
    parts.fleet.lookError = ({ name }) => (name === 'a' ? new FleetError(problem) : undefined);
    loop.setTargets([targetNamed('a'), targetNamed('b')]);
    loop.start();
    await settled();
    const [a, b] = ['rag/a', 'rag/b'].map((id) => parts.reporter.all.find(({ target }) => target.id === id));
    expect(a).toMatchObject({ problem, decision: undefined, state: undefined, scaled: false });
    expect(b).toMatchObject({ problem: undefined });
    expect(parts.measurements.asked[0]?.map(({ target }) => target.id)).toEqual(['rag/b']);
  });

  it('with scaling is reported beside the decision, which is tried again', async () => {
    parts.measurements.perSecond = 40;
    parts.fleet.scaleError = new FleetError({ reason: 'Conflict', message: 'somebody else changed it' });
    loop.setTargets([targetNamed('a')]);
    loop.start();
    await settled();
    expect(parts.reporter.all[0]).toMatchObject({ scaled: false, problem: { reason: 'Conflict' } });
    expect(parts.reporter.all[0]?.decision?.replicas).toBeGreaterThan(2);
    parts.fleet.scaleError = undefined;
    await rounds(1);
    expect(parts.reporter.all.at(-1)).toMatchObject({ scaled: true, problem: undefined });
  });

  it('of our own is a problem of that target too', async () => {
    loop.setTargets([targetNamed('a', { policy: { maxReplicas: 0 } as Target['policy'] })]);
    loop.start();
    await settled();
    expect(parts.reporter.all[0]?.problem).toMatchObject({ reason: 'FailedDecision' });
    expect(parts.reporter.all[0]?.problem?.message).toMatch(/^maxReplicas must be an integer of at least 1/);
  });
});

describe('an API server that answers nothing', () => {
  const TIMEOUT_MS = 10_000;

  beforeEach(() => {
    parts.fleet.slowness = (signal) => parts.clock.sleep(TIMEOUT_MS, signal);
    parts.fleet.lookError = () => new FleetError({ reason: 'FailedGetScale', message: 'no answer' });
    loop.setTargets(Array.from({ length: 200 }, (_, i) => targetNamed(`t${i}`)));
  });

  it('does not make a round last so long that the process is taken for dead', async () => {
    loop.start();
    await parts.clock.advance(3 * TIMEOUT_MS);
    expect(loop.lastRoundAt).toBe(3 * TIMEOUT_MS);
    const told = parts.reporter.all.map(({ problem }) => problem?.message);
    expect(told).toHaveLength(200);
    expect(told.filter((message) => message === 'no answer')).toHaveLength(3 * 16);
    expect(told.filter((message) => message?.includes('there was no time'))).toHaveLength(200 - 3 * 16);
  });

  it('ends the round of whoever no longer leads', async () => {
    loop.start();
    await settled();
    parts.leadership.ms = 0;
    await parts.clock.advance(TIMEOUT_MS);
    expect(loop.lastRoundAt).toBe(TIMEOUT_MS);
    expect(parts.reporter.all).toHaveLength(16);
    expect(parts.measurements.asked).toEqual([]);
  });
});

it('what was looked at too long ago is not written', async () => {
  parts.measurements.perSecond = 40;
  let release = () => {};
  parts.measurements.hold = new Promise((resolve) => {
    release = resolve;
  });
  loop.setTargets([targetNamed('a')]);
  loop.start();
  await parts.clock.advance(45_000);
  release();
  await settled();
  expect(parts.reporter.all[0]).toMatchObject({ scaled: false, problem: undefined });
  expect(parts.fleet.scaled).toEqual([]);
});

describe('who is not the leader', () => {
  it('does nothing, and its rounds count', async () => {
    parts.leadership.ms = 0;
    loop.setTargets([targetNamed('a')]);
    loop.start();
    await rounds(2);
    expect(parts.measurements.asked).toEqual([]);
    expect(parts.reporter.all).toEqual([]);
    expect(loop.lastRoundAt).toBe(2 * PERIOD_MS);
  });

  it('writes nothing for which its term is too short', async () => {
    parts.leadership.ms = 999;
    parts.measurements.perSecond = 40;
    loop.setTargets([targetNamed('a')]);
    loop.start();
    await settled();
    expect(parts.reporter.all[0]).toMatchObject({ scaled: false, problem: undefined });
    expect(parts.fleet.scaled).toEqual([]);
  });

  it('begins the next term without taking anything away', async () => {
    parts.fleet.replicas.set('rag/a', 10);
    loop.setTargets([targetNamed('a')]);
    loop.start();
    await rounds(60);
    expect(parts.fleet.replicas.get('rag/a')).toBeLessThan(10);
    parts.leadership.ms = 0;
    await rounds(1);
    expect(parts.reporter.forgotten).toEqual(['rag/a']);
    parts.fleet.replicas.set('rag/a', 10);
    parts.leadership.ms = Number.POSITIVE_INFINITY;
    await rounds(10);
    expect(parts.fleet.replicas.get('rag/a')).toBe(10);
  });
});

describe('targets', () => {
  it('are forgotten when they go', async () => {
    loop.setTargets([targetNamed('a'), targetNamed('b')]);
    loop.start();
    await settled();
    loop.setTargets([targetNamed('b')]);
    expect(parts.reporter.forgotten).toEqual(['rag/a']);
    await rounds(1);
    expect(parts.measurements.asked.at(-1)?.map(({ target }) => target.id)).toEqual(['rag/b']);
  });

  it('whose owner edited them are scaled by the new spec at once', async () => {
    loop.setTargets([targetNamed('a')]);
    loop.start();
    await rounds(2);
    const { policy } = targetNamed('a');
    loop.setTargets([targetNamed('a', { generation: 2, policy: { ...policy, minReplicas: 20 } })]);
    await rounds(1);
    expect(parts.fleet.scaled.at(-1)).toEqual(['rag/a', expect.any(Number), 20]);
    expect(parts.reporter.forgotten).toEqual([]);
  });
});

it('stop waits for the round in progress, which writes nothing more', async () => {
  parts.measurements.perSecond = 40;
  let release = () => {};
  parts.measurements.hold = new Promise((resolve) => {
    release = resolve;
  });
  loop.setTargets([targetNamed('a')]);
  loop.start();
  await settled();
  const stopped = loop.stop();
  release();
  await stopped;
  expect(parts.fleet.scaled).toEqual([]);
  expect(parts.reporter.all).toEqual([]);
});
