/** The queue to come, the window of recommendations, the limits of the rate. */
import { describe, expect, it } from 'vitest';
import { queueAfter } from './backlog.ts';
import { leastAllowed, mostAllowed, ReplicaLog } from './rate-limit.ts';
import { Stabilizer } from './stabilizer.ts';

describe('the queue when a new pod is ready', () => {
  it.each([
    ['drained by those that are ready', 100, 0.005, { ready: 2, readyInMs: [] }, 20_000, 0],
    ['left over', 100, 0.005, { ready: 1, readyInMs: [] }, 10_000, 100 + (0.005 - 0.007) * 10_000],
    ['those that start help from when they are ready', 100, 0.007, { ready: 1, readyInMs: [5_000] }, 10_000, 65],
    ['grows without pods', 0, 0.01, { ready: 0, readyInMs: [] }, 30_000, 300],
    ['empties and grows again never below nothing', 10, 0, { ready: 5, readyInMs: [] }, 30_000, 0],
  ])('%s', (_, waiting, arrivals, supply, horizonMs, queue) => {
    expect(queueAfter(waiting, arrivals, 0.007, supply, horizonMs)).toBeCloseTo(queue, 6);
  });
});

it('a window keeps the most and the least of what was recommended, beginning with what there was', () => {
  const window = new Stabilizer(0, 8);
  for (const [at, replicas] of [
    [5, 3],
    [10, 5],
    [15, 4],
  ] as const)
    window.record(at, replicas, 1_000);
  expect(window.most(15, 15)).toBe(8);
  expect(window.most(16, 11)).toBe(5);
  expect(window.least(16, 11)).toBe(3);
  expect(window.most(16, 2)).toBe(4);
});

describe('limits of the rate', () => {
  const log = new ReplicaLog();
  for (const [at, replicas] of [
    [0, 10],
    [30, 12],
    [60, 20],
  ] as const)
    log.record(at, replicas, 1_000);

  it('knows what there was, and the mean', () => {
    expect([log.before(70, 0), log.before(70, 20), log.before(70, 45), log.before(70, 500)]).toEqual([20, 12, 10, 10]);
    expect(log.mean(70, 20)).toBe(16);
    expect(log.mean(70, 1_000)).toBeCloseTo((10 * 30 + 12 * 30 + 20 * 10) / 70);
    expect(log.lastChangeAt).toBe(60);
  });

  it('the policy that allows most counts', () => {
    const policies = [
      { type: 'percent', value: 100, periodMs: 20 },
      { type: 'pods', value: 4, periodMs: 20 },
    ] as const;
    expect(mostAllowed(log, policies, 70)).toBe(24);
    expect(leastAllowed(log, policies, 70)).toBe(0);
    expect(leastAllowed(log, [{ type: 'percent', value: 25, periodMs: 5 }], 70)).toBe(15);
  });

  it('none without policies', () => {
    expect(mostAllowed(log, [], 70)).toBe(Number.POSITIVE_INFINITY);
    expect(leastAllowed(log, [], 70)).toBe(0);
  });
});
