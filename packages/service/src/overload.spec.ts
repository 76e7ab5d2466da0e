/** What an admission queue makes of more load than can be served: simulated, in virtual time. */
import { describe, expect, it } from 'vitest';
import { type AdmissionLimits, AdmissionQueue, type Ticket } from './admission-queue.ts';

const SERVICE_MS = 1_000;
const SECONDS = 300;

interface Load {
  readonly window: number;
  /** Arrivals per departure that is possible. */
  readonly overload: number;
  readonly deadlineMs: number;
  /** An answer counts if it comes within it. */
  readonly objectiveMs?: number;
  readonly refusesEarly: boolean;
  /** How far times of service spread: each is drawn evenly from `SERVICE_MS` times 1 - spread to 1 + spread. */
  readonly spread: number;
  /** How many times slower service is before this many seconds have passed. */
  readonly slow?: { readonly seconds: number; readonly times: number };
  /** Which answers count: those within the objective, unless told otherwise. */
  readonly counted?: 'good' | 'all';
  readonly seed: number;
}

/** Answers in time, as a share of what could be served in the time after the slow phase and a warm-up. */
function goodput(load: Load): number {
  const {
    window,
    overload,
    deadlineMs,
    objectiveMs = Number.POSITIVE_INFINITY,
    refusesEarly,
    spread,
    slow,
    counted,
    seed,
  } = load;
  const limits: AdmissionLimits = {
    requests: 256,
    tokens: Number.POSITIVE_INFINITY,
    window,
    objectiveMs: refusesEarly ? objectiveMs : Number.POSITIVE_INFINITY,
    refusesEarly,
  };
  const queue = new AdmissionQueue<number>(limits);
  const random = seeded(seed);
  const events = new Events();
  const countFrom = ((slow?.seconds ?? 0) + 20) * 1_000;
  let done = 0;
  const advance = (now: number): void => {
    for (let taken = queue.takeNext(now); taken !== undefined; taken = queue.takeNext(now)) {
      if (taken.late) continue;
      const { ticket } = taken;
      const times = now < (slow?.seconds ?? 0) * 1_000 ? (slow?.times ?? 1) : 1;
      const endsAt = now + SERVICE_MS * times * (1 + spread * (2 * random() - 1));
      // As in the pod, the deadline ends what runs.
      if (endsAt <= ticket.deadlineAt) events.add(endsAt, (at) => end(ticket, 'done', at));
    }
  };
  const end = (ticket: Ticket<number>, how: 'done' | 'gone', now: number): void => {
    const counts = counted === 'all' || now - ticket.holder <= objectiveMs;
    if (how === 'done' && now >= countFrom && counts) done += 1;
    queue.leave(ticket, how, now);
    advance(now);
  };
  const arrive = (now: number): void => {
    const entered = queue.enter({ tokens: 1, deadlineAt: now + deadlineMs, holder: now }, now);
    if (entered.admitted) events.add(now + deadlineMs, (at) => end(entered.ticket, 'gone', at));
    advance(now);
    events.add(now - (Math.log(1 - random()) * SERVICE_MS) / window / overload, arrive);
  };
  events.add(0, arrive);
  events.runUntil(SECONDS * 1_000);
  return done / (((SECONDS * 1_000 - countFrom) / SERVICE_MS) * window);
}

/** What happens when, earliest first; a heap. */
class Events {
  readonly #heap: { readonly at: number; readonly act: (at: number) => void }[] = [];

  add(at: number, act: (at: number) => void): void {
    const heap = this.#heap;
    let place = heap.push({ at, act }) - 1;
    for (let parent = (place - 1) >> 1; place > 0 && heap[parent]!.at > at; parent = (place - 1) >> 1) {
      [heap[place], heap[parent]] = [heap[parent]!, heap[place]!];
      place = parent;
    }
  }

  runUntil(end: number): void {
    while (this.#heap.length > 0 && this.#heap[0]!.at <= end) {
      const { at, act } = this.#take();
      act(at);
    }
  }

  #take(): { readonly at: number; readonly act: (at: number) => void } {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    heap[0] = last;
    for (let place = 0; ; ) {
      let least = place;
      for (const child of [2 * place + 1, 2 * place + 2])
        if (child < heap.length && heap[child]!.at < heap[least]!.at) least = child;
      if (least === place) return first;
      [heap[place], heap[least]] = [heap[least]!, heap[place]!];
      place = least;
    }
  }
}

/** mulberry32 */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const load: Load = { window: 8, overload: 3, deadlineMs: 4_000, refusesEarly: true, spread: 0.5, seed: 1 };
const seeds = [1, 2, 3];

describe('at three times the load that can be served, with deadlines', () => {
  it.each([
    { window: 1, deadlineMs: 4_000, spread: 0.5 },
    { window: 4, deadlineMs: 2_000, spread: 0.9 },
    { window: 4, deadlineMs: 10_000, spread: 0.9 },
    { window: 8, deadlineMs: 4_000, spread: 0 },
    { window: 8, deadlineMs: 4_000, spread: 0.5 },
    { window: 20, deadlineMs: 4_000, spread: 0.5 },
    { window: 20, deadlineMs: 2_000, spread: 0.9 },
    { window: 64, deadlineMs: 4_000, spread: 0.9 },
  ])('nine of ten that can be done are done in time: %o', (row) => {
    for (const seed of seeds) expect(goodput({ ...load, ...row, seed })).toBeGreaterThan(0.9);
  });

  it.each([
    { window: 1, objectiveMs: 4_000, spread: 0.5 },
    { window: 8, objectiveMs: 4_000, spread: 0.5 },
    { window: 20, objectiveMs: 2_000, spread: 0.9 },
    { window: 64, objectiveMs: 4_000, spread: 0.9 },
  ])('nine of ten are done within the objective, however late the deadline: %o', (row) => {
    for (const seed of seeds) expect(goodput({ ...load, deadlineMs: 60_000, ...row, seed })).toBeGreaterThan(0.9);
  });

  it('a queue that refuses only when it is full does little more than what comes too late', () => {
    for (const seed of seeds) {
      expect(goodput({ ...load, refusesEarly: false, seed })).toBeLessThan(0.15);
      const objective = { deadlineMs: 60_000, objectiveMs: 4_000 };
      expect(goodput({ ...load, ...objective, refusesEarly: false, seed })).toBeLessThan(0.15);
    }
  });

  it('where service takes longer than the objective, the server is kept at work', () => {
    const slow = { objectiveMs: 500, deadlineMs: 60_000, spread: 0.5 };
    for (const seed of seeds) {
      const served = goodput({ ...load, ...slow, counted: 'all', seed });
      expect(served).toBeGreaterThan(0.95);
    }
  });
});

describe('an estimate', () => {
  it('refuses nothing that can be done, up to seven tenths of the load', () => {
    for (const seed of seeds) {
      const all = goodput({ ...load, overload: 0.7, refusesEarly: false, seed });
      expect(goodput({ ...load, overload: 0.7, seed })).toBeGreaterThan(0.98 * all);
    }
  });

  it('made in a phase in which nothing was done in time does not outlive it', () => {
    // Three times slower, little is done by deadlines of 4 s; twenty times slower, nothing. After it, nine tenths again.
    for (const times of [3, 4, 20])
      for (const seed of seeds)
        expect(goodput({ ...load, slow: { seconds: 60, times }, seed }), `${times} times`).toBeGreaterThan(0.9);
  });
});
