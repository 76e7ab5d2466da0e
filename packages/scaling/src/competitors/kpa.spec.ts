import { describe, expect, it } from 'vitest';
import { observed } from '../../test/observations.ts';
import { KPA, type KpaSettings } from './kpa.ts';

const LIMITS = { min: 0, max: 1000 };

/** Ticks each two seconds under a concurrency that depends on the tick; the pods that are asked for are there at once. */
function ticks(
  parts: { concurrencyAt: (tick: number) => number; start: number; count: number; ready?: number },
  given: Partial<KpaSettings> = {},
) {
  const settings = { ...KPA.settings({ slots: 10, peakRate: 5 }), utilization: 1, ...given };
  const scaler = KPA.create(settings, LIMITS)({ now: 0, replicas: parts.start });
  let [replicas, inSystemMs] = [parts.start, 0];
  return Array.from({ length: parts.count }, (_, index) => {
    if (index > 0) inSystemMs += 2_000 * parts.concurrencyAt(index);
    const decision = scaler.decide(
      observed({ spec: replicas, ready: parts.ready ?? replicas, inSystemMs }),
      index * 2_000,
    );
    replicas = decision.replicas;
    return decision;
  });
}

describe("Knative's autoscaler", () => {
  it('knows nothing at the first tick', () => {
    expect(ticks({ concurrencyAt: () => 50, start: 3, count: 1 })[0]).toMatchObject({ replicas: 3, reason: 'no-data' });
  });

  // knative.dev/docs/serving/autoscaling/concurrency: 70% of a hard limit of 10 are 7 for each pod.
  it('wants the mean concurrency by 70% of what a pod takes, rounded up', () => {
    const decisions = ticks({ concurrencyAt: () => 36, start: 1, count: 40 }, { utilization: 0.7 });
    expect(decisions.at(-1)!.replicas).toBe(6);
  });

  it('panics where six seconds need twice the pods that are ready, and does not go down in panic', () => {
    // Ten requests keep one pod; from tick 31 on there are 100; from 34 on there are 10 again.
    const decisions = ticks({ concurrencyAt: (tick) => (tick > 30 && tick <= 33 ? 100 : 10), start: 1, count: 80 });
    expect(decisions[30]).toMatchObject({ replicas: 1, terms: { panicking: 0 } });
    // The mean of six seconds is 40, then 70, then 100: each time more than 20 by ready pod... until 10 are there.
    expect(decisions[31]).toMatchObject({ replicas: 4, terms: { panicking: 1, panic: 40 } });
    expect(decisions[33]!.replicas).toBe(10);
    expect(decisions[60]!.replicas).toBe(10);
    // A minute after the last tick over the threshold it calms down, and halves what it has.
    const calm = decisions.findIndex(({ terms }, index) => index > 33 && terms.panicking === 0);
    expect(calm).toBeGreaterThan(60);
    expect(decisions[calm]!.replicas).toBe(5);
    expect(decisions.at(-1)!.replicas).toBe(1);
  });

  it('begins in panic with what there is, so that a restart takes nothing away for a minute', () => {
    const decisions = ticks({ concurrencyAt: () => 10, start: 8, count: 40 });
    expect(decisions[30]!.replicas).toBe(8);
    expect(decisions[31]!.replicas).toBe(4);
    expect(decisions[39]!.replicas).toBe(1);
  });

  // autoscaler.go: with MSUR = 1.1, OCC = 3, RPC = 2, TV = 1 there are 3, not 2.
  it('grows by at least one pod however slowly it may', () => {
    const slow = { concurrency: 1, maxScaleUpRate: 1.1 };
    expect(ticks({ concurrencyAt: () => 3, start: 2, ready: 2, count: 5 }, slow).at(-1)!.replicas).toBe(3);
  });

  it('keeps the highest wish of the delay', () => {
    const decisions = ticks(
      { concurrencyAt: (tick) => (tick < 60 ? 30 : 10), start: 1, count: 200 },
      { scaleDownDelayMs: 120_000, panicThreshold: 10 },
    );
    const last = decisions.findLastIndex(({ recommended }) => recommended === 3);
    expect(decisions[last + 59]!.replicas).toBe(3);
    expect(decisions[last + 60]!.replicas).toBeLessThan(3);
  });

  it('tells how much of a burst the pods would take', () => {
    const [, decision] = ticks({ concurrencyAt: () => 50, start: 30, count: 2 });
    expect(decision!.terms.excessBurst).toBe(300 - 211 - 50);
  });
});
