import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REASONS } from './decision.ts';
import { explain } from './explain.ts';
import { History } from './history.ts';
import type { Observation, Reading } from './observation.ts';
import { InvalidPolicyError, resolvePolicy, type ScalingPolicySpec } from './policy.ts';
import { createScaler, decide } from './scaler.ts';

const SPEC: ScalingPolicySpec = {
  minReplicas: 1,
  maxReplicas: 50,
  coldStartMs: 30_000,
  objective: { metric: 'duration', latencyMs: 2_000, percentile: 95 },
};
const MINUTE = 60_000;

const value = (number: number): Reading => ({ kind: 'value', value: number });
const EMPTY: Reading = { kind: 'empty' };

interface Scene {
  spec?: number;
  ready?: number;
  startingAgesMs?: number[];
  perSecond?: Reading | number;
  waiting?: Reading | number;
  running?: Reading | number;
}

function observe({
  spec = 4,
  ready,
  startingAgesMs = [],
  perSecond = 4,
  waiting = 0,
  running = typeof perSecond === 'number' ? perSecond / 2 : 2,
}: Scene): Observation {
  const reading = (given: Reading | number) => (typeof given === 'number' ? value(given) : given);
  return {
    replicas: { spec, ready: ready ?? spec - startingAgesMs.length, startingAgesMs },
    arrivalRates: [10_000, 30_000, 60_000].map((windowMs) => ({ windowMs, reading: reading(perSecond) })),
    waiting: reading(waiting),
    running: reading(running),
    completionRate: reading(perSecond),
    serviceMs: value(500),
    serviceP95Ms: value(740),
    badShares: [{ windowMs: 60_000, reading: value(0) }],
    slots: value(1),
  };
}

/** Decides every 5 s under what `scene` says at each time; the target follows at once. */
function play(
  spec: ScalingPolicySpec,
  start: number,
  untilMs: number,
  scene: (now: number, replicas: number) => Scene,
  fromMs = 0,
) {
  const scaler = createScaler(spec, { now: fromMs, replicas: start });
  let replicas = start;
  let last = scaler.decide(observe({ spec: replicas, ...scene(fromMs + 5_000, replicas) }), fromMs + 5_000);
  for (let now = fromMs + 10_000; now <= untilMs; now += 5_000) {
    replicas = last.replicas;
    last = scaler.decide(observe({ spec: replicas, ...scene(now, replicas) }), now);
  }
  return { last, scaler, replicas: last.replicas };
}

const calm = (replicas: number) => play(SPEC, replicas, 30 * MINUTE, () => ({}));

describe('what binds a decision', () => {
  it('load: more than there is for', () => {
    const { scaler, replicas } = calm(4);
    const more = scaler.decide(observe({ spec: replicas, perSecond: 1.75 * replicas }), 30 * MINUTE + 5_000);
    expect(more).toMatchObject({ reason: 'load' });
    expect(more.replicas).toBe(more.terms.planned);
    expect(more.replicas).toBeGreaterThan(replicas);
  });

  it('within-tolerance: steady load leaves what it needs', () => {
    expect(calm(4).last).toMatchObject({ reason: 'within-tolerance' });
    // One more than it needs is not worth a change.
    expect(Math.abs(calm(4).replicas - calm(20).replicas)).toBeLessThanOrEqual(1);
  });

  it('backlog: a queue that will stand when pods are ready', () => {
    const { scaler, replicas } = calm(4);
    const waiting = scaler.decide(observe({ spec: replicas, waiting: 500 }), 30 * MINUTE + 5_000);
    expect(waiting).toMatchObject({ reason: 'backlog' });
    expect(waiting.replicas).toBe(waiting.terms.planned! + waiting.terms.backlog!);
  });

  it('stabilizing: what was asked for a queue is not taken back the moment it is gone', () => {
    const { scaler, replicas } = calm(4);
    const at = 30 * MINUTE + 5_000;
    const up = scaler.decide(observe({ spec: replicas, waiting: 500 }), at);
    const starting = Array<number>(up.replicas - replicas).fill(5_000);
    const gone = scaler.decide(observe({ spec: up.replicas, startingAgesMs: starting }), at + 5_000);
    expect(gone.replicas).toBe(up.replicas);
    const again = scaler.decide(observe({ spec: up.replicas, waiting: 500 }), at + 10_000);
    expect(again.replicas - up.replicas).toBeLessThan((up.replicas - replicas) / 2);
  });

  it('an objective that not even a request alone meets is told, and does not take the replicas away', () => {
    const objective = { ...SPEC.objective, latencyMs: 50 };
    const { last } = play({ ...SPEC, objective }, 12, 30 * MINUTE, () => ({ perSecond: 8 }));
    expect(last.terms.load).toBeGreaterThanOrEqual(5);
    expect(last.terms.reachMs).toBeGreaterThan(500);
    expect(explain(last, objective)).toContain('95% under 0.05 s is out of reach even for a request alone, 95% under ');
  });

  it('stabilizing: down only to the most of the window', () => {
    const { scaler } = play(SPEC, 20, 10 * MINUTE, () => ({ perSecond: 20 }));
    const at = 10 * MINUTE + 5_000;
    const less = scaler.decide(observe({ spec: 30, perSecond: 2 }), at);
    expect(less).toMatchObject({ replicas: less.terms.windowMost, reason: 'stabilizing' });
    expect(less.recommended).toBeLessThan(less.replicas);
  });

  it('rate-limited, both ways', () => {
    const policies = [{ type: 'pods', value: 2, periodMs: MINUTE }] as const;
    const up = play({ ...SPEC, behavior: { scaleUp: { policies } } }, 4, 15_000, () => ({ perSecond: 30 }));
    expect(up.last).toMatchObject({ replicas: 6, reason: 'rate-limited' });
    const down = play({ ...SPEC, behavior: { scaleDown: { policies } } }, 40, 70_000, () => ({ perSecond: 2 }));
    expect(down.last).toMatchObject({ replicas: 38, reason: 'rate-limited' });
  });

  it('at-min and at-max', () => {
    expect(play({ ...SPEC, maxReplicas: 6 }, 4, 5_000, () => ({ perSecond: 60 })).last).toMatchObject({
      replicas: 6,
      reason: 'at-max',
    });
    expect(play({ ...SPEC, minReplicas: 3 }, 1, 5_000, () => ({ perSecond: 0.1 })).replicas).toBeGreaterThanOrEqual(3);
    expect(play({ ...SPEC, minReplicas: 3 }, 3, 30 * MINUTE, () => ({ perSecond: 0.01 })).replicas).toBe(3);
  });

  it('cold-start-pending: pods that do not come up are not followed by more, until it is tried again', () => {
    const scene = (now: number, spec: number): Scene => ({
      perSecond: 10 + now / 20_000,
      ready: 4,
      startingAgesMs: Array.from({ length: Math.max(0, spec - 4) }, () => now),
    });
    const roomy = { ...SPEC, maxReplicas: 500 };
    const { last } = play(roomy, 4, 4 * MINUTE, scene);
    expect(last).toMatchObject({ reason: 'cold-start-pending' });
    expect(last.terms.stuck).toBeGreaterThan(0);
    expect(play(roomy, 4, 15 * MINUTE, scene).replicas).toBeGreaterThan(last.replicas);
  });

  it('pods that start are supply', () => {
    const { scaler } = play(SPEC, 10, 10 * MINUTE, () => ({ perSecond: 10 }));
    const queue = { spec: 20, perSecond: 10, waiting: 100 };
    const supplied = scaler.decide(observe({ ...queue, startingAgesMs: Array(10).fill(25_000) }), 10 * MINUTE + 5_000);
    expect(supplied.terms.backlog).toBe(0);
  });

  it('paused and recommend-only change nothing and say what they would', () => {
    const busy = { perSecond: 30 };
    expect(play({ ...SPEC, paused: true }, 4, 5_000, () => busy).last).toMatchObject({ replicas: 4, reason: 'paused' });
    expect(play({ ...SPEC, paused: true, pausedReplicas: 7 }, 4, 5_000, () => busy).replicas).toBe(7);
    const { last } = play({ ...SPEC, mode: 'Recommend' }, 4, 5_000, () => busy);
    expect(last).toMatchObject({ replicas: 4, reason: 'recommend-only' });
    expect(last.recommended).toBeGreaterThan(10);
  });
});

describe('a spec that its owner changed', () => {
  const at = 30 * MINUTE + 5_000;

  it('counts from the next decision on, with all that was learnt', () => {
    const { scaler, replicas } = calm(4);
    const before = scaler.estimates();
    scaler.change({ ...SPEC, minReplicas: 9, coldStartMs: 70_000, capacity: { slotsPerReplica: 3 }, periodMs: 9_000 });
    expect(scaler.periodMs).toBe(9_000);
    expect(scaler.estimates()).toMatchObject({
      serviceMs: before.serviceMs,
      arrivalRate: before.arrivalRate,
      slots: 3,
      coldStartMs: 70_000,
    });
    expect(scaler.decide(observe({ spec: replicas }), at)).toMatchObject({ replicas: 9, reason: 'at-min' });
  });

  it('a stricter objective needs more at once', () => {
    const { scaler, replicas } = calm(4);
    scaler.change({ ...SPEC, objective: { metric: 'duration', latencyMs: 800, percentile: 99 } });
    expect(scaler.decide(observe({ spec: replicas }), at).replicas).toBeGreaterThan(replicas);
  });

  it('changes nothing where it is wrong', () => {
    const { scaler, replicas } = calm(4);
    expect(() => scaler.change({ ...SPEC, maxReplicas: 0 })).toThrow(InvalidPolicyError);
    expect(scaler.decide(observe({ spec: replicas }), at)).toMatchObject({ replicas, reason: 'within-tolerance' });
  });
});

describe('what it has learnt', () => {
  it('is unknown at first', () => {
    const estimates = createScaler({ maxReplicas: 50, objective: SPEC.objective }, { now: 0, replicas: 2 }).estimates();
    expect(Object.values(estimates)).toEqual(Array(7).fill(undefined));
  });

  it('is what a person wants to see', () => {
    const estimates = calm(4).scaler.estimates();
    expect(estimates).toMatchObject({ arrivalRate: 4, slots: 1, coldStartMs: 30_000 });
    // A pod of one slot finishes two a second at full work, and fewer in time.
    expect(estimates.goodRequestsPerSecondPerReplica).toBeGreaterThan(1);
    expect(estimates.goodRequestsPerSecondPerReplica).toBeLessThan(2.2);
  });
});

describe('to zero and back', () => {
  const spec = { ...SPEC, minReplicas: 0, idleMs: 5 * MINUTE };
  const silence: Scene = { perSecond: 0, waiting: 0, running: 0 };

  it('goes only after the time without arrivals, waiting and running', () => {
    expect(play(spec, 2, 5 * MINUTE - 5_000, () => silence).last).toMatchObject({ replicas: 1 });
    expect(play(spec, 2, 6 * MINUTE, () => silence).replicas).toBe(0);
    for (const busy of [{ waiting: 1 }, { running: 1 }, { perSecond: 0.1 }, { waiting: EMPTY }]) {
      expect(play(spec, 2, 20 * MINUTE, () => ({ ...silence, ...busy })).replicas).toBeGreaterThanOrEqual(1);
    }
  });

  it('does not remember a trickle for longer than that', () => {
    const trickle = (now: number): Scene => (now < 30 * MINUTE ? { perSecond: 0.05, running: 0 } : silence);
    const { last, scaler } = play(spec, 1, 36 * MINUTE, trickle);
    expect(last).toMatchObject({ replicas: 0, reason: 'idle' });
    expect(scaler.decide(observe({ ...silence, spec: 0 }), 36 * MINUTE + 5_000).replicas).toBe(0);
  });

  it('comes back at once for one that waits, whether or not arrivals are known', () => {
    const { scaler } = play(spec, 0, 10 * MINUTE, () => silence);
    for (const perSecond of [0, EMPTY]) {
      const back = scaler.decide(observe({ ...silence, perSecond, spec: 0, waiting: 1 }), 11 * MINUTE);
      expect(back.replicas).toBeGreaterThanOrEqual(1);
      expect(back.reason).toBe('activating');
    }
  });
});

describe('without data', () => {
  const missing: Reading[] = [EMPTY, { kind: 'nan' }, { kind: 'stale', ageMs: 400_000 }, { kind: 'failed' }];

  it.each(missing)('%o holds, for however long, and a window beyond', (reading) => {
    const { last, replicas } = play(SPEC, 20, 60 * MINUTE, () => ({ perSecond: reading }));
    expect(replicas).toBe(20);
    expect(last.reason).toBe(reading.kind === 'stale' ? 'stale' : 'no-data');
    const back = (at: number) => ({ perSecond: at < 10 * MINUTE ? reading : 1 });
    expect(play(SPEC, 20, 11 * MINUTE - 10_000, back).last).toMatchObject({ replicas: 20, reason: 'recovering' });
    expect(play(SPEC, 20, 13 * MINUTE, back).replicas).toBeLessThan(20);
  });

  it('nobody looked for a while: as if data had been missing', () => {
    const { scaler } = play(SPEC, 20, 10 * MINUTE, () => ({ perSecond: 20 }));
    const later = (ms: number) => scaler.decide(observe({ spec: 20, perSecond: 1 }), 12 * MINUTE + ms);
    expect(later(0)).toMatchObject({ replicas: 20, reason: 'recovering' });
    for (let ms = 5_000; ms < MINUTE; ms += 5_000) expect(later(ms)).toMatchObject({ replicas: 20 });
    for (let ms = MINUTE; ms < 2 * MINUTE; ms += 5_000) later(ms);
    expect(later(2 * MINUTE).replicas).toBeLessThan(20);
  });

  it('no traffic that was counted is data', () => {
    expect(play(SPEC, 20, 10 * MINUTE, () => ({ perSecond: 0, running: 0 })).replicas).toBe(1);
  });

  it('falls back after so many failures, never down', () => {
    const spec = { ...SPEC, fallback: { replicas: 8, afterFailures: 3 } };
    const blind = () => ({ perSecond: EMPTY });
    expect(play(spec, 4, 10_000, blind).replicas).toBe(4);
    expect(play(spec, 4, 15_000, blind).last).toMatchObject({ replicas: 8, reason: 'fallback' });
    expect(play(spec, 12, 60_000, blind).replicas).toBe(12);
  });

  it('a part that is missing may go up and not down', () => {
    const part = { waiting: EMPTY };
    expect(play(SPEC, 20, 30 * MINUTE, () => part).last).toMatchObject({ replicas: 20, reason: 'no-data' });
    expect(play(SPEC, 4, 5_000, () => ({ ...part, perSecond: 30 })).replicas).toBeGreaterThan(10);
    const queue = calm(4).scaler.decide(observe({ spec: 4, perSecond: EMPTY, waiting: 500 }), 31 * MINUTE);
    expect(queue.reason).toBe('backlog');
    expect(queue.replicas).toBeGreaterThan(4);
  });
});

describe('for all that may be read', () => {
  const number = fc.oneof(fc.double(), fc.integer({ min: 0, max: 2_000 }), fc.double({ min: 0, max: 1, noNaN: true }));
  const reading: fc.Arbitrary<Reading> = fc.oneof(
    { weight: 4, arbitrary: number.map(value) },
    fc.constantFrom<Reading>(EMPTY, { kind: 'nan' }, { kind: 'failed' }, { kind: 'stale', ageMs: 1e6 }),
  );
  const windows = fc
    .array(reading, { maxLength: 3 })
    .map((readings) => readings.map((each, i) => ({ windowMs: 10_000 * (i + 1), reading: each })));
  const observation: fc.Arbitrary<Observation> = fc.record({
    replicas: fc.record({
      spec: fc.nat(60),
      ready: fc.nat(60),
      startingAgesMs: fc.array(fc.nat(200_000), { maxLength: 5 }),
    }),
    arrivalRates: windows,
    waiting: reading,
    running: reading,
    completionRate: reading,
    serviceMs: reading,
    serviceP95Ms: reading,
    badShares: windows,
    slots: fc.oneof(reading, fc.constant(value(16))),
  });

  it('it is a number within the limits, with a reason, terms that are numbers, and a line; asked twice it is the same', () => {
    const policy = resolvePolicy({ ...SPEC, minReplicas: 2 });
    fc.assert(
      fc.property(fc.array(observation, { minLength: 1, maxLength: 6 }), (observations) => {
        const history = new History(policy, { now: 0, replicas: 4 });
        observations.forEach((each, i) => {
          const now = (i + 1) * 5_000;
          history.observe(each, now);
          const decision = decide(each, policy, history, now);
          expect(decide(each, policy, history, now)).toEqual(decision);
          expect(Number.isInteger(decision.replicas)).toBe(true);
          expect(decision.replicas).toBeGreaterThanOrEqual(2);
          expect(decision.replicas).toBeLessThanOrEqual(50);
          expect(REASONS).toContain(decision.reason);
          for (const [term, number] of Object.entries(decision.terms))
            expect([term, Number.isFinite(number)]).toEqual([term, true]);
          expect(explain(decision, policy.objective)).not.toMatch(/NaN|undefined|\n/);
        });
      }),
      { numRuns: 25 },
    );
  });

  it('a restart takes nothing away, whatever it sees in the first window', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.double({ min: 0, max: 50, noNaN: true }),
        (replicas, perSecond) => {
          const now = 7 * MINUTE;
          expect(
            play(SPEC, replicas, now + MINUTE - 5_000, () => ({ perSecond }), now).replicas,
          ).toBeGreaterThanOrEqual(replicas);
        },
      ),
      { numRuns: 15 },
    );
  });

  it('more arrivals, or more that wait, never mean fewer', () => {
    const rates = fc.tuple(fc.double({ min: 0, max: 90, noNaN: true }), fc.double({ min: 0, max: 90, noNaN: true }));
    fc.assert(
      fc.property(
        rates,
        fc.tuple(fc.nat(900), fc.nat(900)),
        fc.integer({ min: 1, max: 50 }),
        ([a, b], [w, x], spec) => {
          const asked = (perSecond: number, waiting: number) =>
            play(SPEC, spec, 5_000, () => ({ perSecond, waiting })).replicas;
          expect(asked(Math.max(a, b), w)).toBeGreaterThanOrEqual(asked(Math.min(a, b), w));
          expect(asked(a, Math.max(w, x))).toBeGreaterThanOrEqual(asked(a, Math.min(w, x)));
        },
      ),
      { numRuns: 60, examples: [[[2.5e-323, 0], [701, 0], 4]] },
    );
  });
});
