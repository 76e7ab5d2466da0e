import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawsFrom, pod } from '../test/pod.ts';
import type { EndpointView } from './endpoint-view.ts';
import { PeakEwma, peakEwma } from './peak-ewma.ts';

describe('the latency of a pod', () => {
  it('is unknown before its first answer', () => {
    expect(new PeakEwma().valueAt(1_000)).toBeUndefined();
  });

  it('takes a rise at once', () => {
    const latency = new PeakEwma();
    latency.observe(100, 0);
    latency.observe(900, 1);
    expect(latency.valueAt(1)).toBe(900);
  });

  it('takes a fall with a time constant', () => {
    const latency = new PeakEwma(1_000);
    latency.observe(900, 0);
    for (let now = 10; now <= 1_000; now += 10) latency.observe(100, now);
    expect(latency.valueAt(1_000)).toBeCloseTo(100 + 800 / Math.E, 6);
  });

  it('is forgotten while nothing is heard, so that who was slow gets another chance', () => {
    const latency = new PeakEwma();
    latency.observe(900, 0);
    expect(latency.valueAt(10_000)).toBeCloseTo(900 / Math.E, 6);
    expect(latency.valueAt(3_600_000)).toBe(1);
  });

  it('is never below the latest answer nor above the slowest, and never rises by itself', () => {
    const answer = fc.record({ ms: fc.integer({ min: 1, max: 60_000 }), after: fc.nat(60_000) });
    fc.assert(
      fc.property(fc.array(answer, { minLength: 1 }), (answers) => {
        const latency = new PeakEwma();
        let now = 0;
        for (const { ms, after } of answers) {
          const before = latency.valueAt(now);
          now += after;
          if (before !== undefined) expect(latency.valueAt(now)).toBeLessThanOrEqual(before);
          latency.observe(ms, now);
          expect(latency.valueAt(now)).toBeGreaterThanOrEqual(ms);
        }
        const slowest = Math.max(...answers.map(({ ms }) => ms));
        expect(latency.valueAt(now)).toBeLessThanOrEqual(slowest + 1e-6);
      }),
    );
  });
});

/** Who of two gets the request, whichever is drawn first. */
function winner(one: Partial<EndpointView>, other: Partial<EndpointView>): string {
  const endpoints = [pod('one', one), pod('other', other)];
  return [...new Set([0, 0.9].map((draw) => peakEwma.pick(endpoints, () => draw)!.id))].join(' or ');
}

describe('the choice', () => {
  it('is that of the lower latency for what is in flight and the weight', () => {
    expect(winner({ latencyMs: 100 }, { latencyMs: 200 })).toBe('one');
    expect(winner({ latencyMs: 100, inFlight: 2 }, { latencyMs: 200 })).toBe('other');
    expect(winner({ latencyMs: 100, weight: 0.1 }, { latencyMs: 200 })).toBe('other');
  });

  it('takes a pod without a latency for as fast as the other', () => {
    expect(winner({ latencyMs: 100 }, {})).toBe('one or other');
    expect(winner({ latencyMs: 100, inFlight: 1 }, {})).toBe('other');
    expect(winner({ latencyMs: 100 }, { inFlight: 1 })).toBe('one');
  });

  it('is by what is in flight where nothing is known', () => {
    expect(winner({ inFlight: 1 }, {})).toBe('other');
  });

  it('neither floods nor starves a new pod before its first answer', () => {
    const inFlight = [0, 0, 0, 0];
    const random = drawsFrom(7);
    for (let i = 0; i < 400; i++) {
      const view = inFlight.map((count, p) => pod(`p${p}`, { inFlight: count, latencyMs: p === 0 ? undefined : 300 }));
      const { id } = peakEwma.pick(view, random)!;
      inFlight[Number(id.slice(1))]! += 1;
    }
    expect(inFlight[0]).toBeGreaterThan(95);
    expect(inFlight[0]).toBeLessThan(105);
  });
});
