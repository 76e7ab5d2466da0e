import { expect, test } from 'vitest';
import { uniform } from '../../lib/uniform.ts';
import { chaosSchedule, FAULTS } from './schedule.ts';

const plan = { seconds: 60, pods: 4, faultMs: 2500, pauseMs: 2000 };

test('one fault at a time, with a pause after each', () => {
  const events = chaosSchedule(plan, uniform(1));
  expect(events[0]!.fromMs).toBeGreaterThanOrEqual(plan.pauseMs);
  for (const [i, event] of events.slice(1).entries()) {
    expect(event.fromMs - events[i]!.toMs).toBeGreaterThanOrEqual(plan.pauseMs);
  }
  expect(events.at(-1)!.toMs + plan.pauseMs).toBeLessThanOrEqual(plan.seconds * 1000);
});

test('every fault comes as often as the others', () => {
  const events = chaosSchedule(plan, uniform(7));
  expect(events.length).toBeGreaterThanOrEqual(12);
  const counts = FAULTS.map((fault) => events.filter((event) => event.fault === fault).length);
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
});

test('the same seed gives the same schedule, another another', () => {
  expect(chaosSchedule(plan, uniform(3))).toEqual(chaosSchedule(plan, uniform(3)));
  expect(chaosSchedule(plan, uniform(3))).not.toEqual(chaosSchedule(plan, uniform(4)));
});

test('pods are among those there are; too short a time has no events', () => {
  for (const { pod } of chaosSchedule(plan, uniform(5))) expect([0, 1, 2, 3]).toContain(pod);
  expect(chaosSchedule({ ...plan, seconds: 1 }, uniform(1))).toEqual([]);
});
