import { describe, expect, it } from 'vitest';
import { observed } from '../../test/observations.ts';
import { KEDA, type KedaSettings } from './keda.ts';

const POD = { slots: 10, peakRate: 5 };
const FAILED = { waiting: { kind: 'failed' }, running: { kind: 'failed' } } as const;
const EMPTY = { waiting: { kind: 'empty' }, running: { kind: 'empty' } } as const;

function scaler(given: Partial<KedaSettings> = {}, limits = { min: 1, max: 100 }) {
  return KEDA.create({ ...KEDA.settings(POD), threshold: 10, ...given }, limits)({ now: 0, replicas: 4 });
}

describe('a ScaledObject', () => {
  it('asks for the metric by the threshold, rounded up', () => {
    expect(scaler().decide(observed({ spec: 4, running: 70, waiting: 5 }), 0).replicas).toBe(8);
    expect(scaler({ query: 'rate' }).decide(observed({ spec: 4, rate: 55 }), 0).replicas).toBe(6);
  });

  it('knows between two polls what it knew at the first', () => {
    const cached = scaler({ useCachedMetrics: true });
    const fresh = scaler({ useCachedMetrics: false });
    for (const one of [cached, fresh]) one.decide(observed({ spec: 4, running: 40 }), 0);
    expect(cached.decide(observed({ spec: 4, running: 70 }), 15_000).replicas).toBe(4);
    expect(fresh.decide(observed({ spec: 4, running: 70 }), 15_000).replicas).toBe(7);
    expect(cached.decide(observed({ spec: 4, running: 70 }), 30_000).replicas).toBe(7);
  });

  it('takes nothing for zero unless it is told not to', () => {
    expect(scaler().decide(observed({ spec: 4 }, EMPTY), 0)).toMatchObject({ recommended: 0, replicas: 4 });
    const strict = scaler({ ignoreNullValues: false });
    expect(strict.decide(observed({ spec: 4 }, EMPTY), 0)).toMatchObject({ reason: 'no-data', replicas: 4 });
  });

  it.each([
    ['static', 4, 6],
    ['static', 8, 6],
    ['currentReplicas', 8, 8],
    ['currentReplicasIfHigher', 4, 6],
    ['currentReplicasIfHigher', 8, 8],
    ['currentReplicasIfLower', 4, 4],
    ['currentReplicasIfLower', 8, 6],
  ] as const)('falls back (%s) with %i replicas to %i, after three failures in a row', (behavior, spec, replicas) => {
    const fallback = { failureThreshold: 3, replicas: 6, behavior };
    const one = scaler({ useCachedMetrics: false, fallback });
    for (let poll = 0; poll < 3; poll++) {
      expect(one.decide(observed({ spec }, FAILED), poll * 15_000)).toMatchObject({ reason: 'no-data' });
    }
    expect(one.decide(observed({ spec }, FAILED), 45_000).recommended).toBe(replicas);
  });

  it('goes to 0 after the cooldown, and to 1 with the first request', () => {
    const toZero = scaler({}, { min: 0, max: 10 });
    expect(toZero.decide(observed({ spec: 1, running: 1 }), 0).replicas).toBe(1);
    expect(toZero.decide(observed({ spec: 1 }), 300_000).replicas).toBe(1);
    expect(toZero.decide(observed({ spec: 1 }), 330_000)).toMatchObject({ replicas: 0, reason: 'idle' });
    // It looks with each poll, which is each 30 s.
    expect(toZero.decide(observed({ spec: 0, waiting: 9 }), 345_000).replicas).toBe(0);
    expect(toZero.decide(observed({ spec: 0, waiting: 9 }), 360_000)).toMatchObject({
      replicas: 1,
      reason: 'activating',
    });
  });

  it('does not go to 0 while Prometheus does not answer', () => {
    const blind = scaler({}, { min: 0, max: 10 });
    for (let at = 0; at <= 900_000; at += 15_000) {
      expect(blind.decide(observed({ spec: 3 }, FAILED), at)).toMatchObject({ replicas: 3, reason: 'no-data' });
    }
  });
});
