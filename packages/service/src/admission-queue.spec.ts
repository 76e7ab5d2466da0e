import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AdmissionLimits, AdmissionQueue, type Ticket } from './admission-queue.ts';

const NO_DEADLINE = Number.POSITIVE_INFINITY;
const LIMITS: AdmissionLimits = {
  requests: 4,
  tokens: 100,
  window: 1,
  objectiveMs: Number.POSITIVE_INFINITY,
  refusesEarly: true,
};

/** A queue whose owner does what it must after each change, with the order in which holders had their turn. */
class Desk {
  readonly queue: AdmissionQueue<number>;
  readonly turns: number[] = [];
  readonly late: number[] = [];
  readonly running: Ticket<number>[] = [];
  readonly waiting: Ticket<number>[] = [];
  #next = 0;

  constructor(limits: Partial<AdmissionLimits> = {}) {
    this.queue = new AdmissionQueue({ ...LIMITS, ...limits });
  }

  enter(now: number, { tokens = 1, deadlineAt = NO_DEADLINE } = {}): string {
    const holder = this.#next++;
    const entered = this.queue.enter({ tokens, deadlineAt, holder }, now);
    if (!entered.admitted) return `${entered.refusal.reason}, again in ${entered.refusal.retryAfterSeconds} s`;
    this.waiting.push(entered.ticket);
    this.#advance(now);
    return 'admitted';
  }

  leave(ticket: Ticket<number> | undefined, how: 'done' | 'gone', now: number): void {
    if (ticket === undefined) return;
    for (const list of [this.running, this.waiting]) if (list.includes(ticket)) list.splice(list.indexOf(ticket), 1);
    this.queue.leave(ticket, how, now);
    this.#advance(now);
  }

  #advance(now: number): void {
    for (let taken = this.queue.takeNext(now); taken !== undefined; taken = this.queue.takeNext(now)) {
      this.waiting.splice(this.waiting.indexOf(taken.ticket), 1);
      (taken.late ? this.late : this.turns).push(taken.ticket.holder);
      if (!taken.late) this.running.push(taken.ticket);
    }
  }
}

describe('the line', () => {
  it('is first come, first served, through a window', () => {
    const desk = new Desk({ window: 2 });
    for (let i = 0; i < 5; i++) desk.enter(i);
    expect([desk.turns, desk.queue.running, desk.queue.waiting]).toEqual([[0, 1], 2, 3]);
    desk.leave(desk.running[1], 'done', 10);
    desk.leave(desk.running[0], 'done', 11);
    expect(desk.turns).toEqual([0, 1, 2, 3]);
  });

  it('loses only those who go, and their tokens at once', () => {
    const desk = new Desk();
    for (let i = 0; i < 4; i++) desk.enter(0, { tokens: 33 });
    expect(desk.queue.waitingTokens).toBe(99);
    const [, middle] = desk.waiting;
    desk.leave(middle, 'gone', 1);
    desk.leave(middle, 'gone', 1);
    expect([desk.queue.waiting, desk.queue.waitingTokens]).toEqual([2, 66]);
    for (let now = 2; desk.running.length > 0; now++) desk.leave(desk.running[0], 'done', now);
    expect(desk.turns).toEqual([0, 1, 3]);
  });

  it('costs the same however many wait', () => {
    const count = 200_000;
    const queue = new AdmissionQueue<number>({ ...LIMITS, requests: count, tokens: count });
    const tickets: Ticket<number>[] = [];
    for (let holder = 0; holder < count; holder++) {
      const entered = queue.enter({ tokens: 1, deadlineAt: NO_DEADLINE, holder }, holder);
      if (entered.admitted) tickets.push(entered.ticket);
    }
    // From the middle outwards: looking for each from an end would take minutes.
    for (let i = 0; i < count / 2; i++) {
      queue.leave(tickets[count / 2 + i]!, 'gone', count);
      if (i > 0) queue.leave(tickets[count / 2 - i]!, 'gone', count);
    }
    expect([queue.waiting, queue.waitingTokens, queue.takeNext(count)?.ticket.holder]).toEqual([1, 1, 0]);
  });

  it('gives back as late whose deadline has passed', () => {
    const desk = new Desk();
    desk.enter(0);
    desk.enter(0, { deadlineAt: 5 });
    desk.enter(0);
    desk.leave(desk.running[0], 'done', 5);
    expect([desk.turns, desk.late]).toEqual([[0, 2], [1]]);
  });
});

describe('a refusal', () => {
  it('comes when as many wait as may, and never while there is room', () => {
    const desk = new Desk({ requests: 2 });
    const said = Array.from({ length: 4 }, () => desk.enter(0));
    expect(said).toEqual(['admitted', 'admitted', 'admitted', 'requests, again in 1 s']);
    const none = new Desk({ requests: 0 });
    expect([none.enter(0), none.enter(0)]).toEqual(['admitted', 'requests, again in 1 s']);
  });

  it('comes when their tokens are too many; what is served at once is not weighed', () => {
    const desk = new Desk();
    expect(desk.enter(0, { tokens: 1_000 })).toBe('admitted');
    expect(desk.enter(0, { tokens: 101 })).toBe('tokens, again in 1 s');
    expect(desk.enter(0, { tokens: 100 })).toBe('admitted');
    expect(desk.enter(0, { tokens: 1 })).toBe('tokens, again in 1 s');
  });

  it('says when those who wait will have had their turn, by the rate at which they leave', () => {
    const desk = new Desk({ requests: 3 });
    for (let i = 0; i < 4; i++) desk.enter(0);
    for (let now = 2_000; now <= 20_000; now += 2_000) {
      desk.leave(desk.running[0], 'done', now);
      desk.enter(now);
    }
    // One every 2 s, three wait and this one would be the fourth.
    expect(desk.enter(20_000)).toBe('requests, again in 8 s');
  });

  it('names at most a minute', () => {
    const desk = new Desk({ requests: 3 });
    for (let i = 0; i < 4; i++) desk.enter(0);
    for (let now = 1; now <= 3; now++) {
      desk.leave(desk.running[0], 'done', now * 100_000);
      desk.enter(now * 100_000);
    }
    expect(desk.enter(300_000)).toBe('requests, again in 60 s');
  });

  it('comes early for what cannot be done by its deadline, and only while others wait', () => {
    const desk = served({ window: 1, requests: 10 }, 100);
    // Each takes 100 ms: two more turns and its own service are 300 ms, three quarters of 400.
    expect(desk.enter(2_000)).toBe('admitted');
    expect(desk.enter(2_000, { deadlineAt: 2_001 })).toBe('admitted');
    expect(desk.enter(2_000, { deadlineAt: 2_399 })).toBe('deadline, again in 1 s');
    expect(desk.enter(2_000, { deadlineAt: 2_400 })).toBe('admitted');
    const plain = served({ window: 1, requests: 10, refusesEarly: false }, 100);
    for (let i = 0; i < 3; i++) expect(plain.enter(2_000, { deadlineAt: 2_001 })).toBe('admitted');
  });

  it('comes as early for what cannot be done within the objective, whatever its deadline', () => {
    const desk = served({ window: 1, requests: 10, objectiveMs: 400 }, 100);
    expect([1, 2, 3, 4].map(() => desk.enter(2_000))).toEqual([
      'admitted',
      'admitted',
      'admitted',
      'deadline, again in 1 s',
    ]);
    // Where one service takes longer than that, one more may wait.
    const slow = served({ window: 1, requests: 10, objectiveMs: 50 }, 100);
    expect([1, 2, 3].map(() => slow.enter(2_000))).toEqual(['admitted', 'admitted', 'deadline, again in 1 s']);
  });

  it('is not given by estimates that are old', () => {
    const desk = served({ window: 1, requests: 10 }, 100);
    desk.enter(3_001);
    desk.enter(3_001);
    expect(desk.enter(3_001, { deadlineAt: 3_002 })).toBe('admitted');
  });
});

describe('a turn that comes too late', () => {
  it('goes to the next if not even a fast service would do, and is kept where there is no next', () => {
    const desk = served({ window: 1, requests: 10 }, 100);
    desk.enter(2_000);
    desk.enter(2_000, { deadlineAt: 2_110 });
    desk.enter(2_000);
    desk.leave(desk.running[0], 'done', 2_020);
    expect([desk.turns.slice(-1), desk.late]).toEqual([[22], [21]]);
    desk.leave(desk.running[0], 'done', 2_040);
    desk.enter(2_040);
    desk.enter(2_040, { deadlineAt: 2_110 });
    desk.leave(desk.running[0], 'done', 2_060);
    expect([desk.turns.slice(-1), desk.late]).toEqual([[24], [21]]);
  });
});

/** A desk at rest that has served twenty in a row, the last at 2,000 at the latest. */
function served(limits: Partial<AdmissionLimits>, serviceMs: number): Desk {
  const desk = new Desk(limits);
  const window = limits.window ?? 1;
  for (let i = 0; i < 20; i++) {
    if (desk.running.length === window) desk.leave(desk.running[0], 'done', Math.floor(i / window) * serviceMs);
    desk.enter(Math.floor(i / window) * serviceMs);
  }
  const end = Math.floor(20 / window) * serviceMs;
  while (desk.running.length > 0) desk.leave(desk.running[0], 'done', end);
  return desk;
}

describe('whatever happens', () => {
  const step = fc.oneof(
    fc.record({
      did: fc.constant('enter' as const),
      tokens: fc.nat({ max: 60 }),
      patience: fc.oneof(fc.constant(NO_DEADLINE), fc.integer({ min: -10, max: 5_000 })),
    }),
    fc.record({ did: fc.constant('done' as const), which: fc.nat() }),
    fc.record({ did: fc.constant('gone' as const), which: fc.nat() }),
    fc.record({ did: fc.constant('withdraw' as const), which: fc.nat() }),
    fc.record({ did: fc.constant('pass' as const), ms: fc.nat({ max: 20_000 }) }),
  );
  const history = fc.record({
    limits: fc.record({
      requests: fc.nat({ max: 6 }),
      tokens: fc.nat({ max: 200 }),
      window: fc.integer({ min: 1, max: 4 }),
      objectiveMs: fc.constantFrom(Number.POSITIVE_INFINITY, 500, 5_000),
      refusesEarly: fc.boolean(),
    }),
    steps: fc.array(step, { maxLength: 120 }),
  });

  function play({ limits, steps }: typeof history extends fc.Arbitrary<infer H> ? H : never): [Desk, number] {
    const desk = new Desk(limits);
    let now = 0;
    for (const each of steps) {
      if (each.did === 'pass') now += each.ms;
      else if (each.did === 'enter') desk.enter(now, { tokens: each.tokens, deadlineAt: now + each.patience });
      else if (each.did === 'withdraw') desk.leave(desk.waiting[each.which % desk.waiting.length], 'gone', now);
      else desk.leave(desk.running[each.which % desk.running.length], each.did, now);
      const { queue } = desk;
      expect(queue.waiting).toBe(desk.waiting.length);
      expect(queue.running).toBe(desk.running.length);
      expect(queue.waitingTokens).toBe(desk.waiting.reduce((sum, { tokens }) => sum + tokens, 0));
      expect(queue.waiting).toBeLessThanOrEqual(limits.requests);
      expect(queue.waitingTokens).toBeLessThanOrEqual(limits.tokens);
      expect(queue.running).toBeLessThanOrEqual(limits.window);
      expect(queue.waiting === 0 || queue.running === limits.window).toBe(true);
    }
    return [desk, now];
  }

  it('keeps the order and the limits, gives one turn each, and leaves nothing behind', () => {
    fc.assert(
      fc.property(history, (given) => {
        const [desk, now] = play(given);
        const { turns, late, queue } = desk;
        expect(turns).toEqual(turns.toSorted((a, b) => a - b));
        expect(new Set([...turns, ...late]).size).toBe(turns.length + late.length);
        const gone = desk.waiting[0];
        desk.leave(gone, 'gone', now);
        while (desk.running.length > 0) desk.leave(desk.running[0], 'done', now);
        expect([queue.waiting, queue.waitingTokens, queue.running]).toEqual([0, 0, 0]);
        if (gone !== undefined) expect(turns).not.toContain(gone.holder);
      }),
      { numRuns: 500 },
    );
  });

  it('serves the next request at once when load has stopped, however short its deadline', () => {
    fc.assert(
      fc.property(history, fc.nat({ max: 5_000 }), (given, laterMs) => {
        const [desk, now] = play(given);
        while (desk.waiting.length > 0) desk.leave(desk.waiting[0], 'gone', now);
        while (desk.running.length > 0) desk.leave(desk.running[0], 'gone', now);
        const before = desk.turns.length;
        expect(desk.enter(now + laterMs, { tokens: 1_000, deadlineAt: now + laterMs + 1 })).toBe('admitted');
        expect(desk.turns.length).toBe(before + 1);
      }),
      { numRuns: 500 },
    );
  });
});
