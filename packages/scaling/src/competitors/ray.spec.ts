import { describe, expect, it } from 'vitest';
import { observed } from '../../test/observations.ts';
import { RAY, type RaySettings } from './ray.ts';

function seconds(
  parts: { ongoingAt: (second: number) => number; start: number; count: number; ready?: number },
  given: Partial<RaySettings> = {},
): number[] {
  const settings = { ...RAY.settings({ slots: 16, peakRate: 5 }), ...given };
  const scaler = RAY.create(settings, { min: 1, max: 50 })({ now: 0, replicas: parts.start });
  let [replicas, inSystemMs] = [parts.start, 0];
  return Array.from({ length: parts.count }, (_, second) => {
    if (second > 0) inSystemMs += 1_000 * parts.ongoingAt(second);
    replicas = scaler.decide(
      observed({ spec: replicas, ready: parts.ready ?? replicas, inSystemMs }),
      second * 1_000,
    ).replicas;
    return replicas;
  });
}

describe('Ray Serve', () => {
  // docs.ray.io/en/latest/serve/autoscaling-guide.html: two ongoing requests for each replica.
  it('wants ongoing requests by 2, after having wanted it for 30 s', () => {
    const replicas = seconds({ ongoingAt: () => 20, start: 1, count: 80 });
    // Handles push at 10 s for the first time; 31 decisions in a row are more than 30 s.
    expect(replicas.findIndex((count) => count > 1)).toBe(40);
    expect(replicas[40]).toBe(10);
  });

  it('goes down only after ten minutes of wanting it', () => {
    const replicas = seconds({ ongoingAt: () => 4, start: 6, count: 700 });
    expect(replicas.findIndex((count) => count < 6)).toBe(610);
    expect(replicas[610]).toBe(2);
  });

  it('begins to count again when it wants something else meanwhile', () => {
    // Each 300 s it is busy for a minute: it never wants fewer for 600 s.
    const replicas = seconds({ ongoingAt: (second) => (second % 300 < 60 ? 12 : 4), start: 6, count: 1_500 });
    expect(Math.min(...replicas)).toBe(6);
  });

  it('averages over 30 s, so that what is over before the third push does not count', () => {
    const burst = (lengthS: number) =>
      seconds({ ongoingAt: (second) => (second > 101 && second <= 101 + lengthS ? 40 : 20), start: 10, count: 300 });
    // Pushes at 110, 120 and 130 s know of the short one: 30 decisions in a row, and there must be more.
    expect(Math.max(...burst(2))).toBe(10);
    expect(Math.max(...burst(15))).toBeGreaterThan(10);
  });

  it('goes a share of the way, and one down at least', () => {
    const half = { upFactor: 0.5, downFactor: 0.5, upDelayMs: 0, downDelayMs: 0 };
    expect(seconds({ ongoingAt: () => 20, start: 2, count: 12 }, half).slice(9)).toEqual([2, 6, 8]);
    expect(seconds({ ongoingAt: () => 4, start: 3, count: 12 }, { ...half, downFactor: 0.1 })[10]).toBe(2);
  });

  it('wakes from nothing at once', () => {
    const settings = RAY.settings({ slots: 16, peakRate: 5 });
    const scaler = RAY.create(settings, { min: 0, max: 5 })({ now: 0, replicas: 0 });
    scaler.decide(observed({ spec: 0 }), 0);
    scaler.decide(observed({ spec: 0, waiting: 1, inSystemMs: 10 }), 10_000);
    expect(scaler.decide(observed({ spec: 0, waiting: 1, inSystemMs: 20 }), 20_000).replicas).toBe(1);
  });
});
