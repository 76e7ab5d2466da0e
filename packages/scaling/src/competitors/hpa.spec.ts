import { describe, expect, it } from 'vitest';
import { observed, type Seen } from '../../test/observations.ts';
import { HPA, type HpaSettings } from './hpa.ts';

const POD = { slots: 10, peakRate: 5 };
const LIMITS = { min: 1, max: 100 };

function decided(seen: Seen, given: Partial<HpaSettings> = {}) {
  const scaler = HPA.create({ ...HPA.settings(POD), target: 10, ...given }, LIMITS)({ now: 0, replicas: 1 });
  const { replicas, recommended, reason } = scaler.decide(observed(seen), 0);
  return { replicas, recommended, reason };
}

describe('an HPA', () => {
  // https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details: 200m where 100m are wanted doubles,
  // 50m halves, and within a tenth nothing changes.
  it('takes the current number by the metric by the target, rounded up', () => {
    expect(decided({ spec: 4, running: 80 })).toEqual({ replicas: 8, recommended: 8, reason: 'load' });
    expect(decided({ spec: 4, running: 20 }).recommended).toBe(2);
    expect(decided({ spec: 4, running: 60, waiting: 21 }).recommended).toBe(9);
  });

  it.each([
    [43, 4],
    [45, 5],
    [36, 4],
    [35, 4],
    [30, 3],
  ])('of %i requests where 40 are wanted makes %i of 4', (running, recommended) => {
    expect(decided({ spec: 4, running }).recommended).toBe(recommended);
  });

  it('waits five minutes before it goes down', () => {
    expect(decided({ spec: 4, running: 20 })).toEqual({ replicas: 4, recommended: 2, reason: 'stabilizing' });
  });

  it('changes nothing without its metric', () => {
    const scaler = HPA.create(HPA.settings(POD), LIMITS)({ now: 0, replicas: 4 });
    for (const reading of [{ kind: 'failed' }, { kind: 'empty' }, { kind: 'stale', ageMs: 1 }] as const) {
      expect(scaler.decide(observed({ spec: 4 }, { waiting: reading }), 0)).toMatchObject({
        replicas: 4,
        reason: 'no-data',
      });
    }
  });

  it('is switched off at 0, and keeps to its limits', () => {
    expect(decided({ spec: 0, waiting: 50 })).toMatchObject({ replicas: 0, reason: 'paused' });
    const limited = HPA.create(HPA.settings(POD), { min: 3, max: 5 })({ now: 0, replicas: 1 });
    expect(limited.decide(observed({ spec: 1, ready: 1 }), 0)).toMatchObject({ replicas: 3, reason: 'at-min' });
    expect(limited.decide(observed({ spec: 9, ready: 9 }), 0)).toMatchObject({ replicas: 5, reason: 'at-max' });
  });

  it('counts those that start as idle on the way up, by what pods say of themselves', () => {
    // Two ready pods at 20 would make 4; with two more on their way the mean is 10, as wanted.
    expect(decided({ spec: 4, ready: 2, starting: 2, running: 40 }, { metric: 'pods' }).recommended).toBe(4);
    expect(decided({ spec: 4, ready: 2, starting: 2, running: 60 }, { metric: 'pods' }).recommended).toBe(6);
    // With them it would go down where without them it goes up: it does neither.
    expect(decided({ spec: 8, ready: 2, starting: 6, running: 40 }, { metric: 'pods' }).recommended).toBe(8);
    expect(decided({ spec: 3, ready: 3, running: 12 }, { metric: 'pods' }).recommended).toBe(2);
    expect(decided({ spec: 3, ready: 0, starting: 3 }, { metric: 'pods' }).recommended).toBe(3);
  });
});
