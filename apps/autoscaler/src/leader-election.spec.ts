import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settled } from '../../../test/support/hand-clock.ts';
import { type Elector, type Fate, LeaseWorld, PROMPT } from '../test/lease-world.ts';

const CUT = (): Fate => ({ thereMs: undefined, backMs: undefined });
const UNANSWERED = (): Fate => ({ thereMs: 5, backMs: undefined });

/** `a` leads, `b` stands by. */
async function led(): Promise<{ world: LeaseWorld; a: Elector; b: Elector }> {
  const world = new LeaseWorld();
  world.server.apply({ verb: 'create', spec: { holderIdentity: '' } });
  const a = world.join('a');
  await world.clock.advance(1_000);
  const b = world.join('b');
  await world.clock.advance(10_000);
  expect(world.leaders()).toEqual(['a']);
  return { world, a, b };
}

/** Milliseconds until `done`, which is looked at ten times a second. */
async function until(world: LeaseWorld, done: () => boolean): Promise<number> {
  const startedAt = world.clock.now();
  for (let tick = 0; tick < 600 && !done(); tick++) await world.clock.advance(100);
  expect(done()).toBe(true);
  return world.clock.now() - startedAt;
}

describe('the leader', () => {
  it('is whoever takes a Lease that was given back, and renews it every two seconds', async () => {
    const { world, a, b } = await led();
    expect(a.changes).toEqual(['leads a']);
    expect(b.changes).toEqual(['follows a']);
    expect(world.server.lease?.spec).toEqual({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: '2026-11-22T00:00:00.010000Z',
      renewTime: expect.stringMatching(/^2026-11-22T00:00:\d\d\.\d{6}Z$/),
      leaseTransitions: 1,
    });
    const before = a.store.requests;
    await world.clock.advance(60_000);
    expect(a.store.requests - before).toBeGreaterThanOrEqual(24);
    expect(a.store.requests - before).toBeLessThanOrEqual(30);
  });

  it('is nobody for fifteen seconds where there was no Lease: somebody may still believe in one that was deleted', async () => {
    const world = new LeaseWorld();
    world.join('a');
    world.join('b');
    expect(await until(world, () => world.leaders().length > 0)).toBeGreaterThanOrEqual(15_000);
    expect(world.leaders()).toHaveLength(1);
  });

  it('hands over at once when it ends, and says who holds the Lease', async () => {
    const { world, a, b } = await led();
    const stopped = a.election.stop();
    await settled();
    expect(a.election.remainingMs()).toBe(Number.NEGATIVE_INFINITY);
    await world.clock.advance(100);
    await stopped;
    expect(await until(world, () => b.election.remainingMs() > 0)).toBeLessThan(2_500);
    expect(world.server.lease?.spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 2 });
    expect(a.changes).toEqual(['leads a', 'follows a']);
    expect(b.changes.at(-1)).toBe('leads b');
  });

  it('hands over as well when the answer to its last renewal was lost', async () => {
    const { world, a, b } = await led();
    a.store.fate = UNANSWERED;
    await world.clock.advance(3_000);
    void a.election.stop();
    a.store.fate = () => PROMPT;
    expect(await until(world, () => b.election.remainingMs() > 0)).toBeLessThan(3_000);
  });

  it('ends within seconds where the server does not answer', async () => {
    const { world, a } = await led();
    a.store.fate = CUT;
    let ended = false;
    void a.election.stop().then(() => {
      ended = true;
    });
    expect(await until(world, () => ended)).toBeLessThanOrEqual(3_100);
    expect(a.troubles).toHaveLength(1);
  });

  it('stops ten seconds after its last renewal, and is followed when fifteen are over', async () => {
    const { world, a, b } = await led();
    a.store.fate = CUT;
    const stopsAfter = await until(world, () => world.leaders().length === 0);
    expect(stopsAfter).toBeGreaterThan(7_000);
    expect(stopsAfter).toBeLessThanOrEqual(10_000);
    expect(a.changes.at(-1)).toBe('follows a');
    const followsAfter = await until(world, () => b.election.remainingMs() > 0);
    expect(followsAfter).toBeGreaterThanOrEqual(4_500);
    expect(followsAfter).toBeLessThan(9_500);
    a.store.fate = () => PROMPT;
    await world.clock.advance(10_000);
    expect(a.changes.at(-1)).toBe('follows b');
    expect(a.recoveries).toBe(1);
    expect(world.leaders()).toEqual(['b']);
  });

  it('is not believed in any longer by one who slept through it', async () => {
    const { world, a } = await led();
    a.clock.freeze(60_000);
    await world.clock.advance(30_000);
    expect(world.leaders()).toEqual(['b']);
    await world.clock.advance(60_000);
    expect(world.leaders()).toEqual(['b']);
    expect(a.changes.at(-1)).toBe('follows b');
  });

  it('stays when the answers to a renewal or two are lost', async () => {
    const { world, a } = await led();
    a.store.fate = UNANSWERED;
    await world.clock.advance(6_000);
    a.store.fate = () => PROMPT;
    await world.clock.advance(20_000);
    expect(a.changes).toEqual(['leads a']);
    expect(world.leaders()).toEqual(['a']);
  });

  it('stays when the Lease is deleted, and makes it again', async () => {
    const { world, a, b } = await led();
    world.server.lease = undefined;
    await world.clock.advance(30_000);
    expect(world.server.lease).toMatchObject({ spec: { holderIdentity: 'a' } });
    expect([...a.changes, ...b.changes]).toEqual(['leads a', 'follows a']);
  });

  it('goes as soon as somebody has taken the Lease by force', async () => {
    const { world, a } = await led();
    const { metadata, spec } = world.server.lease!;
    world.server.apply({ verb: 'replace', spec: { ...spec, holderIdentity: 'by hand' }, ...metadata });
    expect(await until(world, () => a.election.remainingMs() <= 0)).toBeLessThan(2_500);
    expect(a.changes.at(-1)).toBe('follows by hand');
    await until(world, () => world.leaders().length > 0);
  });

  it('is not decided by the time of day', async () => {
    const world = new LeaseWorld();
    world.server.apply({ verb: 'create', spec: { holderIdentity: '' } });
    world.join('a');
    await world.clock.advance(1_000);
    const ahead = world.join('ahead', { ahead: 3_600_000 });
    const behind = world.join('behind', { ahead: -3_600_000 });
    await world.clock.advance(60_000);
    expect(world.leaders()).toEqual(['a']);
    expect([...ahead.changes, ...behind.changes]).toEqual(['follows a', 'follows a']);
  });

  it('waits as long as the holder asks others to', async () => {
    const world = new LeaseWorld();
    world.server.apply({ verb: 'create', spec: { holderIdentity: 'other', leaseDurationSeconds: 40 } });
    world.join('a');
    expect(await until(world, () => world.leaders().length > 0)).toBeGreaterThanOrEqual(40_000);
  });

  it('is nobody where the server refuses, which is told each time, until it does not', async () => {
    const world = new LeaseWorld();
    world.server.refusal = new Error('forbidden');
    const a = world.join('a');
    await world.clock.advance(10_000);
    expect(a.troubles.length).toBeGreaterThanOrEqual(4);
    world.server.refusal = undefined;
    await until(world, () => a.election.remainingMs() > 0);
    expect(a.recoveries).toBe(1);
  });
});

/** Mulberry32: the same numbers for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe('two leaders', () => {
  const who = fc.integer({ min: 0, max: 2 });
  const forMs = fc.integer({ min: 500, max: 40_000 });
  const accident = fc.oneof(
    fc.record({ kind: fc.constant('freeze' as const), who, forMs }),
    fc.record({ kind: fc.constant('cut' as const), who, forMs }),
    fc.record({ kind: fc.constant('replace' as const), who, forMs }),
    fc.record({ kind: fc.constant('delete' as const), who, forMs }),
    fc.record({ kind: fc.constant('nothing' as const), who, forMs }),
  );
  const history = fc.record({
    seed: fc.integer(),
    /** Of requests and of answers. */
    lossPercent: fc.integer({ min: 0, max: 60 }),
    slowMs: fc.integer({ min: 0, max: 12_000 }),
    rates: fc.tuple(...[0, 1, 2].map(() => fc.double({ min: 0.85, max: 1.2, noNaN: true }))),
    accidents: fc.array(accident, { maxLength: 12 }),
  });

  it('are never there, whatever is lost, late, deleted, stopped or restarted; and one is when all is well again', async () => {
    await fc.assert(
      fc.asyncProperty(history, async ({ seed, lossPercent, slowMs, rates, accidents }) => {
        const world = new LeaseWorld();
        const random = randomOf(seed);
        world.random = random;
        const leg = () => (random() * 100 < lossPercent ? undefined : random() ** 4 * slowMs);
        const faulty = (): Fate => ({ thereMs: leg(), backMs: leg() });
        const current = rates.map((rate, n) => world.join(`p${n}`, { rate, ahead: random() * 1e7 }));
        const cutUntil = [0, 0, 0];
        const attach = (elector: Elector, n: number) => {
          elector.store.fate = () => (world.clock.now() < cutUntil[n]! ? CUT() : faulty());
        };
        current.forEach(attach);
        const pass = async (ms: number) => {
          for (let passed = 0; passed < ms; passed += 200) {
            await world.clock.advance(200);
            expect(world.leaders().length).toBeLessThanOrEqual(1);
          }
        };
        for (const { kind, who: n, forMs: ms } of accidents) {
          if (kind === 'freeze') current[n]!.clock.freeze(ms);
          if (kind === 'cut') cutUntil[n] = world.clock.now() + ms;
          if (kind === 'delete') world.server.lease = undefined;
          if (kind === 'replace') {
            void current[n]!.election.stop();
            current[n] = world.join(`p${n}-${world.electors.length}`, { rate: rates[n]!, ahead: random() * 1e7 });
            attach(current[n]!, n);
          }
          await pass(kind === 'nothing' ? ms : random() * 20_000);
        }
        for (const { store } of current) store.fate = () => PROMPT;
        await pass(80_000);
        expect(world.leaders()).toHaveLength(1);
        for (const { election } of world.electors) void election.stop();
        await world.clock.advance(10_000);
      }),
      { numRuns: 60 },
    );
  });
});
