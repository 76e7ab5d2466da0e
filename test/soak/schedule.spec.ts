import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { uniform } from '../../bench/lib/uniform.ts';
import { FAULT_KINDS, FAULTS, faultOf, goTogether, victimOf } from './faults.ts';
import { faultSchedule, type PlannedFault } from './schedule.ts';

const plan = (minutes: number, seed: number, kinds = FAULT_KINDS) => faultSchedule({ minutes, kinds }, uniform(seed));
const overlap = (a: PlannedFault, b: PlannedFault) => a.fromMs < b.toMs && b.fromMs < a.toMs;
const anyRun = [fc.integer({ min: 1, max: 60 }), fc.nat(100_000)] as const;

describe('the schedule of faults', () => {
  it('is the same for a seed, and another for another', () => {
    expect(plan(10, 3)).toEqual(plan(10, 3));
    expect(plan(10, 3)).not.toEqual(plan(10, 4));
  });

  it('never has two at once that do not go together', () => {
    fc.assert(
      fc.property(...anyRun, (minutes, seed) => {
        const planned = plan(minutes, seed);
        for (const [i, one] of planned.entries())
          for (const other of planned.slice(i + 1))
            if (overlap(one, other) && !goTogether(one.kind, other.kind))
              expect.fail(`${one.kind} and ${other.kind} at once`);
      }),
    );
  });

  it('leaves the beginning and the end in peace, and keeps to the lengths', () => {
    fc.assert(
      fc.property(...anyRun, (minutes, seed) => {
        for (const { kind, fromMs, toMs, draw } of plan(minutes, seed)) {
          const [shortest, longest] = faultOf(kind).seconds;
          expect(fromMs).toBeGreaterThanOrEqual(10_000);
          expect(toMs).toBeLessThanOrEqual(minutes * 60_000 - 20_000);
          expect(toMs - fromMs).toBeGreaterThanOrEqual(shortest * 1000 - 1);
          expect(toMs - fromMs).toBeLessThanOrEqual(longest * 1000 + 1);
          expect(draw).toBeGreaterThanOrEqual(0);
          expect(draw).toBeLessThan(1);
        }
      }),
    );
  });

  it('has every kind in an hour, and of a part each as often as the others, but for the last round', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const planned = plan(60, seed);
      const count = (kind: string) => planned.filter((fault) => fault.kind === kind).length;
      for (const part of ['pods', 'proxies', 'control']) {
        const counts = FAULT_KINDS.filter((kind) => FAULTS[kind].part === part).map(count);
        expect(Math.min(...counts)).toBeGreaterThanOrEqual(5);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }
    }
  });

  it('has nearly every kind in two minutes already', () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const planned = plan(2, seed);
      expect(new Set(planned.map(({ kind }) => kind)).size).toBeGreaterThanOrEqual(FAULT_KINDS.length - 2);
      expect(new Set(planned.map(({ kind }) => FAULTS[kind].part)).size).toBe(3);
    }
  });

  it('has none where nothing can be done, or no time is', () => {
    expect(plan(10, 1, [])).toEqual([]);
    expect(plan(0.4, 1)).toEqual([]);
    expect(new Set(plan(20, 1, ['kill-pod']).map(({ kind }) => kind))).toEqual(new Set(['kill-pod']));
  });
});

describe('what goes together', () => {
  it('is never two of one part, and never what needs the API without it', () => {
    expect(goTogether('kill-pod', 'freeze-pod')).toBe(false);
    expect(goTogether('no-api-server', 'full-disk')).toBe(false);
    expect(goTogether('full-disk', 'no-api-server')).toBe(false);
    expect(goTogether('no-api-server', 'freeze-pod')).toBe(true);
    expect(goTogether('no-prometheus', 'full-disk')).toBe(true);
    expect(goTogether('kill-pod', 'kill-proxy')).toBe(true);
  });
});

describe('who is hit', () => {
  it('is one of those that are able, as long as another is', () => {
    expect(victimOf(['a', 'b', 'c'], 0)).toBe('a');
    expect(victimOf(['a', 'b', 'c'], 0.999)).toBe('c');
    expect(victimOf(['a'], 0)).toBeUndefined();
    expect(victimOf([], 0)).toBeUndefined();
  });
});
