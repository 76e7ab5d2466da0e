import { describe, expect, it } from 'vitest';
import { BehaviorMemory, DEFAULT_BEHAVIOR, type HpaBehavior } from './hpa-behavior.ts';

const LIMITS = { min: 1, max: 100 };
const MINUTE_MS = 60_000;

/** Follows the wishes, one each 15 s. */
function follow(behavior: HpaBehavior, start: number, wishes: readonly number[], limits = LIMITS): number[] {
  const memory = new BehaviorMemory(behavior, limits);
  let current = start;
  return wishes.map((wish, index) => {
    current = memory.normalize(wish, current, index * 15_000).replicas;
    return current;
  });
}

describe('the behavior of an HPA', () => {
  it('doubles, or adds four where that is more, each 15 s', () => {
    expect(follow(DEFAULT_BEHAVIOR, 1, [50, 50, 50, 50, 50])).toEqual([5, 10, 20, 40, 50]);
  });

  it('goes down at once to the highest wish of five minutes', () => {
    const wishes = [10, 4, 4, 6, ...Array(20).fill(4)];
    const replicas = follow(DEFAULT_BEHAVIOR, 10, wishes);
    // The 10 of the beginning counts below 300 s, the 6 (at 45 s) below 345 s.
    expect(replicas.slice(18, 24)).toEqual([10, 10, 6, 6, 6, 4]);
  });

  it('does not go down just after a restart: the current number is the first wish', () => {
    expect(follow(DEFAULT_BEHAVIOR, 10, Array(21).fill(1)).indexOf(1)).toBe(20);
  });

  // https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#scaling-policies
  it('removes four, or a tenth where that is more, in a minute', () => {
    const behavior: HpaBehavior = {
      ...DEFAULT_BEHAVIOR,
      scaleDown: {
        stabilizationMs: 0,
        policies: [
          { type: 'Pods', value: 4, periodMs: MINUTE_MS },
          { type: 'Percent', value: 10, periodMs: MINUTE_MS },
        ],
      },
    };
    const replicas = follow(behavior, 80, Array(40).fill(10));
    // 8 of 80 in the first minute; 10% of 72 are 7.2, and the rest is cut off: 64.
    expect([replicas[0], replicas[3], replicas[4], replicas[8]]).toEqual([72, 72, 64, 57]);
    // From 40 on four pods are at least a tenth: 40, 36, 32, 28, 24.
    expect([replicas[20], replicas.at(-1)]).toEqual([40, 24]);
  });

  it('says which rule decided', () => {
    const memory = new BehaviorMemory(DEFAULT_BEHAVIOR, { min: 2, max: 8 });
    expect(memory.normalize(20, 2, 0)).toEqual({ replicas: 6, reason: 'rate-limited' });
    expect(memory.normalize(20, 6, 15_000)).toEqual({ replicas: 8, reason: 'at-max' });
    expect(memory.normalize(3, 8, 30_000)).toEqual({ replicas: 8, reason: 'stabilizing' });
    expect(memory.normalize(3, 8, 400_000)).toEqual({ replicas: 3, reason: undefined });
    expect(memory.normalize(1, 3, 800_000)).toEqual({ replicas: 2, reason: 'at-min' });
    expect(memory.normalize(2, 2, 801_000)).toEqual({ replicas: 2, reason: undefined });
  });
});
