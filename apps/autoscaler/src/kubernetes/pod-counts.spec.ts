import { describe, expect, it } from 'vitest';
import { countPods, type Pod, podSchema } from './pod-counts.ts';

const NOW = Date.parse('2026-11-22T10:00:00Z');

function at(secondsAgo: number): string {
  return new Date(NOW - secondsAgo * 1_000).toISOString();
}

function pod(name: string, madeSecondsAgo: number, status: object, metadata: object = {}): Pod {
  return podSchema.parse({
    metadata: { name, namespace: 'rag', resourceVersion: '1', creationTimestamp: at(madeSecondsAgo), ...metadata },
    status,
  });
}

function condition(type: string, status: 'True' | 'False', secondsAgo: number, message?: string): object {
  return { type, status, lastTransitionTime: at(secondsAgo), message };
}

function waiting(reason: string, message?: string): object {
  return { containerStatuses: [{ state: { waiting: { reason, message } } }] };
}

describe('countPods', () => {
  it('tells those that can answer from those on their way, the oldest of these first', () => {
    const ready = { phase: 'Running', conditions: [condition('Ready', 'True', 50)] };
    const pods = [pod('c', 90, ready), pod('new', 3, {}), pod('b', 90, ready), pod('old', 20, { phase: 'Pending' })];
    expect(countPods(pods, NOW)).toEqual({
      ready: ['b', 'c'],
      startingAgesMs: [20_000, 3_000],
      waitingFor: undefined,
    });
  });

  it('leaves out what ends, has ended or was evicted', () => {
    const ready = { phase: 'Running', conditions: [condition('Ready', 'True', 50)] };
    const pods = [
      pod('ending', 90, ready, { deletionTimestamp: at(1) }),
      pod('starting and ending', 9, {}, { deletionTimestamp: at(1) }),
      pod('done', 90, { phase: 'Succeeded' }),
      pod('evicted', 90, { phase: 'Failed' }),
    ];
    expect(countPods(pods, NOW)).toMatchObject({ ready: [], startingAgesMs: [] });
  });

  it('is never younger than nothing, whatever the clocks say', () => {
    expect(countPods([pod('a', -30, {})], NOW).startingAgesMs).toEqual([0]);
  });

  it('counts the whole start of one that waited for a node', () => {
    const conditions = [condition('PodScheduled', 'True', 10), condition('Ready', 'False', 9)];
    expect(countPods([pod('a', 300, { conditions })], NOW).startingAgesMs).toEqual([300_000]);
  });

  it('counts from anew for one that was ready and ceased to be', () => {
    const conditions = [condition('PodScheduled', 'True', 3_600), condition('Ready', 'False', 4)];
    expect(countPods([pod('a', 3_600, { conditions })], NOW).startingAgesMs).toEqual([4_000]);
  });

  it.each([
    [{ conditions: [condition('PodScheduled', 'False', 5, '0/1 nodes: no GPU')] }, 'a: 0/1 nodes: no GPU'],
    [{ conditions: [condition('PodScheduled', 'False', 5)] }, 'a: not scheduled to a node yet'],
    [waiting('ImagePullBackOff', 'no such image'), 'a: ImagePullBackOff: no such image'],
    [waiting('CrashLoopBackOff'), 'a: CrashLoopBackOff'],
    [waiting('ContainerCreating'), undefined],
    [{ initContainerStatuses: [{ state: { waiting: { reason: 'ErrImagePull' } } }] }, 'a: ErrImagePull'],
    [{ phase: 'Running', containerStatuses: [{ state: { running: {} } }] }, undefined],
  ])('says what %j waits for', (status, words) => {
    expect(countPods([pod('a', 9, status)], NOW).waitingFor).toBe(words);
  });

  it('asks the oldest one that has something to say', () => {
    const pods = [pod('new', 1, waiting('Other')), pod('old', 50, waiting('CrashLoopBackOff')), pod('oldest', 60, {})];
    expect(countPods(pods, NOW).waitingFor).toBe('old: CrashLoopBackOff');
  });
});
