import { beforeEach, describe, expect, it } from 'vitest';
import { HandClock } from '../../../../test/support/hand-clock.ts';
import { FakeProgram } from '../../test/fake-program.ts';
import { type Death, KeptProcess } from './kept-process.ts';

let clock: HandClock;
let programs: FakeProgram[];
let deaths: Death[];
let told: string[];

beforeEach(() => {
  clock = new HandClock();
  programs = [];
  deaths = [];
  told = [];
});

function keep(): KeptProcess<FakeProgram> {
  return new KeptProcess({
    start: async () => {
      const program = new FakeProgram(8_000 + programs.length);
      programs.push(program);
      return program;
    },
    onAble: () => told.push('able'),
    onDied: (death) => deaths.push(death),
    onKilled: (name, afterMs) => told.push(`${name} killed after ${afterMs}`),
    stopTimeoutMs: 5_000,
    clock,
    random: () => 1,
  });
}

/** The newest. */
function last(): FakeProgram {
  return programs.at(-1)!;
}

async function keepAble(): Promise<KeptProcess<FakeProgram>> {
  const kept = keep();
  await clock.advance(0);
  last().condition = 'able';
  await clock.advance(1_000);
  expect(kept.isAble).toBe(true);
  return kept;
}

describe('a process that is kept', () => {
  it('is able from when it says so, and told once', async () => {
    const kept = keep();
    await clock.advance(2_500);
    expect([kept.isAble, kept.ageMs, kept.current]).toEqual([false, 2_500, last()]);
    last().condition = 'able';
    await clock.advance(100);
    expect([kept.isAble, told]).toEqual([true, ['able']]);
    await clock.advance(10_000);
    expect(told).toEqual(['able']);
    await kept.stop();
  });

  it('is asked at once when somebody wants to know', async () => {
    const kept = await keepAble();
    last().condition = 'alive';
    for (let check = 0; check < 3; check++) {
      kept.checkSoon();
      await clock.advance(0);
    }
    expect(kept.isAble).toBe(false);
    await kept.stop();
  });

  it('stays able for two checks that say otherwise, not for three', async () => {
    const kept = await keepAble();
    last().condition = 'silent';
    await clock.advance(2_000);
    expect(kept.isAble).toBe(true);
    await clock.advance(1_000);
    expect(kept.isAble).toBe(false);
    last().condition = 'able';
    await clock.advance(1_000);
    expect([kept.isAble, told]).toEqual([true, ['able', 'able']]);
    await kept.stop();
  });
});

describe('a process that dies', () => {
  it('at its start is tried again and again, less and less often, and grows no younger', async () => {
    const kept = keep();
    const pauses: number[] = [];
    for (let attempt = 1; attempt <= 8; attempt++) {
      await clock.advance(0);
      last().end(1, null, 'no such folder');
      await clock.advance(0);
      expect(programs.length).toBe(attempt);
      const pause = deaths.at(-1)!.pauseMs;
      pauses.push(pause);
      await clock.advance(pause);
      expect(programs.length).toBe(attempt + 1);
    }
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(deaths[0]).toMatchObject({ name: 'pod 8000', atStart: true, end: { code: 1, lastWords: 'no such folder' } });
    expect(kept.ageMs).toBe(91_500);
    expect(kept.deathAtStart?.name).toBe('pod 8007');
    last().condition = 'able';
    await clock.advance(100);
    expect(kept.deathAtStart).toBe(undefined);
    expect(programs.map(({ done }) => done.join()).slice(0, -1)).toEqual(Array(8).fill('withdrawn'));
    await kept.stop();
  });

  it('after it had proven itself is replaced at once, by a younger one', async () => {
    const kept = await keepAble();
    await clock.advance(30_000);
    last().end(null, 'SIGKILL');
    await clock.advance(0);
    expect(deaths).toMatchObject([{ atStart: false, pauseMs: 0, end: { signal: 'SIGKILL' } }]);
    expect([kept.isAble, kept.ageMs, programs.length]).toEqual([false, 0, 2]);
    expect(kept.deathAtStart).toBe(undefined);
    await kept.stop();
  });

  it('soon after it was able is replaced after a pause', async () => {
    const kept = await keepAble();
    last().end(1);
    await clock.advance(0);
    expect(deaths).toMatchObject([{ atStart: false, pauseMs: 500 }]);
    await kept.stop();
    expect(programs.length).toBe(1);
  });

  it('is killed when it has not answered for a minute, though not while it starts', async () => {
    const kept = keep();
    await clock.advance(0);
    last().condition = 'silent';
    await clock.advance(600_000);
    expect(last().done).toEqual([]);
    last().condition = 'able';
    await clock.advance(1_000);
    last().condition = 'silent';
    await clock.advance(59_000);
    expect(last().done).toEqual([]);
    await clock.advance(2_000);
    expect(deaths).toMatchObject([{ silentForMs: expect.any(Number), end: { signal: 'SIGKILL' } }]);
    expect(programs.length).toBe(2);
    await kept.stop();
  });
});

describe('a process that is told to end', () => {
  it('is withdrawn first, and not started again', async () => {
    const kept = await keepAble();
    await kept.stop();
    expect(programs.map(({ done }) => done)).toEqual([['withdrawn', 'stopped']]);
    expect([kept.isAble, kept.current, deaths]).toEqual([false, undefined, []]);
    await clock.advance(60_000);
    expect(programs.length).toBe(1);
  });

  it('is told of when it had to be killed', async () => {
    const kept = await keepAble();
    last().isObedient = false;
    await kept.stop();
    expect(told).toEqual(['able', 'pod 8000 killed after 5000']);
  });

  it('while it starts is ended as soon as it has', async () => {
    const kept = keep();
    await kept.stop();
    expect(programs.map(({ done }) => done)).toEqual([['withdrawn', 'stopped']]);
  });

  it('between two attempts is not started again', async () => {
    const kept = keep();
    await clock.advance(0);
    last().end(1);
    await clock.advance(0);
    await kept.stop();
    expect(programs.length).toBe(1);
  });

  it('at once is killed, also while it drains', async () => {
    const kept = await keepAble();
    await kept.kill();
    expect(last().done).toEqual(['killed', 'withdrawn']);
    const other = keep();
    await other.kill();
    expect(last().done).toEqual(['withdrawn', 'killed']);
  });
});
